"""Do two servers answer alike, leaving aside what nobody promises: order, chance, and what the clock says."""

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from tests.compat.replies import Answer, alike, in_any_order, only_kind

Normal: TypeAlias = Callable[[Sequence[bytes], Answer], Answer]

UNREAL: Final = Answer("left aside")


def sorted_items(words: Sequence[bytes], answer: Answer) -> Answer:
    return in_any_order(answer)


def sorted_pairs(words: Sequence[bytes], answer: Answer) -> Answer:
    """Fields with values, flat in RESP2."""
    if answer.kind != "array":
        return in_any_order(answer)
    return Answer("array", tuple(item for pair in sorted(pairs(answer), key=repr) for item in pair))


def pairs(answer: Answer) -> list[tuple[Answer, Answer]]:
    return list(zip(answer.items[::2], answer.items[1::2], strict=True))


def shape(words: Sequence[bytes], answer: Answer) -> Answer:
    """How many, and of which sort: for what chance has chosen."""
    if isinstance(answer.content, tuple):
        return Answer(answer.kind, tuple(shape(words, item) for item in answer.content))
    return answer if answer.kind == "error" else only_kind(answer)


def kind(words: Sequence[bytes], answer: Answer) -> Answer:
    return answer if answer.kind == "error" else only_kind(answer)


def line_of(words: Sequence[bytes]) -> bytes:
    """A request in upper case, with blanks between its words."""
    return b" ".join(words).upper()


def clock_id(words: Sequence[bytes], answer: Answer) -> Answer:
    return shape(words, answer) if b"*" in words else answer


def sorted_if_alpha(words: Sequence[bytes], answer: Answer) -> Answer:
    """With ALPHA, what is equal up to a zero byte is equal, and so are elements that have no weight."""
    return sorted_items(words, answer) if b"ALPHA" in line_of(words) else answer


def one_page(words: Sequence[bytes], answer: Answer) -> Answer:
    """The elements, if it is the only page of a scan: else each server has pages of its own."""
    if answer.kind != "array" or (words[0].upper() != b"SCAN" and len(words) < 3):
        return answer
    cursor, page = answer.items
    first = words[1 if words[0].upper() == b"SCAN" else 2]
    if cursor.content != b"0" or first != b"0":
        return UNREAL
    if words[0].upper() in (b"HSCAN", b"ZSCAN"):
        return Answer("set", tuple(sorted({Answer("array", pair) for pair in pairs(page)}, key=repr)))
    return Answer("set", tuple(sorted(set(page.items), key=repr)))


def stream_facts(words: Sequence[bytes], answer: Answer) -> Answer:
    """XINFO without the inner structure and the times."""
    return without_facts(answer, VAGUE_FACTS)


def without_facts(answer: Answer, names: Sequence[bytes]) -> Answer:
    """XINFO without times, and without the facts of these names."""
    if not isinstance(answer.content, tuple):
        return answer
    items: list[Answer] = []
    for item in answer.items:
        if items and items[-1].content in names:
            items.pop()
        elif len(items) in (1, 2) and item.kind == "integer" and item.number > A_TIME:
            pass  # of a pending entry: id, consumer (not in a consumer's own), time, count
        else:
            items.append(without_facts(item, names))
    return Answer(answer.kind, tuple(items))


A_TIME: Final = 1_500_000_000_000
VAGUE_FACTS: Final = (b"radix-tree-keys", b"radix-tree-nodes", b"seen-time", b"active-time", b"idle", b"inactive")

NORMAL: Final[dict[bytes, Normal]] = {
    **dict.fromkeys((b"KEYS", b"SMEMBERS", b"SINTER", b"SUNION", b"SDIFF", b"HKEYS", b"HVALS"), sorted_items),
    b"HGETALL": sorted_pairs,
    **dict.fromkeys((b"SPOP", b"SRANDMEMBER", b"HRANDFIELD", b"ZRANDMEMBER"), shape),
    **dict.fromkeys((b"DUMP", b"HELLO", b"OBJECT|HELP"), kind),
    **dict.fromkeys((b"SCAN", b"SSCAN", b"HSCAN", b"ZSCAN"), one_page),
    **dict.fromkeys((b"SORT", b"SORT_RO"), sorted_if_alpha),
    b"XADD": clock_id,
    b"XINFO": stream_facts,
}
"""By command. Whatever is not here is compared as it is."""

WITHIN: Final[dict[bytes, int]] = {
    **dict.fromkeys((b"TTL", b"HTTL", b"EXPIRETIME", b"HEXPIRETIME"), 2),
    b"OBJECT": 60,
    **dict.fromkeys((b"PTTL", b"HPTTL", b"PEXPIRETIME", b"HPEXPIRETIME", b"XPENDING"), 5000),
}
"""By how much numbers may differ."""


Exchange: TypeAlias = tuple[Sequence[bytes], Answer, Answer]
"""A request, and what either side answers."""


class Unfolder:
    """One connection's requests and answers, with those of a transaction in the place of EXEC's."""

    def __init__(self) -> None:
        self._queued: list[Sequence[bytes]] = []

    def exchanges(self, words: Sequence[bytes], theirs: Answer, ours: Answer) -> list[Exchange]:
        name = words[0].upper()
        queued = self._queued
        if theirs.content == b"QUEUED":
            queued.append(words)
        elif (name in (b"EXEC", b"DISCARD", b"MULTI") and theirs.kind != "error") or theirs.content == EXEC_ABORTED:
            self._queued = []
        if name == b"EXEC" and theirs.kind == ours.kind == "array" and len(theirs.items) == len(ours.items):
            return list(zip(queued, theirs.items, ours.items, strict=True))
        return [(words, theirs, ours)]


EXEC_ABORTED: Final = b"EXECABORT Transaction discarded because of previous errors."


def alike_for(words: Sequence[bytes], theirs: Answer, ours: Answer, against: str) -> bool:
    name = words[0].upper()
    normal = NORMAL.get(name)
    if normal is not None and theirs != ours:
        theirs, ours = normal(words, theirs), normal(words, ours)
        if UNREAL in (theirs, ours):
            return True
    if (against == "redis" or name == b"ZSCAN") and theirs != ours:
        theirs, ours = shortest_digits(theirs), shortest_digits(ours)
    return alike(theirs, ours, within=WITHIN.get(name, 0))


def shortest_digits(answer: Answer) -> Answer:
    """Doubles in the digits of Redis 7.2: 7.0 always takes 17. Zero has no sign, for SORT may have given it one."""
    if isinstance(answer.content, tuple):
        return Answer(answer.kind, tuple(map(shortest_digits, answer.content)))
    if answer.kind in ("bulk", "double") and A_DOUBLE.fullmatch(answer.text):
        return Answer(answer.kind, repr(float(answer.text) + 0.0).encode())
    return answer


A_DOUBLE: Final = re.compile(rb"-?[0-9]+(\.[0-9]+)?(e[-+][0-9]+)?")
