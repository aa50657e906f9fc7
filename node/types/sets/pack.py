"""A pack: some members of a set in one immutable object, in the order in which they came.

Changes make a new one, so to copy a pack is to keep it. It is ``bytes``, in which each member follows its length (one
byte); a member that is too long for that makes it a tuple, and a tuple it remains until it is empty.
"""

from typing import TYPE_CHECKING, Final, TypeAlias

from gossamer.node.store import texts
from gossamer.node.types.integers import COMPILED

if TYPE_CHECKING:
    from mypy_extensions import i64

to_pack: Final = texts.to_pack
from_pack: Final = texts.from_pack

Pack: TypeAlias = bytes | tuple[bytes, ...]

EMPTY: Final = b""
LONGEST: Final = 255
"""Bytes of a member whose length is a byte."""
LENGTHS: Final[list[bytes]] = [bytes((size,)) for size in range(LONGEST + 1)]
OBJECT: Final = 48
"""Bytes of a member of its own, and its place in a tuple, beside its length."""


def pack_of(members: list[bytes]) -> Pack:
    for member in members:
        if len(member) > LONGEST:
            return tuple(members)
    return to_pack(members)


def find(pack: bytes, member: bytes) -> "i64":
    """Where ``member`` with its length begins, -1 if it is not there."""
    if len(member) > LONGEST:
        return -1
    return find_by_walk(pack, member) if COMPILED and member else find_by_search(pack, member)


def find_by_walk(pack: bytes, member: bytes) -> "i64":
    """From member to member, of which most are told from ``member`` by their length or their last byte."""
    length: i64 = len(member)
    last: i64 = member[length - 1]
    size: i64 = len(pack)
    at: i64 = 0
    while at < size:
        end: i64 = at + pack[at]
        if end - at == length and pack[end] == last and pack[at + 1 : end + 1] == member:
            return at
        at = end + 1
    return -1


def find_by_search(pack: bytes, member: bytes) -> "i64":
    """By a method that is written in C: interpreted, a walk costs more."""
    entry = LENGTHS[len(member)] + member
    begin: i64 = 0
    hit: i64 = pack.find(entry)
    while hit >= 0:
        while begin < hit:
            begin += 1 + pack[begin]
        if begin == hit:
            return hit
        hit = pack.find(entry, begin)  # what was found lies within members
    return -1


def holds(pack: Pack, member: bytes) -> bool:
    return find(pack, member) >= 0 if isinstance(pack, bytes) else member in pack


def plus(pack: Pack, member: bytes) -> Pack:
    """``pack`` with ``member``, which it does not hold, behind the others."""
    if isinstance(pack, tuple):
        return (*pack, member)
    if len(member) > LONGEST:
        return (*members_of(pack), member)
    return pack + (LENGTHS[len(member)] + member)


def minus(pack: Pack, member: bytes) -> Pack:
    """``pack`` without ``member``; the same object if it does not hold it."""
    if isinstance(pack, tuple):
        return cut(pack, pack.index(member)) if member in pack else pack
    at = find(pack, member)
    return pack if at < 0 else pack[:at] + pack[at + 1 + len(member) :]


def cut(pack: Pack, place: int) -> Pack:
    """``pack`` without the member number ``place``, counted from 0."""
    if isinstance(pack, tuple):
        return pack[:place] + pack[place + 1 :] or EMPTY
    at = begin_of(pack, place)
    return pack[:at] + pack[at + 1 + pack[at] :]


def nth(pack: Pack, place: int) -> bytes:
    """The member number ``place``, counted from 0."""
    if isinstance(pack, tuple):
        return pack[place]
    at = begin_of(pack, place)
    return pack[at + 1 : at + 1 + pack[at]]


def begin_of(pack: bytes, place: int) -> "i64":
    at: i64 = 0
    left: i64 = place
    while left > 0:
        at += 1 + pack[at]
        left -= 1
    return at


def joined(one: Pack, other: Pack) -> Pack:
    """Both, which have no member in common."""
    if isinstance(one, bytes) and isinstance(other, bytes):
        return one + other
    return (*members_of(one), *members_of(other))


def members_of(pack: Pack) -> list[bytes]:
    return list(pack) if isinstance(pack, tuple) else from_pack(pack)


def size_of(pack: Pack) -> int:
    """Bytes that it takes, beside the header of an object."""
    if isinstance(pack, bytes):
        return len(pack)
    size = 0
    for member in pack:
        size += OBJECT + len(member)
    return size
