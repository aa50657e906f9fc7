"""MIGRATE between machines in memory: what travels, who waits meanwhile, and what each outcome leaves at both ends."""

import pytest

from gossamer.node.commands.migrate import leading_number
from gossamer.node.engine.data.changes import SET
from gossamer.node.engine.server import Server
from gossamer.node.engine.serving.migrating import finish_migrate
from gossamer.node.engine.serving.session import Session
from gossamer.node.engine.slots.migrate import MigrateProtocol, MigrateTransfer, MigrateTransport
from gossamer.node.engine.stream.stream import Stream
from gossamer.node.machine import Machine
from gossamer.node.resp.errors import CANNOT_READ
from gossamer.node.resp.requests import encoded

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
        self.run(session, *requests)
        self.machine.drain()
        return session.take_output()

    def run(self, session: Session, *requests: str) -> None:
        """As a part of a batch."""
        for request in requests:
            session.feed(encoded([b"" if word == "''" else word.encode() for word in request.split()]))

    def departed(self) -> MigrateTransfer:
        """What the last MIGRATE has given to the transport."""
        return self.server.migrate_transport.under_way.pop()

    def land(self, transfer: MigrateTransfer, *answers: bytes, failure: bytes = b"") -> None:
        for answer in answers:
            transfer.answered(answer)
        transfer.failure = failure
        self.server.migrate_transport.finished.append(transfer)
        self.machine.drain()

    def receive(self, transfer: MigrateTransfer) -> list[bytes]:
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
    db.store(db.part_of(b"a"), b"a", b"another primary's", SET)
    here.land(here.departed(), b"+OK")
    assert here.say(here.guest, "EXISTS a") == b":1\r\n"


def test_a_replica_deletes_nothing(here: Node) -> None:
    here.say(here.guest, "SET a 1")
    here.say(here.operator, "MIGRATE h 7 a 0 100")
    here.machine.replication.follow("h", 1)
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
    assert here.server.deadlines.first == NOW + 500
    here.at(NOW + 500)
    assert here.operator.take_output() == b"+OK\r\n"
    assert here.say(here.guest, "EXISTS a") == b":0\r\n"


def test_the_replicas_are_told_once_and_watchers_wake(here: Node) -> None:
    here.say(here.guest, "MSET a 1 b 2", "WATCH a", "MULTI", "PING")
    stream = here.server.journal.open_stream(0)
    here.say(here.operator, "MIGRATE h 7 '' 0 100 KEYS a b")
    transfer = here.departed()
    transfer.accepted = [True, True]
    before = stream.offset
    finish_migrate(here.server, transfer)
    assert b"".join(stream.pending).endswith(encoded([b"DEL", b"a", b"b"]))
    assert here.operator.wrote_to == stream.offset > before
    assert here.say(here.guest, "EXEC") == b"*-1\r\n"


def test_clients_that_leave_while_they_wait_are_forgotten(here: Node) -> None:
    here.say(here.guest, "SET a 1")
    here.say(here.operator, "MIGRATE h 7 a 0 100")
    here.say(here.guest, "INCR a")
    here.machine.leave(here.guest)
    here.machine.leave(here.operator)
    here.land(here.departed(), b"+OK")
    assert here.say(here.client(), "EXISTS a") == b":0\r\n"
    assert len(here.server.waiting) == 0


def test_a_large_value_is_packed_in_steps_and_does_not_change_meanwhile(here: Node) -> None:
    there = Node()
    here.say(here.guest, "SADD s " + " ".join(f"member:{number}" for number in range(20_000)), "SET a 1")
    here.say(here.operator, "MIGRATE h 7 '' 0 100 REPLACE KEYS s a")
    transfer = here.departed()
    assert here.say(here.guest, "SADD s another") == b""
    steps = 0
    while transfer.packing:
        transfer.pack()
        steps += 1
    assert steps >= 20
    assert there.receive(transfer) == [], "the first is still being read"
    while there.server.long_replies.pending():
        there.machine.work()
        there.machine.drain()
    assert there.guest.take_output() == b"+OK\r\n+OK\r\n"
    here.land(transfer, b"+OK", b"+OK")
    assert here.guest.take_output() == b":1\r\n", "the write has found the key gone"
    assert there.say(there.client(), "SCARD s", "GET a") == b":20000\r\n$1\r\n1\r\n"


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
    assert here.server.migrate_transport.under_way == []


