"""Fields of hashes that expire, on a replica: it has their ends and hides what is over; its primary deletes."""

from gossamer.node.resp.requests import encoded
from tests.unit.node.replication.joined import START, Node, join


def at(now: int, *nodes: Node) -> None:
    for node in nodes:
        node.at(now)


def test_a_replica_hides_what_is_over_and_deletes_what_its_primary_says() -> None:
    primary, replica = Node(1), Node(2)
    primary.tell("HSET before a 1 b 2", "HPEXPIRE before 1000 FIELDS 1 a")
    link = join(replica, primary)
    link.settle()
    primary.tell("HSETEX after PX 1000 FIELDS 2 a 1 b 2", "HPERSIST after FIELDS 1 b")
    link.settle()
    ends = b"*2\r\n:%d\r\n:-1\r\n" % (START + 1000)
    for key in ("before", "after"):
        assert replica.tell(f"HPEXPIRETIME {key} FIELDS 2 a b") == ends

    at(START + 1001, primary, replica)
    replica.machine.tick(START + 1001)
    for key in ("before", "after"):
        assert replica.tell(f"HGETALL {key}", f"HLEN {key}") == b"*2\r\n$1\r\nb\r\n$1\r\n2\r\n:2\r\n"

    primary.machine.tick(START + 1001)
    primary.machine.drain()
    link.settle()
    for key in ("before", "after"):
        assert replica.tell(f"HLEN {key}") == b":1\r\n"
    assert replica.digest == primary.digest


def test_a_primary_that_was_a_replica_deletes_what_is_over() -> None:
    primary, replica = Node(1), Node(2)
    primary.tell("HSETEX h PX 1000 FIELDS 2 a 1 b 2")
    join(replica, primary).settle()
    replica.replication.lead()
    at(START + 1001, replica)
    replica.machine.tick(START + 1001)
    assert replica.tell("EXISTS h") == b":0\r\n"


def test_a_replica_that_cannot_be_told_of_ends_is_put_off() -> None:
    """As with Valkey: a copy without the ends would be another one."""
    primary = Node(1)
    primary.tell("HSET h a 1", "HEXPIRE h 100 FIELDS 1 a")
    old = primary.machine.accept("127.0.0.1:9", "127.0.0.1:2")
    for words in ([b"REPLCONF", b"capa", b"eof", b"capa", b"psync2"], [b"PSYNC", b"?", b"-1"]):
        old.feed(encoded(words))
        primary.machine.drain()
        said = old.take_output()
    assert said.startswith(b"+FULLRESYNC")
    while primary.machine.has_work:
        primary.machine.work()
    assert old.closing
    assert primary.tell("PING") == b"+PONG\r\n"
