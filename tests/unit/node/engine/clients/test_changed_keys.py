"""Who waits for a key is asked anew after every change of it, whoever makes the change."""

from collections.abc import Callable

import pytest

from gossamer.node.engine.clients.waiting import KEYS, Wait
from gossamer.node.engine.serving.session import Session
from tests.unit.node.replication.joined import START, Node, join

NOTHING = ()


class Blocked:
    """A client that waits for key ``k`` of database 0, and what it is asked."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.client: Session = node.machine.accept("127.0.0.1:3", "127.0.0.1:2")
        self.wait = Wait(self.client, KEYS)
        node.server.waiting.wait_for_keys(self.wait, [(0, b"k")], 0)

    def asked(self) -> bool:
        return self.wait.finished


def restored(node: Node) -> bytes:
    payload = node.tell("SET other v", "DUMP other").partition(b"\r\n")[2].partition(b"\r\n")[2][:-2]
    return b"*4\r\n$7\r\nRESTORE\r\n$1\r\nk\r\n$1\r\n0\r\n$%d\r\n%s\r\n" % (len(payload), payload)


@pytest.mark.parametrize(
    ("before", "change"),
    [
        (NOTHING, ("SET k v",)),
        (NOTHING, ("APPEND k v",)),
        (NOTHING, ("MULTI", "INCR k", "EXEC")),
        (("SET o v",), ("RENAME o k",)),
        (("SET o v",), ("COPY o k",)),
        (("SELECT 1", "SET k v"), ("MOVE k 0",)),
        (("SELECT 1", "SET k v"), ("SWAPDB 0 1",)),
        (("SET k v",), ("DEL k",)),
        (("SET k v",), ("RENAME k o",)),
        (("SET k v",), ("MOVE k 1",)),
        (("SET k v",), ("EXPIRE k 10",)),
        (("SET k v EX 10",), ("PERSIST k",)),
        (("SET k v",), ("FLUSHDB",)),
        (("SET k v",), ("FLUSHALL",)),
    ],
)
def test_a_command_that_changes_the_key_wakes_who_waits(before: tuple[str, ...], change: tuple[str, ...]) -> None:
    node = Node(1)
    node.tell(*before)
    blocked = Blocked(node)
    node.tell("SET unlike v", "GET k")
    assert not blocked.asked()
    node.tell(*change)
    assert blocked.asked()
    assert node.server.changes.listeners == []


def by_restore(node: Node) -> None:
    node.client.feed(restored(node))


def by_expiry(node: Node) -> None:
    node.tell("SET k v PX 10")
    node.at(START + 20)
    node.tell("GET k")


def by_active_expiry(node: Node) -> None:
    node.tell("SET k v PX 10")
    node.at(START + 5000)
    node.machine.attend(START + 5000)


@pytest.mark.parametrize("change", [by_restore, by_expiry, by_active_expiry])
def test_so_does_a_change_that_is_no_plain_write(change: Callable[[Node], None]) -> None:
    node = Node(1)
    blocked = Blocked(node)
    change(node)
    node.machine.drain()
    assert blocked.asked()


def test_a_replica_serves_who_waits_for_what_its_primary_writes() -> None:
    primary, replica = Node(1), Node(2)
    link = join(replica, primary)
    blocked = Blocked(replica)
    primary.tell("SET other v")
    link.settle()
    assert not blocked.asked()
    primary.tell("SET k v")
    link.settle()
    assert blocked.asked()


def test_a_full_sync_wakes_who_waits_for_a_key_that_it_brings() -> None:
    primary, replica = Node(1), Node(2)
    primary.tell("SET k v")
    replica.replication.follow("primary", 1)
    blocked = Blocked(replica)
    join(replica, primary)
    assert blocked.asked()