class Neighbour(MigrateTransport):
    """Delivers at once to ``there``, or to nobody."""

    def __init__(self, there: Node | None) -> None:
        super().__init__()
        self.there = there

    def deliver(self, transfer: MigrateTransfer) -> None:
        if self.there is None:
            super().deliver(transfer)
            return
        for answer in self.there.receive(transfer):
            transfer.answered(answer)


@pytest.fixture
def there(here: Node) -> Node:
    """Where transactions of ``here`` bring their keys."""
    node = Node()
    here.server.migrate_transport = Neighbour(node)
    return node


def taken(stream: Stream) -> bytes:
    return stream.take().replace(b"\r\n", b" ")


MOVE_A = "MIGRATE h 7 a 0 100"


def test_within_a_transaction_it_is_done_before_what_follows_it(here: Node, there: Node) -> None:
    here.say(here.guest, "MSET a 1 b 2 c 3", "MULTI", "INCR a", MOVE_A, "GET a", "INCR b")
    here.say(here.guest, "MIGRATE h 7 '' 0 100 KEYS b c nobody", "MIGRATE h 7 a 0 100", "DBSIZE")
    assert here.say(here.guest, "EXEC", "PING") == b"*7\r\n:2\r\n+OK\r\n$-1\r\n:3\r\n+OK\r\n+NOKEY\r\n:0\r\n+PONG\r\n"
    assert there.say(there.guest, "MGET a b c") == b"*3\r\n$1\r\n2\r\n$1\r\n3\r\n$1\r\n3\r\n"


def test_what_the_target_refuses_within_a_transaction_stays_and_the_rest_is_run(here: Node, there: Node) -> None:
    there.say(there.guest, "SET a other")
    here.say(here.guest, "MSET a 1 b 2", "MULTI", "MIGRATE h 7 '' 0 100 KEYS a b", "INCR a", MOVE_A + " REPLACE")
    refused = b"-ERR Target instance replied with error: BUSYKEY Target key name already exists.\r\n"
    assert here.say(here.guest, "EXEC") == b"*3\r\n" + refused + b":2\r\n+OK\r\n"
    assert here.say(here.guest, "DBSIZE") == b":0\r\n"
    assert there.say(there.guest, "MGET a b") == b"*2\r\n$1\r\n2\r\n$1\r\n2\r\n"
    assert here.server.stats.errors == {b"ERR": 1}


def test_a_target_that_is_not_there_leaves_a_transaction_with_its_keys(here: Node) -> None:
    here.server.migrate_transport = Neighbour(None)
    here.say(here.guest, "SET a 1", "MULTI", MOVE_A, "INCR a")
    assert here.say(here.guest, "EXEC") == b"*2\r\n-IOERR error or timeout connecting to the client\r\n:2\r\n"


def test_copies_leave_within_a_transaction_too(here: Node, there: Node) -> None:
    here.say(here.guest, "SET a 1", "MULTI", MOVE_A + " COPY", "INCR a")
    stream = here.server.journal.open_stream(0)
    here.run(here.guest, "EXEC")
    assert here.guest.take_output() == b"*2\r\n+OK\r\n:2\r\n"
    assert taken(stream) == b"*2 $6 SELECT $1 0 *2 $4 INCR $1 a "
    assert there.say(there.guest, "GET a") == b"$1\r\n1\r\n"


