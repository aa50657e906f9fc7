"""Hashes do what a plain dictionary does, small and large, whatever copies are taken of them."""

import random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gossamer.node.types.hashes.draw import Draw
from gossamer.node.types.hashes.expiring import END_SIZE
from gossamer.node.types.hashes.fields import FILL
from gossamer.node.types.hashes.hash import Hash, hash_of
from gossamer.node.types.hashes.kind import HASH
from gossamer.node.types.hashes.packed import find_searching, find_walking, pack
from gossamer.node.types.hashes.shard import cost, pairs_in
from gossamer.node.types.kind import DONE, NEVER, STEP
from gossamer.node.types.limits import EncodingLimits

NAMES = st.one_of(
    st.integers(0, 400).map(lambda n: b"%d" % n), st.binary(max_size=4), st.sampled_from([b"x" * 70, b"y" * 300])
)
VALUES = st.one_of(st.binary(max_size=9), st.sampled_from([b"v" * 65, b"v" * 256]))


def limits(entries: int = 512, longest: int = 64) -> EncodingLimits:
    made = EncodingLimits()
    made.hash_max_listpack_entries, made.hash_max_listpack_value = entries, longest
    return made


class Fields(RuleBasedStateMachine):
    """``now`` is 1000: ends before that are over."""

    def __init__(self) -> None:
        super().__init__()
        self.limits = limits(8, 64)
        self.hash = Hash()
        self.model: dict[bytes, bytes] = {}
        self.ends: dict[bytes, int] = {}
        self.copies: list[tuple[Hash, dict[bytes, bytes], dict[bytes, int]]] = []

    @rule(names=st.lists(NAMES, max_size=300), value=VALUES)
    def put(self, names: list[bytes], value: bytes) -> None:
        for name in names:
            assert self.hash.put(name, value, self.limits) == (name not in self.model)
            self.model[name] = value

    @rule(names=st.lists(NAMES, max_size=300))
    def remove(self, names: list[bytes]) -> None:
        for name in names:
            assert self.hash.remove(name) == (self.model.pop(name, None) is not None)
            self.ends.pop(name, None)

    @rule(data=st.data(), at=st.integers(900, 1100))
    def set_end(self, data: st.DataObject, at: int) -> None:
        for name in list(self.model)[: data.draw(st.integers(0, 200))]:
            self.hash.set_end(name, at)
            self.ends[name] = at

    @rule(name=NAMES)
    def persist(self, name: bytes) -> None:
        assert self.hash.persist(name) == (self.ends.pop(name, None) is not None)

    @rule(most=st.integers(1, 50))
    def expire(self, most: int) -> None:
        gone = HASH.expire(self.hash, 1000, most)
        over = {name for name, at in self.ends.items() if at < 1000}
        assert set(gone) <= over
        assert len(set(gone)) == len(gone) >= min(most, len(over))
        for name in gone:
            del self.model[name], self.ends[name]

    @rule()
    def copy(self) -> None:
        self.copies.append((self.hash.copy(), dict(self.model), dict(self.ends)))
        if len(self.copies) > 3:
            self.hash, self.model, self.ends = self.copies.pop(0)

    @invariant()
    def all_is_as_it_should_be(self) -> None:
        for value, model, ends in [*self.copies, (self.hash, self.model, self.ends)]:
            assert value.length == len(model)
            assert as_dict(value.all_pairs()) == model
            assert as_dict(value.all_pairs(1000)) == {
                name: text for name, text in model.items() if not 0 <= ends.get(name, NEVER) < 1000
            }
            assert all(value.end(name) == ends.get(name, NEVER) for name in model)
            assert value.expires == bool(ends)
            assert not ends or 0 <= HASH.soonest(value) <= min(ends.values())
            for name in list(model)[:5]:
                over = 0 <= ends.get(name, NEVER) < 1000
                assert value.get(name, 1000) == (None if over else model[name])
            assert HASH.size(value) >= sum(len(name) + len(text) for name, text in model.items())
            fields = value.fields
            if fields is not None:
                assert fields.bytes == sum(map(cost, fields.shards)) + END_SIZE * fields.expiring
                assert fields.counts == [pairs_in(shard) for shard in fields.shards]
                assert max(fields.counts) <= fields.widest


TestFields = Fields.TestCase
TestFields.settings = settings(max_examples=40, stateful_step_count=25)


def as_dict(texts: list[bytes]) -> dict[bytes, bytes]:
    found = dict(zip(texts[::2], texts[1::2], strict=True))
    assert len(found) * 2 == len(texts)
    return found


def large(count: int) -> Hash:
    made = Hash()
    for at in range(count):
        made.put(b"field:%d" % at, b"%d" % at, limits())
    return made


