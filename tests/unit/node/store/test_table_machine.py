"""Whatever is done to a table, it holds what a dictionary holds."""

from types import ModuleType
from typing import Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from gossamer.node.store.plain import KEEP, NEVER, Clock, Table, Value
from tests.unit.node.store.walks import contents, walk

KEYS: Final = st.one_of(
    st.integers(0, 50).map(lambda number: b"k%d" % number),
    st.integers(0, 4).map(lambda number: bytes([number]) * 300),
)
VALUES: Final = st.one_of(
    st.sampled_from([0, 1, 7, 8, 64, 447, 448, 449, 5000]).map(lambda size: b"v" * size),
    st.lists(st.binary(max_size=3), max_size=3),
)
TIMES: Final = st.sampled_from([NEVER, NEVER, 0, 1, 1 << 62])
SECONDS: Final = st.integers(1, 1 << 30)


class TableMachine(RuleBasedStateMachine):
    def __init__(self, store: ModuleType) -> None:
        super().__init__()
        self.table: Table = store.Table()
        self.model: dict[bytes, tuple[Value, int]] = {}
        self.stamps: dict[bytes, int] = {}
        """Of the keys that are there, and of some that were."""
        self.clock: Clock = store.Clock()

    @rule(key=KEYS, value=VALUES, at=TIMES)
    def put(self, key: bytes, value: Value, at: int) -> None:
        old = self.model.get(key, (None, NEVER))[0]
        told = self.table.put(key, value, at, self.clock)
        assert told == (len(old) if isinstance(old, bytes) else old)
        self.model[key] = value, at
        self.stamps[key] = self.clock.fresh()

    @rule(key=KEYS, value=VALUES)
    def put_and_keep(self, key: bytes, value: Value) -> None:
        self.table.put(key, value, KEEP, self.clock)
        if key not in self.model:
            self.stamps[key] = self.clock.fresh()
        self.model[key] = value, self.model.get(key, (None, NEVER))[1]

    @rule(key=KEYS, now=SECONDS)
    def use(self, key: bytes, now: int) -> None:
        self.clock.tick(now)
        assert self.table.use(key, self.clock) == self.model.get(key, (None, NEVER))[0]
        if key in self.model:
            self.stamps[key] = self.clock.fresh()

    @rule(key=KEYS, stamp=st.integers(0, (1 << 24) - 1))
    def set_stamp(self, key: bytes, stamp: int) -> None:
        assert self.table.set_stamp(key, stamp) == (key in self.model)
        self.stamps[key] = stamp

    @rule(number=st.integers(0, (1 << 64) - 1), count=st.integers(0, 200), expiring=st.booleans())
    def sample(self, number: int, count: int, expiring: bool) -> None:
        found = self.table.sample(number, count, expiring)
        among = {key for key, (_, at) in self.model.items() if not expiring or at >= 0}
        assert len(found) == len({key for key, _, _ in found}) == min(count, len(among))
        for key, stamp, at in found:
            assert key in among
            assert (stamp, at) == (self.stamps[key], self.model[key][1])

    @rule(first=st.integers(0, 100_000), count=st.integers(1, 700), value=VALUES, at=TIMES)
    def put_many(self, first: int, count: int, value: Value, at: int) -> None:
        for number in range(first, first + count):
            self.put(b"%d" % number, value, at)

    @rule(key=KEYS)
    def remove(self, key: bytes) -> None:
        assert self.table.remove(key) == self.model.pop(key, (None, NEVER))[0]

    @rule(step=st.integers(1, 10), left=st.integers(0, 9))
    def remove_many(self, step: int, left: int) -> None:
        for number, key in enumerate(sorted(self.model)):
            if number % step == left % step:
                self.remove(key)

    @rule(key=KEYS, at=TIMES)
    def set_expire(self, key: bytes, at: int) -> None:
        assert self.table.set_expire(key, at) == (key in self.model)
        if key in self.model:
            self.model[key] = self.model[key][0], at

    @rule(count=st.integers(0, 500))
    def drop(self, count: int) -> None:
        objects = self.table.drop(count)
        left = set(walk(self.table.keys, 100))
        gone = self.model.keys() - left
        assert left <= self.model.keys()
        assert len(gone) == min(count, len(self.model))
        values = [self.model.pop(key)[0] for key in gone]
        assert sorted(map(repr, objects)) == sorted(repr(value) for value in values if not isinstance(value, bytes))

    @rule(number=st.integers(0, (1 << 64) - 1))
    def random(self, number: int) -> None:
        key = self.table.random(number)
        assert key in self.model if self.model else key is None

    @rule(key=KEYS)
    def look_up(self, key: bytes) -> None:
        value, at = self.model.get(key, (None, NEVER))
        assert (self.table.get(key), self.table.expire(key), key in self.table) == (value, at, key in self.model)

    @rule()
    def read_all(self) -> None:
        assert contents(self.table) == self.model
        assert all(self.table.stamp(key) == self.stamps[key] for key in self.model)

    @invariant()
    def counts_agree(self) -> None:
        assert len(self.table) == len(self.model)
        assert self.table.expiring == sum(at >= 0 for _, at in self.model.values())

    def teardown(self) -> None:
        self.read_all()


def test_a_table_is_a_dictionary(store: ModuleType) -> None:
    class Machine(TableMachine):
        def __init__(self) -> None:
            super().__init__(store)

    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    chosen = settings(max_examples=40, stateful_step_count=40, suppress_health_check=slow)
    run_state_machine_as_test(Machine, settings=chosen)
