"""While writes are paused the stream stands still: a replica that is to take over knows where it ends."""

from tests.unit.node.replication.joined import START, Node, join


def test_the_stream_stands_still_while_writes_are_held_back() -> None:
    """A replica that is to take over has been told where it ends: no sign of life, no question may make it longer."""
    primary, replica = Node(1), Node(2)
    link = join(replica, primary)
    primary.tell("SET k v")
    link.settle()
    before = primary.replication.offset
    assert primary.tell("CLIENT PAUSE 60000 WRITE", "WAIT 2 50000") == b"+OK\r\n"
    for later in range(0, 30_000, 10_000):
        primary.at(START + later)
        primary.machine.tick(START + later)
        link.settle()
    assert primary.replication.offset == before
    primary.at(START + 60_000)
    primary.machine.tick(START + 60_000)
    link.settle()
    assert primary.replication.offset > before


def test_nothing_expires_into_the_stream_while_writes_are_paused() -> None:
    """A replica that is to take over waits for the offset at which the pause began."""
    primary, replica = Node(1), Node(2)
    link = join(replica, primary)
    primary.tell("SET k v PX 100")
    link.settle()
    offset = primary.replication.offset
    primary.tell("CLIENT PAUSE 20000 WRITE")
    for now in range(START + 1000, START + 19_000, 1000):
        primary.at(now)
        assert primary.tell("GET k") == b"$-1\r\n"
        primary.machine.tick(now)
        primary.machine.drain()
        assert primary.replication.offset == offset
    primary.at(START + 20_001)
    assert primary.tell("GET k") == b"$-1\r\n"
    assert primary.replication.offset > offset, "the pause is over, and with it the key"


def test_replicas_do_not_give_up_in_a_long_pause() -> None:
    primary, replica = Node(1), Node(2)
    link = join(replica, primary)
    primary.tell("CLIENT PAUSE 200000 WRITE")
    for now in range(START + 1000, START + 180_000, 1000):
        for node in (primary, replica):
            node.at(now)
            node.machine.tick(now)
            node.machine.drain()
        link.settle()
    assert link.primary_link.connected
    assert not link.session.closing