@pytest.mark.parametrize(
    ("queue", "told"),
    [
        (
            f"SET x 1|{MOVE_A}|SET y 1",
            b"*1 $5 MULTI *3 $3 SET $1 x $1 1 *2 $3 DEL $1 a *3 $3 SET $1 y $1 1 *1 $4 EXEC ",
        ),
        ("SET x 1|MIGRATE h 7 nobody 0 100|GET x", b"*3 $3 SET $1 x $1 1 "),
        ("MIGRATE h 7 '' 0 100 KEYS b nobody a", b"*3 $3 DEL $1 b $1 a "),
        (f"{MOVE_A}|MIGRATE h 7 b 0 100", b"*1 $5 MULTI *2 $3 DEL $1 a *2 $3 DEL $1 b *1 $4 EXEC "),
    ],
)
def test_the_replicas_are_told_of_it_as_a_part_of_the_transaction(
    here: Node, there: Node, queue: str, told: bytes
) -> None:
    """The words of redis-server 7.0.15, once a database is selected: 7.2 selects it behind MULTI, 7.0 before."""
    here.say(here.guest, "MSET a 1 b 2")
    stream = here.server.journal.open_stream(0)
    stream.select(0)
    stream.take()
    here.run(here.guest, "MULTI", *queue.split("|"), "EXEC")
    assert taken(stream) == told
    assert here.guest.wrote_to == stream.offset


def test_a_transaction_waits_for_a_key_that_is_under_way_already(here: Node, there: Node) -> None:
    here.say(here.guest, "SET a 1", "MULTI", MOVE_A, "SET b 1")
    here.say(here.operator, MOVE_A)
    assert here.say(here.guest, "EXEC") == b""
    here.land(here.departed(), b"+OK")
    assert here.guest.take_output() == b"*2\r\n+NOKEY\r\n+OK\r\n"


def test_who_watches_a_key_that_leaves_within_a_transaction_is_told(here: Node, there: Node) -> None:
    here.say(here.guest, "SET a 1")
    here.say(here.operator, "WATCH a", "MULTI", "PING")
    here.say(here.guest, "WATCH a", "MULTI", MOVE_A)
    assert here.say(here.guest, "EXEC") == b"*1\r\n+OK\r\n"
    assert here.say(here.operator, "EXEC") == b"*-1\r\n"


def test_the_login_is_that_of_the_options(here: Node) -> None:
    here.say(here.guest, "SET a 1", "SET b 1")
    here.say(here.operator, "MIGRATE h 7 a 0 100 AUTH2 user secret")
    assert here.departed().login == encoded([b"AUTH", b"user", b"secret"])


def test_login_and_database_are_answered_before_the_keys_are_sent(here: Node) -> None:
    here.say(here.guest, "SET a 1")
    here.say(here.operator, "MIGRATE h 7 a 12 100 AUTH secret")
    transfer = here.departed()
    dialogue = MigrateProtocol(transfer, 0)
    assert dialogue.say() == encoded([b"AUTH", b"secret"]) + encoded([b"SELECT", b"12"])
    for _ in range(2):
        assert dialogue.awaited
        dialogue.answered(b"+OK")
    assert not dialogue.awaited
    assert dialogue.say() == transfer.requests[0]
    dialogue.answered(b"+OK")
    assert dialogue.say() == b""
    assert (dialogue.db, transfer.accepted) == (12, [True])
    again = MigrateProtocol(transfer, 12)
    assert again.say() == encoded([b"AUTH", b"secret"])
    again.answered(b"-WRONGPASS")
    assert again.say() == b""
    assert transfer.refusal == b"WRONGPASS"


@pytest.mark.parametrize(
    ("text", "port"), [(b"7000", 7000), (b"7000x", 7000), (b"foo", 0), (b"", 0), (b"65537", 1), (b"-1", -1)]
)
def test_ports_are_read_as_c_does(text: bytes, port: int) -> None:
    assert leading_number(text) == port


def test_a_port_of_some_thousand_digits_wraps_as_a_short_one_does() -> None:
    assert leading_number(b"9" * 4999) == leading_number(b"9" * 16) == (10**16 - 1) & 0xFFFF
