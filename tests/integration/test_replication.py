"""Replication with real servers on either end: the same data at the same offset, and the stream goes on."""

import re
import threading

import pytest

from tests.compat.pair import Wire, encode
from tests.integration.clusters import demand, wait_until
from tests.integration.nodes import GOSSAMER, REDIS, VALKEY, Node, Nodes, Program

DEBUG = ("--enable-debug-command", "yes", "--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1")
WITHIN_S = 20.0

PAIRS = [(GOSSAMER, REDIS), (REDIS, GOSSAMER), (GOSSAMER, VALKEY), (VALKEY, GOSSAMER), (GOSSAMER, GOSSAMER)]


def name(pair: object) -> str:
    return "-to-".join(program.name for program in pair) if isinstance(pair, tuple) else str(pair)


def start(nodes: Nodes, program: Program, *options: str) -> Node:
    return nodes.start(*DEBUG, *options, program=program)


def facts(node: Node) -> dict[str, str]:
    lines = node.ask("INFO", "replication").text.decode().splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def follow(replica: Node, primary: Node) -> None:
    demand(replica, "REPLICAOF", "127.0.0.1", primary.port)
    wait_until(lambda: facts(replica).get("master_link_status") == "up", f"{replica} follows {primary}", WITHIN_S)
    entry = f"port={replica.port},state=online"
    wait_until(lambda: any(entry in text for text in facts(primary).values()), f"{primary} knows, too", WITHIN_S)


def write(node: Node, mark: str) -> None:
    """All that strings can go through."""
    for index in ("0", "5"):
        demand(node, "SELECT", index)
        demand(node, "MULTI")
        node.ask("INCR", f"n:{mark}")
        node.ask("INCR", f"n:{mark}")
        node.ask("EXEC")
        demand(node, "SET", f"plain:{mark}", "v" * 300)
        demand(node, "SET", f"ends:{mark}", "v", "EX", "1000")
        demand(node, "SET", f"gone:{mark}", "v", "PX", "1")
        node.ask("INCRBYFLOAT", f"float:{mark}", "0.1")
        node.ask("INCRBYFLOAT", f"float:{mark}", "0.2")
        node.ask("APPEND", f"raw:{mark}", "abc")
        node.ask("SETRANGE", f"raw:{mark}", "10", "xyz")
        node.ask("SETBIT", f"bits:{mark}", "100", "1")
        node.ask("GETEX", f"raw:{mark}", "EX", "500")
        node.ask("EXPIRE", f"float:{mark}", "900")
    demand(node, "SELECT", "0")


def same(primary: Node, *replicas: Node) -> bool:
    """Equal digests while the offset does not move."""
    offset = facts(primary)["master_repl_offset"]
    if any(facts(replica)["master_repl_offset"] != offset for replica in replicas):
        return False
    digests = {node.ask("DEBUG", "DIGEST").text for node in (primary, *replicas)}
    return len(digests) == 1 and facts(primary)["master_repl_offset"] == offset


def wait_same(primary: Node, *replicas: Node) -> None:
    for index in ("0", "5"):  # what is over is deleted before digests are compared
        demand(primary, "SELECT", index)
        wait_until(lambda: not primary.ask("KEYS", "gone:*").items, "short keys end", WITHIN_S)
    demand(primary, "SELECT", "0")
    wait_until(lambda: same(primary, *replicas), f"{replicas} are as {primary}", WITHIN_S)
    assert primary.ask("DEBUG", "DIGEST").text != b"0" * 40


@pytest.mark.parametrize("pair", PAIRS, ids=name)
def test_a_replica_gets_all_and_goes_on(nodes: Nodes, pair: tuple[Program, Program]) -> None:
    primary, replica = start(nodes, pair[0]), start(nodes, pair[1])
    write(primary, "before")
    demand(replica, "SET", "own", "to be dropped")
    follow(replica, primary)
    write(primary, "after")
    wait_same(primary, replica)
    assert replica.ask("SET", "k", "v").text.startswith(b"READONLY")
    assert primary.ask("WAIT", "1", "5000").number == 1


CHAINS = [
    (VALKEY, GOSSAMER, REDIS),
    (REDIS, GOSSAMER, VALKEY),
    (GOSSAMER, GOSSAMER, REDIS),
    (GOSSAMER, REDIS, GOSSAMER),
]


