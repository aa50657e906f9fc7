"""What people do to a nodes.conf: two texts of one node, of which one is newer and the other was edited.

Charts and start scripts write the pod's new address into nodes.conf before the node starts. That is an order, but it
says nothing of slots, epochs and votes, of which a newer text may exist. Texts are taken line by line, as they are.
"""

from re import compile as pattern
from typing import Final

VARS: Final = pattern(r"(?m)^vars .*$")
EPOCHS: Final = ("currentEpoch", "lastVoteEpoch")


def without_addresses(text: str) -> str:
    """``text`` without what addresses are made of (ip, ports, hostname): equal for two that differ in nothing else."""
    return "\n".join(" ".join(_blind(line.split())) for line in text.split("\n"))


def _blind(words: list[str]) -> list[str]:
    return [words[0], ",".join(words[1].split(",")[2:]), *words[2:]] if _is_node(words) else words


def with_addresses(newer: str, edited: str) -> str:
    """``newer``, but every node that ``edited`` has too is where that one says."""
    places = {words[0]: words[1].split(",")[:2] for line in edited.split("\n") if _is_node(words := line.split())}
    lines = []
    for line in newer.split("\n"):
        words = line.split()
        if _is_node(words) and words[0] in places:
            extra = words[1].split(",")[2:]
            place = places[words[0]]
            words[1] = ",".join([*place, *([""] if extra and len(place) < 2 else []), *extra])
            line = " ".join(words)
        lines.append(line)
    return "\n".join(lines)


def with_epochs(text: str, other: str) -> str:
    """``text`` with the larger of the current epochs, and of the epochs of the last vote: neither ever goes back."""
    mine, theirs = _vars(text), _vars(other)
    for name in EPOCHS:
        mine[name] = str(max(_number(mine.get(name, "0")), _number(theirs.get(name, "0"))))
    line = "vars " + " ".join(f"{name} {value}" for name, value in mine.items())
    return VARS.sub(line, text, count=1) if VARS.search(text) else f"{text.rstrip()}\n{line}\n"


def id_of_myself(text: str) -> str:
    """The id on the line of the node itself; empty if there is none."""
    for line in text.split("\n"):
        words = line.split()
        if _is_node(words) and "myself" in words[2].split(","):
            return words[0]
    return ""


def _is_node(words: list[str]) -> bool:
    return len(words) >= 8 and words[0] != "vars"


def _vars(text: str) -> dict[str, str]:
    found = VARS.search(text)
    words = found[0].split()[1:] if found else []
    return dict(zip(words[::2], words[1::2], strict=False))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else 0
