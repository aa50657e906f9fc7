"""A set as Redis 7.2 has it (t_set.c), in one of three forms, which OBJECT ENCODING tells.

``INTSET``: integers in order. ``LISTPACK``: a pack of members. ``HASHTABLE``: buckets. A set changes its form when a
member is added that the form cannot hold or that is one too many, and never goes back.
"""

from random import Random
from typing import Final

from mypy_extensions import mypyc_attr

from gossamer.node.types.integers import integer_or_none
from gossamer.node.types.kind import DONE, HEADER, Kind, Value
from gossamer.node.types.limits import EncodingLimits
from gossamer.node.types.sets import integers, pack
from gossamer.node.types.sets.buckets import BUCKET, Buckets
from gossamer.node.types.sets.pack import Pack

INTSET: Final = 0
LISTPACK: Final = 1
HASHTABLE: Final = 2
OBJECT: Final = 48 + HEADER + 8
"""Bytes of a set and of what it holds, beside the members."""
NO_LIMIT: Final = 1 << 60
ENCODINGS: Final = (b"intset", b"listpack", b"hashtable")


@mypyc_attr(acyclic=True)
class Set:
    """A new one is an ``INTSET`` without members. Whatever may need another form is given the limits of the forms."""

    def __init__(self) -> None:
        self.form: int = INTSET
        self.held: Pack | Buckets = b""
        self.length: int = 0

    # --- one member

    def holds(self, member: bytes) -> bool:
        held = self.held
        if isinstance(held, Buckets):
            return held.holds(member)
        if self.form == LISTPACK:
            return pack.holds(held, member)
        assert isinstance(held, bytes)
        number = integer_or_none(member)
        return number is not None and integers.find(held, number) >= 0

    def add(self, member: bytes, limits: EncodingLimits) -> bool:
        """False if it was there."""
        held = self.held
        if isinstance(held, Buckets):
            added = held.add(member)
        elif self.form == LISTPACK:
            added = self._add_to_pack(held, member, limits)
        else:
            assert isinstance(held, bytes)
            added = self._add_to_integers(held, member, limits)
        self.length += added
        return added

    def remove(self, member: bytes) -> bool:
        """False if it was not there."""
        held = self.held
        if isinstance(held, Buckets):
            removed = held.remove(member)
        elif self.form == LISTPACK:
            self.held = pack.minus(held, member)
            removed = self.held is not held
        else:
            assert isinstance(held, bytes)
            number = integer_or_none(member)
            place = -1 if number is None else integers.find(held, number)
            removed = place >= 0
            if removed:
                self.held = integers.cut(held, place)
        self.length -= removed
        return removed

    def draw(self, rng: Random) -> bytes:
        """A member by chance, all with the same."""
        held = self.held
        if isinstance(held, Buckets):
            return held.draw(rng)
        return self._nth(held, int(rng.random() * self.length))

    def pop(self, rng: Random) -> bytes:
        """As ``draw``, and remove it."""
        held = self.held
        if isinstance(held, Buckets):
            member = held.pop(rng)
        else:
            place = int(rng.random() * self.length)
            member = self._nth(held, place)
            self.held = self._cut(held, place)
        self.length -= 1
        return member

    # --- all members

    def members(self) -> list[bytes]:
        held = self.held
        if isinstance(held, Buckets):
            return held.members()
        if self.form == LISTPACK:
            return pack.members_of(held)
        assert isinstance(held, bytes)
        return integers.texts(held)

    def step(self, at: int) -> tuple[list[bytes], int]:
        """The next members from position ``at`` on (``types/kind.py``); and the next position."""
        held = self.held
        return held.step(at) if isinstance(held, Buckets) else (self.members(), DONE)

    def scan(self, cursor: int, most: int) -> tuple[int, list[bytes]]:
        """Some members from ``cursor`` on, and the next cursor, 0 after the last; of the small forms, all."""
        held = self.held
        return held.scan(cursor, most) if isinstance(held, Buckets) else (0, self.members())

    def add_all(self, members: list[bytes], limits: EncodingLimits) -> int:
        """How many were not there. A set takes the form for as many as ``members`` before it looks at them."""
        if self.length == 0:
            self._begin_with(members[0], len(members), limits)
        elif len(members) > self._most(limits) and not all(self.holds(member) for member in members):
            self._to_hashtable()
        added = 0
        for member in members:
            added += self.add(member, limits)
        return added

    def take_all(self, members: list[bytes], limits: EncodingLimits) -> None:
        """Add ``members``, which are all different, to a set without any."""
        assert self.length == 0
        if len(members) > max(limits.set_max_intset_entries, limits.set_max_listpack_entries):
            self._hold(HASHTABLE, Buckets(members), len(members))
        else:
            for member in members:
                self.add(member, limits)

    def keep(self, count: int, rng: Random, limits: EncodingLimits) -> list[bytes]:
        """Only ``count`` members, by chance, remain, in the form that they would have as a new set; the others."""
        kept = [self.pop(rng) for _ in range(count)]
        others = self.members()
        self._hold(INTSET if self.form == INTSET else LISTPACK, b"", 0)
        self.take_all(kept, limits)
        return others

    def copy(self) -> "Set":
        """Another one with the same members in the same form."""
        other = Set()
        held = self.held
        other.form = self.form
        other.held = held.copy() if isinstance(held, Buckets) else held
        other.length = self.length
        return other

    def free(self, most: int) -> int:
        """Let go of about ``most`` members; how many are left. It is of no other use afterwards."""
        held = self.held
        if isinstance(held, Buckets):
            held.free(most)
            self.length = held.count
        else:
            self.held, self.length = b"", 0
        return self.length

    def size(self) -> int:
        """Bytes that it takes, about."""
        held = self.held
        if isinstance(held, Buckets):
            return OBJECT + held.bytes + BUCKET * len(held.packs)
        return OBJECT + (len(held) if isinstance(held, bytes) else pack.size_of(held))

    # --- forms

    def begin_as(self, form: int) -> None:
        """A set without members, which has this form from now on."""
        assert self.length == 0
        self._hold(form, Buckets([]) if form == HASHTABLE else b"", 0)

    def fill(self, members: list[bytes]) -> None:
        """All ``members``, which are different and of the present form, of a set without any."""
        assert self.length == 0
        if self.form == HASHTABLE:
            self._hold(HASHTABLE, Buckets(members), len(members))
        elif self.form == LISTPACK:
            self._hold(LISTPACK, pack.pack_of(members), len(members))
        else:
            self._hold(INTSET, integers.pack([int(member) for member in members]), len(members))

    def to_intset(self) -> None:
        """All members are integers, and are held as such from now on."""
        if self.form != INTSET:
            numbers = [int(member) for member in self.members()]
            numbers.sort()
            self._hold(INTSET, integers.pack(numbers), len(numbers))

    def _begin_with(self, first: bytes, count: int, limits: EncodingLimits) -> None:
        """A set without members takes the form for about ``count`` of them, the first of which is ``first``."""
        if count <= limits.set_max_intset_entries and integer_or_none(first) is not None:
            self.begin_as(INTSET)
        else:
            self.begin_as(LISTPACK if count <= limits.set_max_listpack_entries else HASHTABLE)

    def _most(self, limits: EncodingLimits) -> int:
        """Members that the present form can hold."""
        if self.form == HASHTABLE:
            return NO_LIMIT
        return limits.set_max_intset_entries if self.form == INTSET else limits.set_max_listpack_entries

    def _hold(self, form: int, held: Pack | Buckets, length: int) -> None:
        self.form = form
        self.held = held
        self.length = length

    def _add_to_integers(self, held: bytes, member: bytes, limits: EncodingLimits) -> bool:
        number = integer_or_none(member)
        if number is None:
            self._leave_integers(held, member, limits)
            return True
        if integers.find(held, number) >= 0:
            return False
        self.held = integers.plus(held, number)
        if self.length >= limits.set_max_intset_entries:
            self._to_hashtable()
        return True

    def _leave_integers(self, held: bytes, member: bytes, limits: EncodingLimits) -> None:
        """Add ``member``, which is no integer."""
        longest = len(member)
        if held:
            longest = max(longest, len(b"%d" % integers.nth(held, 0)), len(b"%d" % integers.nth(held, self.length - 1)))
        if self.length < limits.set_max_listpack_entries and longest <= limits.set_max_listpack_value:
            self.held = pack.plus(pack.pack_of(integers.texts(held)), member)
            self.form = LISTPACK
        else:
            self._to_hashtable(member)

    def _add_to_pack(self, held: Pack, member: bytes, limits: EncodingLimits) -> bool:
        if pack.holds(held, member):
            return False
        if self.length < limits.set_max_listpack_entries and len(member) <= limits.set_max_listpack_value:
            self.held = pack.plus(held, member)
        else:
            self._to_hashtable(member)
        return True

    def _to_hashtable(self, more: bytes | None = None) -> None:
        members = self.members()
        if more is not None:
            members.append(more)
        self.held = Buckets(members)
        self.form = HASHTABLE

    def _nth(self, held: Pack, place: int) -> bytes:
        if self.form == LISTPACK:
            return pack.nth(held, place)
        assert isinstance(held, bytes)
        return b"%d" % integers.nth(held, place)

    def _cut(self, held: Pack, place: int) -> Pack:
        if self.form == LISTPACK:
            return pack.cut(held, place)
        assert isinstance(held, bytes)
        return integers.cut(held, place)


class SetKind(Kind):
    def encoding(self, value: Value) -> bytes:
        assert isinstance(value, Set)
        return ENCODINGS[value.form]

    def size(self, value: Value) -> int:
        assert isinstance(value, Set)
        return value.size()

    def length(self, value: Value) -> int:
        assert isinstance(value, Set)
        return value.length

    def effort(self, value: Value) -> int:
        assert isinstance(value, Set)
        return value.length if value.form == HASHTABLE else 1

    def copy(self, value: Value) -> Value:
        assert isinstance(value, Set)
        return value.copy()

    def free(self, value: Value, most: int) -> int:
        assert isinstance(value, Set)
        return value.free(most)


SET: Final = SetKind(b"set")
