"""Random requests to two nodes in memory, of which one puts every value away after each request: no reply differs."""

import time

import pytest

from tests.compat.pair import encode
from tests.compat.walk.lapse import parts
from tests.compat.walk.sides import END, FRESH, LAST, InMemory, Requests
from tests.compat.walk.start import table
from tests.compat.walk.tables import ALWAYS, TABLES
from tests.compat.walk.walker import Walk
from tests.unit.node.vm.rig import Spilling

TYPES = [name for name in TABLES if name not in ALWAYS]
REQUESTS = 2_000
PATIENCE = 1000


class AllAway(InMemory):
    """Ours, with ``vm-max-memory 0``. ``went`` and ``came``: how many values did."""

    def __init__(self) -> None:
        self.went = self.came = 0
        super().__init__()

    def fresh(self) -> None:
        self.one = Spilling()
        self.server, self.machine, self.session = self.one.server, self.one.machine, self.one.session
        self._begin()
        self.exchange(FRESH)

    def exchange(self, requests: Requests) -> bytes:
        out = b""
        for part in parts(requests):
            self._begin()  # within a part no time passes, as on the other side
            for words in part:
                out += self._ask(encode(words))
        out += self._ask(LAST)
        assert out.endswith(END)
        return out[: -len(END)]

    def _ask(self, data: bytes) -> bytes:
        more = self.session.feed(data)
        while more:
            more = self.session.resume()
        for _ in range(PATIENCE):
            self.machine.drain()
            self.machine.work()
            if not self.session.blocked:
                break
            self._begin()
            time.sleep(0)
        self.machine.drain()
        vm = self.one.vm
        assert vm.fetches is not None
        self.went += vm.put_away
        self.came += vm.fetches.done + self.server.changes.fetched
        vm.put_away = vm.fetches.done = self.server.changes.fetched = vm.resting_until_ms = 0
        return self.session.take_output()


@pytest.mark.parametrize("types", [[name] for name in TYPES] + [TYPES], ids="-".join)
def test_a_walk_finds_no_difference(types: list[str]) -> None:
    plain, ours = InMemory(), AllAway()
    walk = Walk(plain, ours, "none", table(plain, ours, types), seed=3)
    walk.run(REQUESTS, digest_every=200)
    assert not walk.faults, "".join(f"\n\n{fault.kind}\n{fault}" for fault in walk.faults)
    assert ours.went > REQUESTS // 10
    assert ours.came > REQUESTS // 40