@pytest.mark.parametrize("chain", CHAINS, ids=name)
def test_a_chain_with_writes_flowing(nodes: Nodes, chain: tuple[Program, Program, Program]) -> None:
    """Redis 7.0 cannot follow Valkey 9 by itself: through one of ours in between it can."""
    first, middle, last = [start(nodes, program) for program in chain]
    write(first, "before")
    with Writer(first) as writer:
        writer.wait_written(100)
        follow(middle, first)
        writer.wait_written(100)
        follow(last, middle)
        writer.wait_written(100)
        write(first, "after")
    wait_same(first, middle, last)
    assert last.ask("GET", "count").text == b"%d" % writer.written


class Writer:
    """A client that counts up the key ``count`` of ``node``, in a thread of its own, until its block is left."""

    def __init__(self, node: Node) -> None:
        self.written = 0
        self._wire = Wire(node.address)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def __enter__(self) -> "Writer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._wire.close()

    def wait_written(self, more: int) -> None:
        wanted = self.written + more
        wait_until(lambda: self.written >= wanted, "writes flow", WITHIN_S)

    def _write(self) -> None:
        while not self._over.is_set():
            self._wire.send(encode(["INCR", "count"]))
            self.written = self._wire.receive().number


@pytest.mark.parametrize("program", [GOSSAMER, REDIS, VALKEY], ids=lambda program: program.name)
def test_a_replica_of_a_replica_stays_through_a_promotion(nodes: Nodes, program: Program) -> None:
    """Its primary becomes the head of the chain, then a replica again: no full sync for those behind it."""
    # Without pings and without keys that end, or the old primary may be a step ahead of the new one.
    first, middle, last = [
        start(nodes, kind, "--repl-ping-replica-period", "3600") for kind in (GOSSAMER, GOSSAMER, program)
    ]
    demand(first, "SET", "k", "before")
    follow(middle, first)
    follow(last, middle)
    wait_same(first, middle, last)
    demand(middle, "REPLICAOF", "NO", "ONE")
    demand(middle, "SET", "k", "promoted")
    wait_until(lambda: facts(last)["master_link_status"] == "up", "the last one is back", WITHIN_S)
    wait_same(middle, last)
    follow(first, middle)
    wait_same(middle, first)
    demand(first, "REPLICAOF", "NO", "ONE")
    follow(middle, first)
    demand(first, "SET", "k", "and back")
    wait_until(lambda: facts(last)["master_link_status"] == "up", "the last one is back", WITHIN_S)
    wait_same(first, middle, last)
    assert [stats(node)["sync_full"] for node in (first, middle)] == ["1", "1"], "those of the beginning"


VARIES = re.compile("(_replid|_offset|_histlen|_port|slave0|_seconds)[^:]*:.*|[0-9]{2,}")
"""Fields whose values differ from run to run, and numbers in ROLE."""


def test_info_and_role_tell_the_same_fields_as_redis(nodes: Nodes) -> None:
    assert standing(nodes, GOSSAMER) == standing(nodes, REDIS)


def standing(nodes: Nodes, program: Program) -> list[str]:
    """INFO replication and ROLE before, with and after a replica, from either side."""
    primary, replica = start(nodes, program), start(nodes, program)
    told = [shown(primary)]
    follow(replica, primary)
    demand(primary, "SET", "k", "v")
    assert primary.ask("WAIT", "1", "5000").number == 1
    told += [shown(primary), shown(replica)]
    primary.kill()
    wait_until(lambda: facts(replica)["master_link_status"] == "down", "the replica notices", WITHIN_S)
    return [*told, shown_at_rest(replica)]


def shown_at_rest(replica: Node) -> str:
    """Between two attempts to reach its primary."""
    told = ""

    def rests() -> bool:
        nonlocal told
        told = shown(replica)
        return "b'connect'" in told

    wait_until(rests, f"{replica} waits to try again", WITHIN_S)
    return told


def shown(node: Node) -> str:
    return VARIES.sub("...", f"{node.ask('INFO', 'replication').text.decode()}{node.ask('ROLE')}")


