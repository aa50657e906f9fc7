"""A set in any of its forms has what a plain set of Python would have, and its copies keep what they had."""

from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gossamer.node.types.kind import DONE, STEP
from gossamer.node.types.limits import EncodingLimits
from gossamer.node.types.sets.buckets import BUCKET, SPARSE
from gossamer.node.types.sets.set import HASHTABLE, INTSET, LISTPACK, SET, Set

MEMBERS = st.one_of(
    st.integers(-40, 40).map(lambda number: b"%d" % number),
    st.sampled_from([b"", b"\0", b"\1", b"\1\0", b"01", b"+1", b"-0", b"9223372036854775808"]),
    st.integers(-(2**63), 2**63 - 1).map(lambda number: b"%d" % number),
    st.binary(max_size=4),
    st.sampled_from([b"x" * size for size in (63, 64, 65, 254, 255, 256, 300)]),
)


def small_limits() -> EncodingLimits:
    limits = EncodingLimits()
    limits.set_max_intset_entries = 12
    limits.set_max_listpack_entries = 8
    return limits


def everything(value: Set) -> list[bytes]:
    """By steps."""
    found: list[bytes] = []
    at = 0
    while at != DONE:
        members, at = value.step(at)
        assert len(members) <= STEP
        found += members
    return found


