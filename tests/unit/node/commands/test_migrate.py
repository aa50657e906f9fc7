"""MIGRATE between machines in memory: what travels, who waits meanwhile, and what each outcome leaves at both ends."""

import pytest

from node.commands.migrate import leading_number
from node.engine.feed import Feed, encoded
from node.engine.server import FOLLOWING, Server
from node.engine.session import Session
from node.engine.transfer import Transfer, settle
from node.machine import Machine
from node.resp.errors import CANNOT_READ

NOW = 1_700_000_000_000


class Node:
    """A node, an operator's connection and a client's."""

    def __init__(self) -> None:
        self.server = Server()
        self.machine = Machine(self.server)
        self.at(NOW)
        self.operator = self.client()
        self.guest = self.client()

    def at(self, now: int) -> None:
        self.server.begin_batch(now)
        self.machine.drain()

    def client(self) -> Session:
        return self.machine.accept("127.0.0.1:1", "127.0.0.1:2")

    def say(self, session: Session, *requests: str) -> bytes:
        for request in requests:
            session.feed(encoded([b"" if word == "''" else word.encode() for word in request.split()]))
        self.machine.drain()
        return session.take_output()

    def departed(self) -> Transfer:
        """What the last MIGRATE has given to the courier."""
        return self.server.courier.under_way.pop()

    def land(self, transfer: Transfer, *answers: bytes, failure: bytes = b"") -> None:
        for answer in answers:
            transfer.answered(answer)
        transfer.failure = failure
        self.server.landed.append(transfer)
        self.machine.drain()

    def receive(self, transfer: Transfer) -> list[bytes]:
        """Restore what another node has sent; the answers."""
        for request in transfer.requests:
            self.guest.feed(request)
        return self.guest.take_output().split(b"\r\n")[:-1]


@pytest.fixture
def here() -> Node:
    return Node()


def test_keys_move_with_their_time_to_live(here: Node) -> None:
    there = Node()
    here.say(here.guest, "SET a 1", "SET b 2 PX 5000", "SET c 3")
    assert here.say(here.operator, "MIGRATE h 7 '' 0 100 KEYS a b nobody b") == b""
    transfer = here.departed()
    assert (transfer.host, transfer.port, transfer.db, transfer.timeout_s) == ("h", 7, 0, 0.1)
    here.land(transfer, *there.receive(transfer))
    assert here.operator.take_output() == b"+OK\r\n"
    assert here.say(here.guest, "EXISTS a b", "GET c") == b":0\r\n$1\r\n3\r\n"
    assert there.say(there.guest, "GET a", "GET b", "PTTL a", "PTTL b") == b"$1\r\n1\r\n$1\r\n2\r\n:-1\r\n:5000\r\n"


def test_writers_of_a_key_under_way_wait_and_others_do_not(here: Node) -> None:
    here.say(here.guest, "SET a 1", "SET b 1")
    here.say(here.operator, "MIGRATE h 7 a 0 100")
    writer, breaker = here.client(), here.client()
    assert here.say(here.guest, "GET a", "INCR b", "GET b") == b"$1\r\n1\r\n:2\r\n$1\r\n2\r\n"
    assert here.say(writer, "GET a", "INCR a", "GET b") == b"$1\r\n1\r\n"
    assert here.say(breaker, "MULTI", "SET a 5", "EXEC") == b"+OK\r\n+QUEUED\r\n"
    here.land(here.departed(), b"+OK")
    assert writer.take_output() == b":1\r\n$1\r\n2\r\n", "the key was gone when the write ran"
    assert breaker.take_output() == b"*1\r\n+OK\r\n"


@pytest.mark.parametrize("request_", ["FLUSHALL", "MIGRATE h 7 a 0 100", "RENAME b a", "DEL b a"])
def test_whatever_could_change_the_key_waits(here: Node, request_: str) -> None:
    here.say(here.guest, "SET a 1", "SET b 1")
    here.say(here.operator, "MIGRATE h 7 a 0 100")
    assert here.say(here.guest, request_) == b""
    here.land(here.departed(), b"+OK")
    assert here.guest.take_output() in (b"+OK\r\n", b"+NOKEY\r\n", b":1\r\n")


def test_the_client_of_migrate_goes_on_when_it_is_answered(here: Node) -> None:
    here.say(here.guest, "SET a 1")
    assert here.say(here.operator, "MIGRATE h 7 a 0 100", "PING") == b""
    here.land(here.departed(), b"+OK")
    assert here.operator.take_output() == b"+OK\r\n+PONG\r\n"


def test_a_refused_key_stays_and_the_others_go(here: Node) -> None:
    here.say(here.guest, "MSET a 1 b 2 c 3")
    here.say(here.operator, "MIGRATE h 7 '' 0 100 KEYS a b c")
    here.land(here.departed(), b"+OK", b"-BUSYKEY Target key name already exists.", b"+OK")
    expected = b"-ERR Target instance replied with error: BUSYKEY Target key name already exists.\r\n"
    assert here.operator.take_output() == expected
    assert here.say(here.guest, "KEYS *") == b"*1\r\n$1\r\nb\r\n"


def test_a_connection_lost_half_way_keeps_what_was_not_acknowledged(here: Node) -> None:
    here.say(here.guest, "MSET a 1 b 2")
    here.say(here.operator, "MIGRATE h 7 '' 0 100 KEYS a b")
    here.land(here.departed(), b"+OK", failure=CANNOT_READ)
    assert here.operator.take_output() == b"-IOERR error or timeout reading to target instance\r\n"
    assert here.say(here.guest, "EXISTS a", "INCR b") == b":0\r\n:3\r\n"