def test_a_wrong_password_is_told(nodes: Nodes) -> None:
    primary = start(nodes, GOSSAMER, "--requirepass", "secret")
    replica = start(nodes, GOSSAMER, "--primaryauth", "wrong", "--replicaof", f"127.0.0.1 {primary.port}")
    replica.wait_log("Unable to AUTH to MASTER: -WRONGPASS")
    demand(replica, "CONFIG", "SET", "primaryauth", "secret")
    wait_until(lambda: facts(replica)["master_link_status"] == "up", "it follows", WITHIN_S)
    assert replica.ask("CONFIG", "GET", "masterauth").items[1].text == b"secret"


@pytest.mark.parametrize("program", [GOSSAMER, REDIS, VALKEY], ids=lambda program: program.name)
def test_a_promoted_replica_takes_its_siblings_along(nodes: Nodes, program: Program) -> None:
    """Without a full sync: the new primary knows the old id up to the offset of its promotion."""
    # Without pings, or the sibling may have read one that the new primary has not.
    old, new, sibling = [
        start(nodes, kind, "--repl-ping-replica-period", "3600") for kind in (GOSSAMER, GOSSAMER, program)
    ]
    write(old, "before")
    follow(new, old)
    follow(sibling, old)
    write(old, "more")
    wait_same(old, new, sibling)
    before = facts(old)["master_replid"]
    old.kill()
    demand(new, "REPLICAOF", "NO", "ONE")
    assert facts(new)["master_replid2"] == before
    follow(sibling, new)
    write(new, "after")
    wait_same(new, sibling)
    assert b"sync_full:0\r" in new.ask("INFO", "stats").text
    assert b"sync_partial_ok:1\r" in new.ask("INFO", "stats").text


def test_writes_wait_for_enough_replicas(nodes: Nodes) -> None:
    primary = start(nodes, GOSSAMER, "--min-replicas-to-write", "1")
    wait_until(lambda: primary.ask("SET", "k", "v").text.startswith(b"NOREPLICAS"), "writes are refused", WITHIN_S)
    follow(start(nodes, REDIS), primary)
    wait_until(lambda: primary.ask("SET", "k", "v").text == b"OK", "writes are taken", WITHIN_S)


def test_wait_ends_without_enough_replicas(nodes: Nodes) -> None:
    primary = start(nodes, GOSSAMER)
    follow(start(nodes, GOSSAMER), primary)
    demand(primary, "SET", "k", "v")
    assert primary.ask("WAIT", "1", "5000").number == 1
    assert primary.ask("WAIT", "2", "50").number == 1


def test_a_replica_without_its_primary_may_refuse_reads(nodes: Nodes) -> None:
    primary, replica = start(nodes, GOSSAMER), start(nodes, GOSSAMER, "--replica-serve-stale-data", "no")
    demand(primary, "SET", "k", "v")
    follow(replica, primary)
    assert replica.ask("GET", "k").text == b"v"
    primary.kill()
    wait_until(lambda: replica.ask("GET", "k").text.startswith(b"MASTERDOWN"), "reads are refused", WITHIN_S)


def test_the_password_of_the_primary(nodes: Nodes) -> None:
    primary = start(nodes, REDIS, "--requirepass", "secret", "--masterauth", "secret")
    demand(primary, "AUTH", "secret")
    follow(start(nodes, GOSSAMER, "--masterauth", "secret"), primary)


def test_a_replica_by_its_configuration(nodes: Nodes) -> None:
    primary = start(nodes, GOSSAMER)
    write(primary, "before")
    replica = start(nodes, GOSSAMER, "--replicaof", f"127.0.0.1 {primary.port}")
    wait_same(primary, replica)
    assert replica.ask("CONFIG", "GET", "replicaof").items[1].text == b"127.0.0.1 %d" % primary.port


@pytest.mark.parametrize("pair", PAIRS, ids=name)
def test_after_a_cut_the_rest_is_enough(nodes: Nodes, pair: tuple[Program, Program]) -> None:
    primary, replica = start(nodes, pair[0]), start(nodes, pair[1])
    write(primary, "before")
    follow(replica, primary)
    before = stats(primary)
    primary.ask("CLIENT", "KILL", "TYPE", "replica")
    write(primary, "meanwhile")
    wait_same(primary, replica)
    after = stats(primary)
    assert after["sync_full"] == before["sync_full"]
    assert int(after["sync_partial_ok"]) == int(before["sync_partial_ok"]) + 1


def stats(node: Node) -> dict[str, str]:
    lines = node.ask("INFO", "stats").text.decode().splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)