class SetMachine(RuleBasedStateMachine):
    @initialize(seed=st.integers(0, 1000), small=st.booleans())
    def begin(self, seed: int, small: bool) -> None:
        self.rng = Random(seed)
        self.limits = small_limits() if small else EncodingLimits()
        self.value = Set()
        self.model: set[bytes] = set()
        self.copies: list[tuple[Set, set[bytes]]] = []

    @rule(member=MEMBERS)
    def add(self, member: bytes) -> None:
        assert self.value.add(member, self.limits) == (member not in self.model)
        self.model.add(member)

    @rule(members=st.lists(MEMBERS, min_size=1, max_size=40))
    def add_all(self, members: list[bytes]) -> None:
        assert self.value.add_all(members, self.limits) == len(set(members) - self.model)
        self.model |= set(members)

    @rule(start=st.integers(0, 300))
    def add_many(self, start: int) -> None:
        members = [b"m%d" % number for number in range(start, start + 150)]
        assert self.value.add_all(members, self.limits) == len(set(members) - self.model)
        self.model |= set(members)

    @rule(member=MEMBERS)
    def remove(self, member: bytes) -> None:
        assert self.value.remove(member) == (member in self.model)
        self.model.discard(member)

    @rule(part=st.floats(0, 1))
    def remove_some(self, part: float) -> None:
        for member in sorted(self.model)[: int(part * len(self.model))]:
            assert self.value.remove(member)
            self.model.remove(member)

    @rule(count=st.integers(1, 100))
    def pop(self, count: int) -> None:
        for _ in range(min(count, len(self.model))):
            member = self.value.pop(self.rng)
            self.model.remove(member)

    @rule(part=st.floats(0, 1))
    def keep(self, part: float) -> None:
        count = int(part * len(self.model))
        others = self.value.keep(count, self.rng, self.limits)
        assert len(others) == len(self.model) - count
        assert set(others) <= self.model
        self.model -= set(others)

    @rule()
    def copy(self) -> None:
        self.copies.append((self.value.copy(), set(self.model)))

    @rule()
    def go_on_with_a_copy(self) -> None:
        self.copies.append((self.value, set(self.model)))
        self.value = self.value.copy()

    @rule(member=MEMBERS)
    def ask(self, member: bytes) -> None:
        assert self.value.holds(member) == (member in self.model)

    @rule()
    def draw(self) -> None:
        if self.model:
            assert self.value.draw(self.rng) in self.model

    @rule(most=st.integers(1, 50))
    def scan(self, most: int) -> None:
        cursor, found = self.value.scan(0, most)
        while cursor:
            cursor, more = self.value.scan(cursor, most)
            found += more
        assert sorted(found) == sorted(self.model)

    @invariant()
    def all_is_there(self) -> None:
        for value, model in [(self.value, self.model), *self.copies]:
            assert value.length == len(model)
            assert sorted(value.members()) == sorted(everything(value)) == sorted(model)

    @invariant()
    def the_size_is_that_of_a_new_one(self) -> None:
        """What is counted with each change is what a set of the same members is counted for."""
        again = Set()
        if self.value.form != INTSET:
            again.begin_as(self.value.form)
            again.fill(self.value.members())
            assert abs(again.size() - self.value.size()) <= BUCKET * (len(self.model) // SPARSE + 1)

    @invariant()
    def the_form_holds_what_is_there(self) -> None:
        numbers = {b"%d" % number for number in map(integer_of, self.model) if number is not None}
        if self.value.form == INTSET:
            assert self.model == numbers
            assert len(self.model) <= self.limits.set_max_intset_entries
        elif self.value.form == LISTPACK:
            assert len(self.model) <= self.limits.set_max_listpack_entries
            assert all(len(member) <= self.limits.set_max_listpack_value for member in self.model)


def integer_of(member: bytes) -> int | None:
    try:
        number = int(member)
    except ValueError:
        return None
    return number if b"%d" % number == member and -(2**63) <= number < 2**63 else None


TestSetMachine = SetMachine.TestCase
TestSetMachine.settings = settings(max_examples=60, stateful_step_count=30)


def of(*members: bytes, limits: EncodingLimits | None = None) -> Set:
    value = Set()
    for member in members:
        value.add(member, limits or EncodingLimits())
    return value


@pytest.mark.parametrize(
    ("members", "form"),
    [
        ([b"%d" % number for number in range(512)], INTSET),
        ([b"%d" % number for number in range(513)], HASHTABLE),
        ([b"x%d" % number for number in range(128)], LISTPACK),
        ([b"x%d" % number for number in range(129)], HASHTABLE),
        ([b"1", b"x" * 64], LISTPACK),
        ([b"1", b"x" * 65], HASHTABLE),
        ([*(b"%d" % number for number in range(127)), b"x"], LISTPACK),
        ([*(b"%d" % number for number in range(128)), b"x"], HASHTABLE),
        ([b"01"], LISTPACK),
    ],
)
def test_the_form_changes_where_redis_changes_it(members: list[bytes], form: int) -> None:
    assert of(*members).form == form


def test_the_form_follows_the_number_of_members_given() -> None:
    limits = EncodingLimits()
    for members, form in (([b"1"] * 513, HASHTABLE), ([b"1"] * 512, INTSET), ([b"a"] * 129, HASHTABLE)):
        value = Set()
        value.add_all(members, limits)
        assert (value.form, value.length) == (form, 1)
    value = of(b"1")
    value.add_all([b"2"] * 513, limits)
    assert value.form == HASHTABLE


def test_a_form_is_never_left_for_a_smaller_one() -> None:
    value = of(*(b"%d" % number for number in range(600)))
    for number in range(599):
        value.remove(b"%d" % number)
    assert (value.form, value.members()) == (HASHTABLE, [b"599"])


def test_every_member_is_drawn_as_often_as_any_other() -> None:
    """Chi-square of 300 members in buckets, 90,000 draws: over 400 once in ten thousand such tests."""
    value = of(*(b"member:%d" % number for number in range(300)))
    rng = Random(7)
    drawn = dict.fromkeys(value.members(), 0)
    for _ in range(90_000):
        drawn[value.draw(rng)] += 1
    assert sum((count - 300) ** 2 / 300 for count in drawn.values()) < 400


def test_who_stays_is_found_by_a_scan_however_the_set_grows_and_shrinks() -> None:
    """It grows to a size: a scan of what grows faster than the scan goes on would not end."""
    rng = Random(3)
    limits = EncodingLimits()
    for turn in range(20):
        stay = {b"stay:%d" % number for number in range(300)}
        value = of(*stay, *(b"go:%d" % number for number in range(turn % 2 * 20_000)))
        cursor, found = value.scan(0, 10)
        number = 0
        while cursor:
            for _ in range(rng.randrange(1000)):
                if turn % 2:
                    value.remove(b"go:%d" % number)
                elif number < 20_000:
                    value.add(b"come:%d" % number, limits)
                number += 1
            cursor, more = value.scan(cursor, 30)
            found += more
        assert stay <= set(found)


def test_a_large_set_is_freed_in_pieces() -> None:
    value = of(*(b"member:%d" % number for number in range(5000)))
    copy = value.copy()
    left = value.length
    while left:
        before = left
        left = SET.free(value, 700)
        assert left == 0 or before - 700 <= left < before
    assert len(set(copy.members())) == 5000
