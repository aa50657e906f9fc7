"""Data of every type go from node to node, with real servers on either end, and arrive as they were."""

from collections.abc import Sequence
from random import Random
from typing import Final

import pytest

from tests.compat.walk.differences import may_be_asked
from tests.compat.walk.grammar import Request, Template
from tests.compat.walk.sides import Process
from tests.compat.walk.start import table
from tests.compat.walk.tables import TABLES
from tests.compat.walk.words import KEYS
from tests.integration.clusters import OK, wait_until
from tests.integration.every_type import FAR_MS, difference, fields_that_end, fill, put, tell
from tests.integration.migrating import migrate, wait_end
from tests.integration.nodes import GOSSAMER, REDIS, VALKEY, Node, Nodes, Program
from tests.integration.test_atomic_migration import cluster_of
from tests.integration.test_migrate import move
from tests.integration.test_replication import PAIRS, WITHIN_S, facts, follow, name, start

ROUNDS: Final = 20
REQUESTS: Final = 100
LEFT_OUT: Final = (b"FLUSHDB", b"SWAPDB", b"DEBUG", b"WATCH")
"""Of the random requests: with them little would be left to compare."""


def has_fields_that_end(*programs: Program) -> bool:
    return REDIS not in programs


def key_names(node: Node) -> list[bytes]:
    return [key.text for key in node.ask("KEYS", "*").items]


# --- replication


class RandomWrites:
    """Requests over all types that both nodes know, the same for the same seed."""

    def __init__(self, primary: Node, replica: Node, seed: int) -> None:
        ends = Process(primary.address), Process(replica.address)
        self.table: list[Template] = [
            template for template in table(*ends, list(TABLES)) if template.name not in LEFT_OUT
        ]
        for end in ends:
            end.close()
        self.rng = Random(seed)
        self.primary = primary

    def go_on(self) -> None:
        for _ in range(ROUNDS):
            templates = self.rng.choices(self.table, [template.weight for template in self.table], k=REQUESTS)
            requests: list[Request] = [words for template in templates for words in template.requests(self.rng)]
            tell(self.primary, [words for words in requests if self._same_everywhere(words)])

    def _same_everywhere(self, words: Request) -> bool:
        return all(may_be_asked(against, words, within_multi=False) for against in ("redis", "valkey"))


def caught_up(primary: Node, replica: Node) -> bool:
    return facts(primary)["master_repl_offset"] == facts(replica)["master_repl_offset"]


def compare(primary: Node, replica: Node, keys: Sequence[bytes]) -> None:
    wait_until(lambda: caught_up(primary, replica), f"{replica} has all of {primary}", WITHIN_S)
    found = difference(primary, replica, keys)
    assert found is None, "\n".join(map(repr, found))
    if has_fields_that_end(primary.program, replica.program):  # Redis 7.0 has other digests of doubles
        wait_until(
            lambda: primary.ask("DEBUG", "DIGEST") == replica.ask("DEBUG", "DIGEST"), "the digests are equal", WITHIN_S
        )


@pytest.mark.parametrize("pair", PAIRS, ids=name)
def test_a_full_sync_has_every_type(nodes: Nodes, pair: tuple[Program, Program]) -> None:
    primary, replica = start(nodes, pair[0]), start(nodes, pair[1])
    put(primary, fill())
    if has_fields_that_end(*pair):
        put(primary, fields_that_end())
    follow(replica, primary)
    compare(primary, replica, key_names(primary))


@pytest.mark.parametrize("pair", PAIRS, ids=name)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_replica_follows_writes_to_every_type(nodes: Nodes, pair: tuple[Program, Program], seed: int) -> None:
    primary, replica = start(nodes, pair[0]), start(nodes, pair[1])
    writes = RandomWrites(primary, replica, seed)
    writes.go_on()
    follow(replica, primary)
    writes.go_on()
    compare(primary, replica, KEYS)
    writes.go_on()
    compare(primary, replica, KEYS)


# --- keys on their way


@pytest.mark.parametrize("pair", PAIRS, ids=name)
def test_migrate_carries_every_type(nodes: Nodes, pair: tuple[Program, Program]) -> None:
    source, target, kept = (nodes.start(program=program) for program in (*pair, pair[0]))
    for node in (source, kept):
        put(node, fill())
        if has_fields_that_end(*pair):
            put(node, fields_that_end())
    keys = key_names(source)
    assert move(source, target, *keys) == OK
    assert source.ask("DBSIZE").number == 0
    found = difference(kept, target, keys)
    assert found is None, found
    assert abs(target.ask("PEXPIRETIME", "ends").number - FAR_MS) < 60_000


@pytest.mark.parametrize("pair", [(GOSSAMER, GOSSAMER), (GOSSAMER, VALKEY), (VALKEY, GOSSAMER)], ids=name)
def test_an_atomic_migration_carries_every_type_there_and_back(nodes: Nodes, pair: tuple[Program, Program]) -> None:
    target, source = cluster_of(nodes, pair[1], pair[0])  # the second has the slot of {a}
    kept = start(nodes, pair[0])
    for node in (source, kept):
        put(node, fill("{a}"))
        put(node, fields_that_end("{a}"))
    keys = key_names(source)
    digests = kept.ask("DEBUG", "DIGEST-VALUE", *keys)
    slot = source.ask("CLUSTER", "KEYSLOT", "{a}").number
    for giver, taker in ((source, target), (target, source)):
        migrate(giver, taker, slot, slot)
        assert wait_end(giver)["state"] == "success"
        wait_until(lambda giver=giver: giver.ask("DBSIZE").number == 0, "the source has deleted them")  # type: ignore[misc]
        assert sorted(key_names(taker)) == sorted(keys)
        assert taker.ask("DEBUG", "DIGEST-VALUE", *keys) == digests
        found = difference(kept, taker, keys)
        assert found is None, found
        assert taker.ask("PEXPIRETIME", "ends{a}").number == FAR_MS
        ends = taker.ask("HPEXPIRETIME", "fields{a}", "FIELDS", "4", "f1", "f2", "f600", "f3")
        assert [item.number for item in ends.items] == [FAR_MS, FAR_MS, FAR_MS, -1]
    for words, size in ((("RPUSH", "list:large{a}", "goes on"), 704), (("PFADD", "hll{a}", "new"), 1)):
        assert source.ask(*words).number == size
    assert source.ask("PFCOUNT", "hll{a}").number == 6