def test_the_two_ways_to_search_find_the_same() -> None:
    rng = random.Random(1)
    for _ in range(300):
        texts = [bytes(rng.choices(b"\x00\x01\x02a", k=rng.randrange(4))) for _ in range(2 * rng.randrange(12))]
        packed = pack(texts)
        for field in (b"", b"\x01", b"a", b"\x02\x01", b"\x01\x01a"):
            found: int = find_walking(packed, field)
            assert found == find_searching(packed, field)


def test_a_small_hash_is_large_where_the_limits_say_and_never_small_again() -> None:
    value = Hash()
    for at in range(512):
        value.put(b"%d" % at, b"x" * 64, limits())
        assert HASH.encoding(value) == b"listpack"
    value.put(b"one more", b"", limits())
    assert HASH.encoding(value) == b"hashtable"
    for at in range(512):
        value.remove(b"%d" % at)
    assert (value.length, HASH.encoding(value)) == (1, b"hashtable")


@pytest.mark.parametrize(("entries", "longest"), [(10_000, 64), (512, 10_000)])
def test_limits_above_the_packed_form_are_obeyed_too(entries: int, longest: int) -> None:
    value = Hash()
    for at in range(600):
        value.put(b"%d" % at, b"", limits(entries, longest))
        assert HASH.encoding(value) == (b"listpack" if at < entries else b"hashtable")
    value.put(b"long", b"x" * longest, limits(entries, longest))
    assert HASH.encoding(value) == (b"listpack" if entries > 600 else b"hashtable")
    value.put(b"long", b"x" * (longest + 1), limits(entries, longest))
    assert HASH.encoding(value) == b"hashtable"


def test_a_field_twice_makes_no_hash() -> None:
    assert hash_of([b"a", b"1", b"a", b"2"], limits()) is None
    assert hash_of([b"a", b"1", b"a", b"2" * 300], limits()) is None
    assert hash_of([], limits()) is None


def test_a_walk_returns_what_is_there_all_the_time_while_the_hash_grows_and_shrinks() -> None:
    rng = random.Random(7)
    for count in (1, 10, 1000):
        value, cursor = large(5000), 0
        seen: set[bytes] = set()
        calls = 0
        while True:
            cursor, texts = value.scan(cursor, count)
            seen |= set(texts[::2])
            calls += 1
            if cursor == 0:
                break
            for _ in range(5 if calls < 2000 else 0):
                value.put(b"new:%d" % rng.randrange(30_000), b"", limits())
            if calls == 30:
                for at in range(300, 5000):
                    value.remove(b"field:%d" % at)
        assert {b"field:%d" % at for at in range(300)} <= seen


def test_a_walk_of_a_hash_that_stays_returns_each_field_once_and_about_as_many_as_asked_for() -> None:
    value, cursor = large(5000), 0
    seen: list[bytes] = []
    while True:
        cursor, texts = value.scan(cursor, 100)
        assert len(texts) // 2 < 100 + 4 * FILL
        seen += texts[::2]
        if cursor == 0:
            break
    assert len(seen) == len(set(seen)) == 5000


def test_steps_are_small_and_a_copy_shares_what_nobody_changes() -> None:
    value = large(20_000)
    other = value.copy()
    assert value.fields is not None
    assert other.fields is not None
    value.put(b"field:1", b"changed", limits())
    shared = [one is another for one, another in zip(value.fields.shards, other.fields.shards, strict=True)]
    assert shared.count(False) == 1
    at, sizes = 0, []
    while at != DONE:
        texts, at = other.pairs(at)
        sizes.append(len(texts) // 2)
    assert sum(sizes) == 20_000
    assert max(sizes) <= STEP
    assert max(value.fields.counts) < 4 * FILL


def test_it_is_freed_in_pieces() -> None:
    value, steps = large(20_000), 0
    while HASH.free(value, 1000):
        steps += 1
    assert 15 < steps <= 20


@pytest.mark.parametrize("count", [20, 2000])
def test_each_field_is_drawn_with_the_same_chance(count: int) -> None:
    value = large(count)
    for at in range(0, count, 2):
        value.set_end(b"field:%d" % at, 500)
    drawn = Draw(value, random.Random(3), 1000).times(count * 50)
    hits = [drawn.count(b"field:%d" % at) for at in range(min(count, 40))]
    assert not any(hits[::2])
    assert all(50 < hit < 160 for hit in hits[1::2])


def test_different_fields_are_drawn_as_many_as_there_are() -> None:
    value, rng = large(3000), random.Random(3)
    for count in (1, 500, 2999, 3000, 9999):
        drawn = Draw(value, rng, 0).different(count)
        assert len(drawn) == len(set(drawn)) == min(count, 3000)


def test_nothing_is_drawn_where_all_is_over() -> None:
    value = large(3)
    for at in range(3):
        value.set_end(b"field:%d" % at, 1)
    draw = Draw(value, random.Random(3), 1000)
    assert draw.times(2) == draw.different(2) == []
