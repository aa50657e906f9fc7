"""Sets in RDB: their members one by one, or, of small ones, an intset or a listpack in one string.

What is read takes the form that Redis 7.2 gives it (rdb.c, rdbLoadObject): one container keeps its form as long as the
number of its elements is not over the limit.
"""

from typing import Final

from gossamer.node.persist.codes import REDIS_11, RdbError
from gossamer.node.persist.form import Elements, Style
from gossamer.node.persist.packed import intset, listpack
from gossamer.node.persist.primitives import put_length, put_string, put_strings
from gossamer.node.persist.source import Source
from gossamer.node.types.integers import integer_or_none
from gossamer.node.types.kind import DONE, Value
from gossamer.node.types.limits import EncodingLimits
from gossamer.node.types.sets import set as form
from gossamer.node.types.sets.set import Set

MEMBERS: Final = 2
INTSET: Final = 11
LISTPACK: Final = 20

MOST_AT_ONCE: Final = 128
"""Members that are read in one go."""


class SetElements(Elements):
    def read_some(self, source: Source, most: int) -> int:
        value, members = self.value, source.groups(1, most)
        assert isinstance(value, Set)
        for member in members:
            if not value.add(member, source.limits):
                raise RdbError("a set with the same member twice")
        return len(members)


def read(source: Source) -> Value | Elements:
    count = source.length()
    if count == 0:
        raise RdbError("a set without members")
    if count <= MOST_AT_ONCE:
        return made(source.strings(count), source.limits)
    value = Set()
    if count > source.limits.set_max_intset_entries:
        value.begin_as(form.HASHTABLE)
    return SetElements(value, count)


def made(members: list[bytes], limits: EncodingLimits) -> Set:
    """The set of a few ``members``, as if they had been added one by one."""
    value = Set()
    short = max([len(member) for member in members]) <= limits.set_max_listpack_value
    if len(set(members)) < len(members):
        raise RdbError("a set with the same member twice")
    if len(members) <= limits.set_max_listpack_entries and short and integer_or_none(members[0]) is None:
        value.begin_as(form.LISTPACK)
        value.fill(members)
        return value
    if len(members) > limits.set_max_intset_entries:
        value.begin_as(form.HASHTABLE)
    for member in members:
        value.add(member, limits)
    return value


def read_intset(source: Source) -> Value:
    numbers = intset.decode(source.string())
    if not numbers:
        raise RdbError("a set without members")
    value = Set()
    if len(numbers) > source.limits.set_max_intset_entries:
        value.begin_as(form.HASHTABLE)
    value.fill([b"%d" % number for number in numbers])
    return value


def read_listpack(source: Source) -> Value:
    members = listpack.decode(source.string())
    if not members:
        raise RdbError("a set without members")
    if len(set(members)) < len(members):
        raise RdbError("a set with the same member twice")
    value = Set()
    value.begin_as(form.LISTPACK if len(members) <= source.limits.set_max_listpack_entries else form.HASHTABLE)
    value.fill(members)
    return value


def write(out: bytearray, key: bytes | bytearray, value: Value, style: Style, at: int) -> int:
    assert isinstance(value, Set)
    if value.form == form.INTSET:
        out.append(INTSET)
        out += key
        put_string(out, intset.encode([int(member) for member in value.members()]), style.compress)
        return DONE
    if value.form == form.LISTPACK and style.format.version >= REDIS_11.version:
        out.append(LISTPACK)
        out += key
        put_string(out, listpack.encode(value.members()), style.compress)
        return DONE
    if at == 0:
        out.append(MEMBERS)
        out += key
        put_length(out, value.length)
    members, at = value.step(at)
    put_strings(out, members, style.compress)
    return at
