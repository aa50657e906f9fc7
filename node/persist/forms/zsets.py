"""Sorted sets in RDB (rdb.c of Redis 7.2): a listpack while it is one in memory, else members with binary scores.

Old forms are read as well: scores as text, and ziplists. What is small when it has been read may have been large.
"""

from math import isnan
from struct import Struct
from typing import Final

from gossamer.node.persist.codes import RdbError
from gossamer.node.persist.form import Elements, Style
from gossamer.node.persist.packed import listpack, ziplist
from gossamer.node.persist.primitives import put_length, put_string
from gossamer.node.persist.source import Source
from gossamer.node.resp.doubles import format_double, read_double
from gossamer.node.store import texts
from gossamer.node.types.kind import DONE, STEP, Value
from gossamer.node.types.limits import EncodingLimits
from gossamer.node.types.zsets import packed as packs
from gossamer.node.types.zsets.zset import ADDED, ZSet

TEXT_SCORES: Final = 3
BINARY_SCORES: Final = 5
ZIPLIST: Final = 12
LISTPACK: Final = 17

DOUBLE: Final = Struct("<d")
from_scored: Final = texts.from_scored
WORDS: Final = {253: float("nan"), 254: float("inf"), 255: float("-inf")}
"""What the length of a score as text says if it is none."""


# --- writing


def write(out: bytearray, key: bytes | bytearray, value: Value, style: Style, at: int) -> int:
    """A step; ``at`` counts members from the highest score down, which is the order of the file."""
    assert isinstance(value, ZSet)
    if value.is_listpack():
        out.append(LISTPACK)
        out += key
        put_string(out, packed(value), style.compress)
        return DONE
    length = value.length()
    if at == 0:
        out.append(BINARY_SCORES)
        out += key
        put_length(out, length)
    stop = min(at + STEP, length)
    for member, score in value.items(length - stop, length - at, reverse=True):
        put_string(out, member, style.compress)
        out += DOUBLE.pack(score)
    return stop if stop < length else DONE


def packed(value: ZSet) -> bytes:
    """The listpack of members and scores."""
    known = from_scored(value.packed) if value.large is None else None
    if known is not None:
        return listpack.encode(known)
    elements: list[bytes] = []
    for member, score in value.items(0, value.length()):
        elements.append(member)
        elements.append(format_double(score))
    return listpack.encode(elements)


# --- reading


class ZSetElements(Elements):
    """The elements of the two forms that come one by one."""

    def __init__(self, source: Source, binary: bool) -> None:
        left = source.length()
        if left == 0:
            raise RdbError("a sorted set without members")
        self.set: ZSet = ZSet()
        self.binary: bool = binary
        super().__init__(self.set, left)

    def read(self, source: Source) -> None:
        member = source.string()
        score = DOUBLE.unpack_from(source.data, source.need(DOUBLE.size))[0] if self.binary else text_score(source)
        add(self.set, member, score, source.limits)


def read_text_scores(source: Source) -> Elements:
    return ZSetElements(source, False)


def read_binary_scores(source: Source) -> Elements:
    return ZSetElements(source, True)


def read_ziplist(source: Source) -> Value:
    return from_pairs(ziplist.decode(source.string()), source.limits)


def read_listpack(source: Source) -> Value:
    data = source.string()
    made = listpack.scored(data)
    if made is not None and packs.count(made) <= source.limits.zset_max_listpack_entries:
        value = ZSet()
        value.packed = made
        return value
    return from_pairs(listpack.decode(data), source.limits)


def text_score(source: Source) -> float:
    size = source.byte()
    if size in WORDS:
        return WORDS[size]
    return score_of(source.take(size))


def score_of(text: bytes) -> float:
    score = read_double(text)
    if score is None:
        raise RdbError("a score of a sorted set is no number")
    return score


def from_pairs(elements: list[bytes], limits: EncodingLimits) -> Value:
    """A set of members and scores in turn. However long a member is, it has been in a listpack and stays there."""
    if not elements or len(elements) % 2:
        raise RdbError("a sorted set without members, or with one that has no score")
    longest = max([len(element) for element in elements])
    if longest > limits.zset_max_listpack_value:
        kept = EncodingLimits()
        kept.zset_max_listpack_entries = limits.zset_max_listpack_entries
        kept.zset_max_listpack_value = longest
        limits = kept
    members = elements[::2]
    scores = [score_of(text) for text in elements[1::2]]
    value = ZSet()
    if in_order(members, scores) and len(set(members)) == len(members):
        value.fill(members, scores, limits)
    else:
        for at, member in enumerate(members):
            add(value, member, scores[at], limits)
    return value


def in_order(members: list[bytes], scores: list[float]) -> bool:
    """As every server writes them."""
    for at in range(1, len(members)):
        before, score = scores[at - 1], scores[at]
        if before > score or (before == score and members[at - 1] >= members[at]):
            return False
    return True


def add(value: ZSet, member: bytes, score: float, limits: EncodingLimits) -> None:
    if isnan(score):
        raise RdbError("a score of a sorted set is NaN")
    if value.add(member, score, limits) != ADDED:
        raise RdbError("a member stands twice in a sorted set")
