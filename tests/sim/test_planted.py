"""An element that is lost or doubled on its way between two nodes is found, whatever it is an element of.

What makes a value again elsewhere (RDB for MIGRATE and full syncs, commands for atomic migrations) is told to do it
badly; the runs are those of test_moving.py, test_migrating.py and test_writes.py.
"""

from collections.abc import Callable

import pytest

from gossamer.node.engine.stream.as_commands import WORDS
from gossamer.node.persist.form import Style, Writer
from gossamer.node.persist.values import WRITERS
from gossamer.node.resp.requests import encoded
from gossamer.node.types.hashes.kind import HASH
from gossamer.node.types.kind import Kind, Value
from gossamer.node.types.lists.kind import LIST
from gossamer.node.types.sets.set import SET
from gossamer.node.types.zsets.zset import ZSET
from tests.sim.elements import FAITHFUL
from tests.sim.migrating import MigrateRun
from tests.sim.moving import MoveRun
from tests.sim.planted import finds_fault
from tests.sim.writes import WriteRun
from tests.unit.node.commands.one import One

SEEDS = 8
Fault = Callable[[Kind, list[bytes]], list[bytes]]


class CalmMove(MoveRun):
    """Nothing fails: whoever takes something is answered, and nobody excuses what is missing."""

    def go(self) -> None:
        self.form()
        self.call()
        self.pace(10_000)
        self.world.advance(1500)
        source, target = self.world.hosts["n1"], self.world.hosts["n2"]
        for host, request in self.plan(source, target, (source.id, target.id)):
            self.demand(host, *request)
        self.wait(self.lack, "agreement")
        self.finish()


KINDS = {"list": LIST, "set": SET, "hash": HASH, "zset": ZSET}
RUNS: dict[str, Callable[[int], WriteRun]] = {
    "MIGRATE": CalmMove,
    "MIGRATESLOTS": MigrateRun,
    "full sync": lambda seed: WriteRun(seed, kinds=["lost disk"]),
}


def lost(kind: Kind, words: list[bytes]) -> list[bytes]:
    return words[:-2] if kind in (HASH, ZSET) else words[:-1]


def doubled(kind: Kind, words: list[bytes]) -> list[bytes]:
    """Where an element can be there once only the second one differs from the first."""
    if kind is HASH:
        return [*words, words[2], b"second"]
    return [*words, b"99999", words[3]] if kind is ZSET else [*words, words[2] + b"0" * (kind is SET)]


def spoilt(kind: Kind, value: Value, fault: Fault) -> list[bytes]:
    """The request that makes the value again, with the fault in it; one element alone is left in peace."""
    request, _ = FAITHFUL[kind](b"k", value, -1, 0)
    words = request.split(b"\r\n")[2::2]
    changed = fault(kind, words)
    return changed if len(changed) > 3 + (kind in (HASH, ZSET)) else words


def plant(kind: Kind, fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    faithful: Writer = WRITERS[kind]

    def words(key: bytes, value: Value, expire: int, at: int) -> tuple[bytes, int]:
        request = spoilt(kind, value, fault)
        return encoded([request[0], key, *request[2:]]), FAITHFUL[kind](key, value, expire, at)[1]

    def write(out: bytearray, key: bytes | bytearray, value: Value, style: Style, at: int) -> int:
        one = One()
        one.say(*spoilt(kind, value, fault))
        made = one.server.keyspace.database(0).get_raw(b"k")
        assert made is not None
        return faithful(out, key, made, style, at)

    monkeypatch.setitem(WORDS, kind, words)
    monkeypatch.setitem(WRITERS, kind, write)


@pytest.mark.once
@pytest.mark.parametrize("way", RUNS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", [lost, doubled])
def test_it_is_found(way: str, kind: str, fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(KINDS[kind], fault, monkeypatch)
    assert finds_fault(RUNS[way], SEEDS)


@pytest.mark.once
@pytest.mark.parametrize("way", RUNS)
def test_nothing_is_found_where_nothing_was_planted(way: str) -> None:
    """The same seeds."""
    assert not finds_fault(RUNS[way], SEEDS)