def test_copy_deletes_nothing_and_nobody_waits(here: Node) -> None:
    here.say(here.guest, "SET a 1")
    here.say(here.operator, "MIGRATE h 7 a 0 100 COPY REPLACE")
    assert here.say(here.guest, "INCR a") == b":2\r\n"
    transfer = here.departed()
    assert transfer.requests[0].endswith(b"REPLACE\r\n")
    here.land(transfer, b"+OK")
    assert here.say(here.guest, "GET a") == b"$1\r\n2\r\n"


def test_a_key_whose_time_ends_meanwhile_is_not_missed(here: Node) -> None:
    here.say(here.guest, "SET a 1 PX 10")
    here.say(here.operator, "MIGRATE h 7 a 0 100")
    here.at(NOW + 100)
    assert here.say(here.guest, "GET a") == b"$-1\r\n"
    here.land(here.departed(), b"+OK")
    assert here.operator.take_output() == b"+OK\r\n"


def test_a_value_that_was_not_sent_is_not_deleted(here: Node) -> None:
    here.say(here.guest, "SET a 1")
    here.say(here.operator, "MIGRATE h 7 a 0 100")
    db = here.server.keyspace.database(0)
    db.put(db.part_of(b"a"), b"a", b"another primary's")
    here.land(here.departed(), b"+OK")
    assert here.say(here.guest, "EXISTS a") == b":1\r\n"


def test_a_replica_deletes_nothing(here: Node) -> None:
    here.say(here.guest, "SET a 1")
    here.say(here.operator, "MIGRATE h 7 a 0 100")
    here.server.conditions |= FOLLOWING
    here.land(here.departed(), b"+OK")
    assert here.operator.take_output().startswith(b"-UNBLOCKED ")
    assert here.say(here.guest, "EXISTS a") == b":1\r\n"


def test_a_pause_holds_back_the_deletion(here: Node) -> None:
    here.say(here.guest, "SET a 1")
    here.say(here.operator, "MIGRATE h 7 a 0 100")
    here.say(here.client(), "CLIENT PAUSE 500 WRITE")
    here.land(here.departed(), b"+OK")
    assert here.operator.take_output() == b""
    assert here.say(here.guest, "GET a") == b"$1\r\n1\r\n"
    assert here.machine.pause_ends() == NOW + 500
    here.at(NOW + 500)
    assert here.operator.take_output() == b"+OK\r\n"
    assert here.say(here.guest, "EXISTS a") == b":0\r\n"


def test_the_replicas_are_told_once_and_watchers_wake(here: Node) -> None:
    here.say(here.guest, "MSET a 1 b 2", "WATCH a", "MULTI", "PING")
    feed = here.server.feed = Feed(here.server, 0)
    here.say(here.operator, "MIGRATE h 7 '' 0 100 KEYS a b")
    transfer = here.departed()
    transfer.accepted = [True, True]
    before = feed.offset
    settle(here.server, transfer)
    assert b"".join(feed.pending).endswith(encoded([b"DEL", b"a", b"b"]))
    assert here.operator.wrote_to == feed.offset > before
    assert here.say(here.guest, "EXEC") == b"*-1\r\n"


def test_clients_that_leave_while_they_wait_are_forgotten(here: Node) -> None:
    here.say(here.guest, "SET a 1")
    here.say(here.operator, "MIGRATE h 7 a 0 100")
    here.say(here.guest, "INCR a")
    here.machine.leave(here.guest)
    here.machine.leave(here.operator)
    here.land(here.departed(), b"+OK")
    assert here.say(here.client(), "EXISTS a") == b":0\r\n"
    assert here.server.awaiting == []


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ("MIGRATE h 7 a 0 100 KEYS b", b"-ERR When using MIGRATE KEYS option, the key argument must be set to"),
        ("MIGRATE h 7 a x 100 FOO", b"-ERR syntax error"),
        ("MIGRATE h 7 a 0 100 AUTH", b"-ERR syntax error"),
        ("MIGRATE h 7 a 0 100 AUTH2 u", b"-ERR syntax error"),
        ("MIGRATE h 7 a x 100", b"-ERR value is not an integer or out of range"),
        ("MIGRATE h 7 a 0 x", b"-ERR value is not an integer or out of range"),
        ("MIGRATE h 7 nobody 99 0", b"+NOKEY"),
        ("MIGRATE h 7 '' 0 0 KEYS", b"+NOKEY"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_sent(here: Node, request_: str, answer: bytes) -> None:
    here.say(here.guest, "SET a 1")
    assert here.say(here.operator, request_).startswith(answer)
    assert here.server.courier.under_way == []


def test_it_is_refused_inside_multi(here: Node) -> None:
    here.say(here.guest, "SET a 1", "MULTI", "MIGRATE h 7 a 0 100", "GET a")
    assert here.say(here.guest, "EXEC") == b"*2\r\n-ERR MIGRATE is not possible inside MULTI\r\n$1\r\n1\r\n"


def test_the_login_is_that_of_the_options(here: Node) -> None:
    here.say(here.guest, "SET a 1", "SET b 1")
    here.say(here.operator, "MIGRATE h 7 a 0 100 AUTH2 user secret")
    assert here.departed().login == encoded([b"AUTH", b"user", b"secret"])


@pytest.mark.parametrize(
    ("text", "port"), [(b"7000", 7000), (b"7000x", 7000), (b"foo", 0), (b"", 0), (b"65537", 1), (b"-1", -1)]
)
def test_ports_are_read_as_c_does(text: bytes, port: int) -> None:
    assert leading_number(text) == port
