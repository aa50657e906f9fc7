"""``write-ack-replicas``: who waits, for what, and what is said when nothing comes."""

import pytest

from gossamer.node.engine.clients.client import Client
from gossamer.node.engine.clients.pause import WRITES
from gossamer.node.engine.stream.stream import GETACK
from gossamer.node.resp.requests import encoded
from tests.unit.node.replication.joined import START, Link, Node, join

ONE = ("write-ack-replicas", "1")
OK = b"+OK\r\n"
IN_TIME = (
    b"-UNACKED Done here, but too few replicas have acknowledged it in time: whether it survives a failure is unknown."
    b"\r\n"
)
NOREPLICAS = b"-NOREPLICAS Not enough good replicas to write.\r\n"


class Other:
    """Another client of ``node``."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.client = node.machine.accept("127.0.0.1:3", "127.0.0.1:2")

    def tell(self, *requests: str) -> bytes:
        for request in requests:
            self.client.feed(encoded([word.encode() for word in request.split()]))
        self.node.machine.drain()
        return self.client.take_output()


def pair(*settings: tuple[str, str]) -> tuple[Node, Link]:
    primary, replica = Node(1, *(settings or (ONE,))), Node(2)
    return primary, join(replica, primary)


def later(node: Node, ms: int) -> bytes:
    node.at(START + ms)
    node.machine.tick(START + ms)
    node.machine.drain()
    return node.client.take_output()


def test_a_write_is_answered_when_the_replica_has_it() -> None:
    primary, link = pair()
    assert primary.tell("SET a 1") == b""
    assert b"".join(link.session.out).count(GETACK) == 1
    link.settle()
    assert primary.client.take_output() == OK
    assert link.replica.tell("GET a") == b"$1\r\n1\r\n"


def test_a_batch_is_executed_at_once_and_answered_in_order() -> None:
    primary, link = pair()
    assert primary.tell("PING", "SET a 1", "PING", "INCR a", "GET b", "DBSIZE") == b"+PONG\r\n"
    assert b"".join(link.session.out).count(GETACK) == 1, "one for the batch"
    assert Other(primary).tell("OBJECT ENCODING b") == b"$-1\r\n"
    link.settle()
    assert primary.client.take_output() == OK + b"+PONG\r\n:2\r\n$-1\r\n:1\r\n"


def test_a_long_reply_in_doubt_is_replaced_whole() -> None:
    primary, _ = pair(ONE, ("write-ack-timeout", "500"))
    long = "x" * 20_000
    assert primary.tell("SET a " + long) == b""
    assert primary.tell("GET a", "PING") == b""
    assert later(primary, 2000) == IN_TIME + IN_TIME + b"+PONG\r\n"


def test_what_comes_later_waits_behind() -> None:
    primary, link = pair()
    assert primary.tell("SET a 1") == b""
    assert primary.tell("PING") == b""
    assert primary.tell("SET b 1", "PING") == b""
    link.settle()
    assert primary.client.take_output() == OK + b"+PONG\r\n" + OK + b"+PONG\r\n"
    assert primary.client.pending is None


def test_others_read_on_but_not_what_may_be_lost() -> None:
    primary, link = pair()
    primary.tell("SET a old", "SET b 1")
    link.settle()
    primary.client.take_output()
    primary.tell("SET a new")
    reader, other, taker = Other(primary), Other(primary), Other(primary)
    assert other.tell("GET b", "PING") == b"$1\r\n1\r\n+PONG\r\n"
    assert reader.tell("GET a") == b""
    assert taker.tell("SET a x NX") == b"", "its refusal shows that a is there"
    assert Other(primary).tell("DBSIZE") == b""
    link.settle()
    assert reader.client.take_output() == b"$3\r\nnew\r\n"
    assert taker.client.take_output() == b"$-1\r\n"
    assert reader.tell("GET a") == b"$3\r\nnew\r\n", "what is acknowledged is read at once"


def test_a_transaction_waits_as_a_whole() -> None:
    primary, link = pair()
    assert primary.tell("MULTI", "SET a 1", "GET c", "EXEC") == OK + b"+QUEUED\r\n+QUEUED\r\n"
    link.settle()
    assert primary.client.take_output() == b"*2\r\n+OK\r\n$-1\r\n"
    primary.tell("SET a 2")
    reader = Other(primary)
    assert reader.tell("MULTI", "GET a", "EXEC") == OK + b"+QUEUED\r\n"
    link.settle()
    assert reader.client.take_output() == b"*1\r\n$1\r\n2\r\n"


def test_when_nothing_comes_the_outcome_is_unknown() -> None:
    primary, link = pair()
    assert primary.tell("SET a 1", "PING") == b""
    reader = Other(primary)
    assert reader.tell("GET a") == b""
    assert later(primary, 4900) == b""
    assert later(primary, 5100) == IN_TIME + b"+PONG\r\n"
    assert reader.client.take_output() == IN_TIME
    assert primary.server.stats.errors[b"UNACKED"] == 2
    assert primary.client.pending is None
    link.settle()
    assert reader.tell("GET a") == b"$1\r\n1\r\n"


def test_the_timeout_can_be_set_and_switched_off() -> None:
    primary, _ = pair(ONE, ("write-ack-timeout", "300"))
    primary.tell("SET a 1")
    assert later(primary, 200) == b""
    assert later(primary, 400) == IN_TIME
    primary.tell("CONFIG SET write-ack-timeout 0", "SET a 2")
    assert later(primary, 50_000) == b""


def test_too_few_replicas_are_told_at_once() -> None:
    alone = Node(1, ONE)
    assert alone.tell("SET a 1") == NOREPLICAS
    assert alone.tell("MULTI", "SET a 1", "EXEC").startswith(OK + NOREPLICAS)
    assert alone.tell("GET a") == b"$-1\r\n"
    primary, link = pair(("write-ack-replicas", "2"))
    assert primary.tell("SET a 1") == NOREPLICAS
    second = join(Node(3), primary)
    assert primary.tell("SET a 1") == b""
    link.settle()
    assert primary.client.take_output() == b"", "one of two"
    second.settle()
    assert primary.client.take_output() == OK
    second.cut()
    assert primary.tell("SET a 2") == NOREPLICAS


def test_a_node_that_follows_now_has_promised_nothing() -> None:
    primary, _ = pair()
    primary.tell("SET a 1", "PING")
    primary.replication.follow("other", 1)
    told = primary.client.take_output()
    assert told.startswith(b"-UNACKED Done here, but the node is a replica now")
    assert told.endswith(b"+PONG\r\n")
    assert primary.tell("GET a") == b"$1\r\n1\r\n"
    primary.replication.lead()
    assert primary.tell("SET a 1") == NOREPLICAS


def test_a_role_that_changes_in_the_same_batch() -> None:
    primary, _ = pair()
    told = primary.tell("SET a 1", "REPLICAOF other 1", "GET a")
    assert told.startswith(b"-UNACKED")
    assert told.endswith(OK + b"$1\r\n1\r\n")


def test_it_can_be_switched_at_run_time() -> None:
    primary, link = pair(("write-ack-replicas", "0"))
    assert primary.tell("SET a 1") == OK
    assert primary.tell("CONFIG SET write-ack-replicas 1") == OK
    assert primary.tell("GET a") == b"$1\r\n1\r\n", "what was written before was promised nothing"
    assert primary.tell("SET a 2") == b""
    assert Other(primary).tell("CONFIG SET write-ack-replicas 0") == OK
    assert primary.client.take_output() == OK
    assert primary.tell("SET a 3") == OK
    primary.tell("CONFIG SET write-ack-replicas 1")
    assert primary.tell("SET a 4") == b""
    link.settle()
    assert primary.client.take_output() == OK


@pytest.mark.parametrize("mode", ["OFF", "SKIP"])
def test_who_wants_no_reply_waits_for_none(mode: str) -> None:
    primary, link = pair()
    primary.tell(f"CLIENT REPLY {mode}", "SET a 1")
    assert primary.tell("CLIENT REPLY ON", "PING") == OK + b"+PONG\r\n"
    reader = Other(primary)
    assert reader.tell("GET a") == b""
    link.settle()
    assert reader.client.take_output() == b"$1\r\n1\r\n"


def test_wait_is_answered_behind_the_write() -> None:
    primary, link = pair()
    assert primary.tell("SET a 1", "WAIT 1 0", "PING") == b""
    link.settle()
    assert primary.client.take_output() == OK + b":1\r\n+PONG\r\n"


def test_a_client_may_leave_meanwhile() -> None:
    primary, link = pair()
    primary.tell("SET a 1")
    primary.machine.leave(primary.client)
    assert not primary.server.acks.held
    link.settle()
    assert not primary.client.out


def test_quit_ends_the_connection_behind_the_last_reply() -> None:
    primary, link = pair()
    assert primary.tell("SET a 1", "QUIT") == b""
    client: Client = primary.client
    assert client.closing
    assert client.pending is not None, "the socket's owner must not close it yet"
    link.settle()
    assert primary.client.take_output() == OK + OK
    assert client.pending is None


def test_what_waits_counts_as_unread_output() -> None:
    primary, _ = pair(ONE, ("client-output-buffer-limit", "normal 10000 0 0"))
    primary.tell("SET a 1")
    primary.tell(*["ECHO " + "x" * 1000] * 5)
    assert not primary.client.killed
    primary.tell(*["ECHO " + "x" * 1000] * 5)
    assert primary.client.killed


def test_a_pause_of_writes_delays_no_answer_but_the_stream_stands_still() -> None:
    primary, link = pair()
    primary.tell("SET a 1")
    primary.server.pause.begin(START + 1000, WRITES)
    link.settle()
    assert primary.client.take_output() == OK


def test_a_flush_concerns_every_key() -> None:
    primary, link = pair()
    primary.tell("SET a 1")
    link.settle()
    primary.client.take_output()
    assert primary.tell("FLUSHALL") == b""
    reader = Other(primary)
    assert reader.tell("GET a") == b""
    link.settle()
    assert reader.client.take_output() == b"$-1\r\n"


@pytest.mark.parametrize("promised", [True, False])
def test_a_replica_does_not_give_up_what_it_has_acknowledged_for_a_primary_that_was_restarted(promised: bool) -> None:
    primary, replica = Node(1, ONE), Node(2, ("write-ack-replicas", "1" if promised else "0"))
    link = join(replica, primary)
    primary.tell("SET a 1")
    link.settle()
    link.cut()
    replica.server.clustered = True
    again = Link(replica, Node(3, ONE))
    while again.step() and not again.primary_link.failure:
        pass
    replica.server.clustered = False
    assert again.primary_link.primary_lost_data == replica.replication.primary_lost_data == promised
    assert replica.tell("GET a") == (b"$1\r\n1\r\n" if promised else b"$-1\r\n")
    if promised:
        assert "without its data" in again.primary_link.failure
        again.cut()
        Link(replica, primary).settle()
        assert not replica.replication.primary_lost_data, "it has its data after all"


def test_a_clock_that_is_set_back_stops_no_acknowledgements() -> None:
    _, link = pair()
    replica = link.replica
    replica.at(START + 5000)
    replica.machine.tick(START + 5000)
    link.settle()
    replica.at(START - 60_000)
    replica.machine.tick(START - 60_000)
    assert b"ACK" in link.primary_link.take_output()


def test_nothing_is_acknowledged_to_a_primary_that_the_cluster_has_given_up() -> None:
    primary, link = pair()
    link.replica.replication.acks_suspended = True
    assert primary.tell("SET a 1") == b""
    link.settle()
    assert primary.client.take_output() == b""
    assert link.replica.tell("GET a") == b"$1\r\n1\r\n"
    link.replica.replication.acks_suspended = False
    link.replica.at(START + 1500)
    link.replica.machine.tick(START + 1500)
    link.settle()
    assert primary.client.take_output() == OK
