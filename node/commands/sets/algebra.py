"""Intersection, union and difference of sets, as a reply, as a count, or stored."""

from typing import Final

from gossamer.node.commands.numbers import integer
from gossamer.node.engine.data.changes import SDIFFSTORE, SINTERSTORE, SUNIONSTORE
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import DENYOOM, READONLY, SET, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, OW, RO, RW, UPDATE, Access, KeySpec, all_keys
from gossamer.node.resp.errors import (
    LIMIT_NEGATIVE,
    NUMKEYS_NOT_POSITIVE,
    NUMKEYS_OVER_ARGUMENTS,
    SYNTAX,
    Refusal,
)
from gossamer.node.resp.reply import Reply, SetReply
from gossamer.node.types.integers import integer_or_none
from gossamer.node.types.limits import EncodingLimits
from gossamer.node.types.sets.set import INTSET, LISTPACK, Set

SOURCES: Final = all_keys(RO, ACCESS)
COUNTED: Final = (KeySpec((RO, ACCESS), count_at=0),)


def stored_at(*access: str) -> tuple[KeySpec, ...]:
    flags: Access = access
    return (KeySpec(flags), KeySpec((RO, ACCESS), index=2, last=-1))


# --- the commands


@command("SINTER", arity=-2, flags=READONLY, keys=SOURCES, acl=SET)
def sinter(c: Call, argv: list[bytes]) -> Reply:
    return SetReply(intersection(by_size(sets_at(c, argv[1:]))))


@command("SINTERCARD", arity=-3, flags=READONLY, keys=COUNTED, acl=SET)
def sintercard(c: Call, argv: list[bytes]) -> Reply:
    count = integer(argv[1], NUMKEYS_NOT_POSITIVE)
    if count < 1:
        raise Refusal(NUMKEYS_NOT_POSITIVE)
    if count > len(argv) - 2:
        raise Refusal(NUMKEYS_OVER_ARGUMENTS)
    limit = 0
    for at in range(2 + count, len(argv), 2):
        if argv[at].upper() != b"LIMIT" or at + 1 == len(argv):
            raise Refusal(SYNTAX)
        limit = integer(argv[at + 1], LIMIT_NEGATIVE)
        if limit < 0:
            raise Refusal(LIMIT_NEGATIVE)
    return len(intersection(by_size(sets_at(c, argv[2 : 2 + count])), limit))


@command("SUNION", arity=-2, flags=READONLY, keys=SOURCES, acl=SET)
def sunion(c: Call, argv: list[bytes]) -> Reply:
    return SetReply(union(sets_at(c, argv[1:])))


@command("SDIFF", arity=-2, flags=READONLY, keys=SOURCES, acl=SET)
def sdiff(c: Call, argv: list[bytes]) -> Reply:
    return SetReply(difference(sets_at(c, argv[1:]), c.server.encodings).members())


@command("SINTERSTORE", arity=-3, flags=WRITE | DENYOOM, keys=stored_at(RW, UPDATE), acl=SET)
def sinterstore(c: Call, argv: list[bytes]) -> Reply:
    sets = by_size(sets_at(c, argv[2:]))
    result = Set()
    if sets:
        limits = c.server.encodings
        members = intersection(sets)
        result.begin_as(INTSET if sets[0].form == INTSET else LISTPACK)
        result.take_all(members, limits)
        if len(members) <= limits.set_max_intset_entries and all_integers(members):
            result.to_intset()
    return store(c, argv[1], result, SINTERSTORE)


@command("SUNIONSTORE", arity=-3, flags=WRITE | DENYOOM, keys=stored_at(OW, UPDATE), acl=SET)
def sunionstore(c: Call, argv: list[bytes]) -> Reply:
    result = Set()
    result.take_all(union(sets_at(c, argv[2:])), c.server.encodings)
    return store(c, argv[1], result, SUNIONSTORE)


@command("SDIFFSTORE", arity=-3, flags=WRITE | DENYOOM, keys=stored_at(OW, UPDATE), acl=SET)
def sdiffstore(c: Call, argv: list[bytes]) -> Reply:
    return store(c, argv[1], difference(sets_at(c, argv[2:]), c.server.encodings), SDIFFSTORE)


# --- what they have in common


def sets_at(c: Call, keys: list[bytes]) -> list[Set | None]:
    """Each of ``keys``, None where there is none; WRONGTYPE."""
    c.counting = True
    found = [c.read(key, Set) for key in keys]
    c.counting = False
    return found


def by_size(sets: list[Set | None]) -> list[Set]:
    """From the smallest to the largest; none at all if one of ``sets`` is missing, for nothing is in that one."""
    there = [value for value in sets if value is not None]
    if len(there) < len(sets):
        return []
    there.sort(key=length_of)
    return there


def length_of(value: Set) -> int:
    return value.length


def intersection(sets: list[Set], limit: int = 0) -> list[bytes]:
    """The members that all have in common, ``limit`` of them if it is not 0; the smallest of ``sets`` comes first."""
    found: list[bytes] = []
    if not sets:
        return found
    others = sets[1:]
    for member in sets[0].members():
        if in_all(others, member):
            found.append(member)
            if len(found) == limit:
                break
    return found


def in_all(sets: list[Set], member: bytes) -> bool:
    return all(value.holds(member) for value in sets)


def union(sets: list[Set | None]) -> list[bytes]:
    there = [value for value in sets if value is not None]
    if not there:
        return []
    members = there[0].members()
    if len(there) == 1:
        return members
    found = set(members)
    for other in there[1:]:
        found.update(other.members())
    return list(found)


def difference(sets: list[Set | None], limits: EncodingLimits) -> Set:
    """The members of the first that no other has.

    Redis looks each member of the first up in the others, or takes the members of the others away from a copy of the
    first, whichever is less work; the form of what is left tells which it was.
    """
    result = Set()
    source = sets[0]
    if source is None or source in sets[1:]:
        return result
    others = [value for value in sets[1:] if value is not None]
    members = source.members()
    total = source.length
    for other in others:
        total += other.length
    if source.length * (len(others) + 1) // 2 <= total:
        for other in others:
            members = [member for member in members if not other.holds(member)]
        result.take_all(members, limits)
        return result
    result.take_all(members, limits)
    for other in others:
        for member in other.members():
            result.remove(member)
    return result


def all_integers(members: list[bytes]) -> bool:
    return all(integer_or_none(member) is not None for member in members)


def store(c: Call, key: bytes, result: Set, event: bytes) -> int:
    """``key`` becomes ``result``, whatever it was; if that has no members the key is deleted."""
    if result.length:
        c.store(key, result, event)
    else:
        c.delete(key)
    return result.length
