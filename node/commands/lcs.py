"""LCS: the longest common subsequence of two strings (redis.io, "LCS").

Redis fills a table of len(a) * len(b) numbers. Here row j of it is one integer with a bit for each byte of ``a``: bit
i is 0 where the length for ``a[:i+1]`` is one more than for ``a[:i]`` (both against ``b[:j]``), so that a row follows
from the one before in a few operations on long integers (Hyyrö, "Bit-parallel LCS-length computation revisited",
2004). Walking back takes the same turns as Redis, because there are often several longest subsequences.
"""

from typing import Final

from gossamer.node.commands.numbers import integer
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import READONLY, STRING, command
from gossamer.node.engine.table.keyspec import ACCESS, RO, KeySpec
from gossamer.node.resp.errors import LCS_BOTH, LCS_TOO_LARGE, LCS_TYPES, SYNTAX, Refusal
from gossamer.node.resp.reply import Reply

KEYS: Final = (KeySpec((RO, ACCESS), last=1),)
CELL: Final = 4
"""Bytes of one number in the table of Redis, whose size is limited."""


class Match:
    """A run of equal bytes: ``size`` of them, from ``a[at_a]`` and from ``b[at_b]`` on."""

    def __init__(self, at_a: int, at_b: int) -> None:
        self.at_a: int = at_a
        self.at_b: int = at_b
        self.size: int = 1


@command("LCS", arity=-3, flags=READONLY, keys=KEYS, acl=STRING)
def lcs(c: Call, argv: list[bytes]) -> Reply:
    first, second = c.value(argv[1]), c.value(argv[2])
    a, b = text_of(first), text_of(second)
    idx = length_only = with_length = False
    least = 0
    at = 3
    while at < len(argv):
        word = argv[at].upper()
        if word == b"IDX":
            idx = True
        elif word == b"LEN":
            length_only = True
        elif word == b"WITHMATCHLEN":
            with_length = True
        elif word == b"MINMATCHLEN" and at + 1 < len(argv):
            at += 1
            least = integer(argv[at])
        else:
            raise Refusal(SYNTAX)
        at += 1
    if idx and length_only:
        raise Refusal(LCS_BOTH)
    if (len(a) + 1) * (len(b) + 1) * CELL > c.server.limits.max_bulk:
        raise Refusal(LCS_TOO_LARGE)
    rows = table(a, b)
    length = len(a) - rows[-1].bit_count()
    if length_only:
        return length
    matches = walk_back(a, b, rows, length)
    if not idx:
        return b"".join([a[m.at_a : m.at_a + m.size] for m in reversed(matches)])
    shown: list[Reply] = [show(m, with_length) for m in matches if m.size >= least]
    told: dict[bytes, Reply] = {b"matches": shown, b"len": length}
    return told


def text_of(value: object) -> bytes:
    if value is None:
        return b""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    raise Refusal(LCS_TYPES)


def table(a: bytes, b: bytes) -> list[int]:
    """The rows, one for each prefix of ``b``, the empty one first."""
    where: dict[int, int] = {}
    for byte in set(a) & set(b):
        where[byte] = int(a.translate(ones_at(byte))[::-1] or b"0", 2)
    full = (1 << len(a)) - 1
    row = full
    rows = [row]
    for byte in b:
        hits = row & where.get(byte, 0)
        row = ((row + hits) | (row - hits)) & full
        rows.append(row)
    return rows


def ones_at(byte: int) -> bytes:
    """A translation of ``byte`` to the digit 1 and of all others to 0."""
    return b"0" * byte + b"1" + b"0" * (255 - byte)


def walk_back(a: bytes, b: bytes, rows: list[int], length: int) -> list[Match]:
    """The runs of a longest common subsequence, the last one first."""
    matches: list[Match] = []
    run: Match | None = None
    i, j = len(a), len(b)
    loaded = -1
    here = above = b""
    above_length = 0
    while i > 0 and j > 0:
        if a[i - 1] == b[j - 1]:
            i -= 1
            j -= 1
            length -= 1
            if run is None:
                run = Match(i, j)
                matches.append(run)
            else:
                run.at_a, run.at_b, run.size = i, j, run.size + 1
            continue
        run = None
        if loaded != j:
            loaded = j
            here, above = as_bytes(rows[j], a), as_bytes(rows[j - 1], a)
            above_length = i - (rows[j - 1] & ((1 << i) - 1)).bit_count()
        # Redis takes the byte of a away only if that leaves a longer subsequence than taking away the byte of b
        at, bit = (i - 1) >> 3, 1 << ((i - 1) & 7)
        if here[at] & bit and above_length < length:
            if not above[at] & bit:
                above_length -= 1
            i -= 1
        else:
            j -= 1
    return matches


def as_bytes(row: int, a: bytes) -> bytes:
    """A row as bytes, whose bits are looked at one by one in constant time."""
    return row.to_bytes((len(a) + 7) // 8, "little")


def show(match: Match, with_length: bool) -> Reply:
    out: list[Reply] = [
        [match.at_a, match.at_a + match.size - 1],
        [match.at_b, match.at_b + match.size - 1],
    ]
    if with_length:
        out.append(match.size)
    return out
