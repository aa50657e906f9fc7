"""When keys are used: both clocks count as Redis does, and as each other."""

from collections import Counter
from random import Random
from types import ModuleType

import pytest

from gossamer.node.store import plain
from gossamer.node.store.plain import KEEP, NEVER, Clock, Table

HALF_A_YEAR = 1 << 24


@pytest.fixture
def clock(store: ModuleType) -> Clock:
    clock: Clock = store.Clock(1)
    return clock


def test_seconds_since_the_last_use(clock: Clock) -> None:
    clock.tick(1000)
    stamp = clock.fresh()
    clock.tick(1030)
    assert clock.idle(stamp) == 30
    assert clock.idle(clock.used(stamp)) == 0


def test_the_clock_goes_round_in_half_a_year(clock: Clock) -> None:
    clock.tick(7 * HALF_A_YEAR - 10)
    stamp = clock.fresh()
    clock.tick(7 * HALF_A_YEAR + 20)
    assert clock.idle(stamp) == 29, "one second is lost, as in Redis"


def test_a_frequency_decays(clock: Clock) -> None:
    clock.choose(True, 10, 2)
    clock.tick(60 * 100)
    stamp = clock.fresh()
    assert clock.lfu
    assert clock.frequency(stamp) == 5
    clock.tick(60 * 103 + 59)
    assert clock.frequency(stamp) == 4
    clock.tick(60 * 120)
    assert clock.frequency(stamp) == 0
    clock.choose(True, 10, 0)
    assert clock.frequency(stamp) == 5


@pytest.mark.parametrize(
    ("factor", "uses", "least", "most"), [(0, 300, 255, 255), (10, 1000, 12, 24), (100, 1000, 6, 13)]
)
def test_a_frequency_grows_as_a_logarithm(clock: Clock, factor: int, uses: int, least: int, most: int) -> None:
    """The bounds lie around what redis.conf tells of 1000 hits: 18 and 11."""
    clock.choose(True, factor, 1)
    stamp = clock.fresh()
    for _ in range(uses):
        stamp = clock.used(stamp)
    assert least <= clock.frequency(stamp) <= most


def test_both_clocks_tell_the_same(native: ModuleType) -> None:
    rng = Random(4)
    one, other = plain.Clock(9), native.Clock(9)
    stamp = 0
    for _ in range(3000):
        for clock in (one, other):
            state = rng.getstate()
            clock.tick(rng.randrange(1 << 34))
            if rng.random() < 0.1:
                clock.choose(rng.random() < 0.8, rng.choice((0, 1, 10, 1 << 31 - 1)), rng.choice((0, 1, 60)))
            if clock is one:
                rng.setstate(state)
        told = [(c.lfu, c.fresh(), c.idle(stamp), c.frequency(stamp), c.used(stamp)) for c in (one, other)]
        assert told[0] == told[1]
        stamp = told[0][-1]


def test_a_use_is_noted_and_a_look_is_not(store: ModuleType, table: Table, clock: Clock) -> None:
    clock.tick(100)
    assert table.use(b"k", clock) is None
    assert table.stamp(b"k") == -1
    assert not table.set_stamp(b"k", 7)
    for value in (b"v", b"v" * 500, [b"a"]):
        clock.tick(100)
        table.put(b"k", value, NEVER, clock)
        clock.tick(110)
        assert table.get(b"k") == value
        assert table.stamp(b"k") == 100
        assert table.use(b"k", clock) == value
        assert table.stamp(b"k") == 110
        clock.tick(120)
        table.put(b"k", value, KEEP, clock)
        assert table.stamp(b"k") == 110
        table.put(b"k", b"w", 5, clock)
        assert table.stamp(b"k") == 120
        clock.tick(130)
        table.put(b"k", value, KEEP, clock)
        assert (table.stamp(b"k"), table.expire(b"k")) == (120, 5)
        table.set_expire(b"k", NEVER)
        assert table.set_stamp(b"k", 77)
        table.put(b"k", value, 9)
        assert table.stamp(b"k") == 77
        table.remove(b"k")


@pytest.mark.parametrize("expiring", [False, True])
def test_samples_are_of_all_keys_alike(store: ModuleType, expiring: bool) -> None:
    table: Table = store.Table()
    for number in range(300):
        table.put(b"%d" % number, b"v", 1000 + number if number % 3 == 0 else NEVER)
        table.set_stamp(b"%d" % number, number)
    wanted = {number for number in range(300) if not expiring or number % 3 == 0}
    rng = Random(6)
    seen: Counter[int] = Counter()
    for _ in range(4000):
        sample = table.sample(rng.getrandbits(64), 5, expiring)
        assert len({key for key, _, _ in sample}) == 5
        for key, stamp, at in sample:
            assert key == b"%d" % stamp
            assert at == (1000 + stamp if stamp % 3 == 0 else NEVER)
            seen[stamp] += 1
    assert set(seen) == wanted
    assert len(table.sample(7, 10_000, expiring)) == len(wanted)
    assert table.sample(7, 0, expiring) == []


def test_there_may_be_nothing_to_sample(table: Table) -> None:
    assert table.sample(5, 5, False) == []
    table.put(b"k", b"v")
    assert table.sample(5, 5, True) == []
    assert table.sample((1 << 64) - 1, 5, False) == [(b"k", 0, NEVER)]


def test_only_a_clock_is_a_clock(native: ModuleType) -> None:
    table = native.Table()
    for wrong in (None, 5, plain.Clock()):
        with pytest.raises(TypeError):
            table.use(b"k", wrong)
        with pytest.raises(TypeError):
            table.put(b"k", b"v", NEVER, wrong)
    for words in ((b"k",), (), (b"k", 1, 2)):
        with pytest.raises(TypeError):
            table.set_stamp(*words)
        with pytest.raises(TypeError):
            table.use(*words)
    with pytest.raises(TypeError):
        native.Clock().tick("x")
    with pytest.raises(OverflowError):
        native.Clock().idle(-1)
