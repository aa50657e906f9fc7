"""A full sync in memory: equal data at equal offsets, whatever is written meanwhile, and nothing of what is damaged."""

import pytest

from tests.unit.node.replication.joined import WRITES, Link, Node, join, same

DISK = ("repl-diskless-sync", "no")


@pytest.mark.parametrize("settings", [(), (DISK,)], ids=["streamed", "with length"])
@pytest.mark.parametrize("piece", [1, 7, 1 << 16])
def test_a_full_sync_then_the_stream(settings: tuple[tuple[str, str], ...], piece: int) -> None:
    primary, replica = Node(1, *settings), Node(2)
    primary.tell(*WRITES)
    replica.tell("SET own x", "SELECT 9", "SET own y")
    link = join(replica, primary, piece)
    assert link.primary_link.connected
    same(primary, replica)
    primary.tell(*WRITES, "MULTI", "SET m 1", "INCR m", "EXEC")
    link.settle()
    same(primary, replica)


@pytest.mark.parametrize("settings", [(), (DISK,)], ids=["streamed", "with length"])
def test_writes_while_the_snapshot_is_on_its_way(settings: tuple[tuple[str, str], ...]) -> None:
    primary, replica = Node(1, *settings), Node(2)
    for number in range(5000):
        primary.tell(f"SET key:{number} {'v' * 40}{number}")
    replica.replication.follow("primary", 1)
    link = Link(replica, primary)
    number = steps = 0
    while link.step():
        steps += 1
        if number < 3000:
            for _ in range(100):
                number += 1
                primary.tell(f"SET key:{number * 7 % 6000} new", f"DEL key:{number}", f"APPEND key:{number * 3} x")
    assert steps > 5, "the snapshot came in one piece: nothing was tested"
    same(primary, replica)


def test_a_damaged_snapshot_leaves_the_present_data() -> None:
    primary, replica = Node(1), Node(2)
    primary.tell("SET k " + "v" * 100)
    replica.tell("SET own x")
    replica.replication.follow("primary", 1)
    link = Link(replica, primary)
    while replica.replication.primary_link is not None and not link.primary_link.syncing:
        link.session.feed(link.primary_link.take_output())
        primary.machine.drain()
        link.primary_link.receive(link.session.take_output())
    primary.machine.work()
    snapshot = bytearray(link.session.take_output())
    snapshot[-20] ^= 1
    primary.machine.work()
    primary.machine.work()
    link.primary_link.receive(bytes(snapshot) + link.session.take_output())
    assert link.primary_link.failure
    assert replica.tell("GET own") == b"$1\r\nx\r\n"


def loading(replica: Node) -> tuple[bool, bool]:
    """Does it say that it loads, and that it does so beside older data of the same primary?"""
    info = replica.tell("INFO persistence")
    return b"\r\nloading:1\r\n" in info, b"\r\nasync_loading:1\r\n" in info


def load(link: Link) -> set[tuple[bool, bool]]:
    """What the replica says of itself while it loads."""
    said = set()
    while link.step():
        if link.primary_link.loading:
            said.add(loading(link.replica))
    assert link.primary_link.connected
    return said


def test_a_replica_says_that_it_loads_and_whether_what_it_serves_is_an_earlier_state() -> None:
    primary, replica = Node(1), Node(2)
    primary.server.access.debug = "yes"
    assert primary.tell("DEBUG POPULATE 2000 key 100") == b"+OK\r\n"
    assert loading(replica) == (False, False)
    replica.replication.follow("primary", 1)
    link = Link(replica, primary, piece=1000)
    assert load(link) == {(True, False)}, "data of another history: the first sync"
    assert loading(replica) == (False, False)
    link.cut()
    primary.tell("CONFIG SET repl-backlog-size 16384", "SET long " + 40_000 * "x")
    assert load(Link(replica, primary, piece=1000)) == {(False, True)}, "it was away for too long"
    assert loading(replica) == (False, False)
    same(primary, replica)
