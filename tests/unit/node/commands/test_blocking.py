"""Who waits for a list: when it is served, in which order, what ends it, and what the stream of writes says of it."""

import pytest

from gossamer.node.engine.serving.session import Session
from gossamer.node.engine.stream.sink import Sink
from gossamer.node.resp.parser import Parser
from gossamer.node.resp.requests import encoded
from tests.unit.node.replication.joined import START, Node, join

NOTHING = b""
NULL = b"*-1\r\n"


def popped(*words: str) -> bytes:
    return encoded([word.encode() for word in words])


class Written(Sink):
    """The writes of a node, as text."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def write(self, db: int, data: bytes, slot: int) -> None:
        parser = Parser()
        parser.feed(data)
        argv = parser.next()
        assert argv is not None
        self.told.append(b" ".join(argv).decode())


class Scene:
    """A node whose first client is ``node.client``, and as many others as are asked for."""

    def __init__(self) -> None:
        self.node = Node(1)
        self.written = Written()
        self.node.server.journal.attach(self.written)

    def client(self) -> Session:
        return self.node.machine.accept("127.0.0.1:5", "127.0.0.1:2")

    def say(self, session: Session, *requests: str) -> bytes:
        """All in one batch."""
        session.feed(b"".join([encoded([word.encode() for word in request.split()]) for request in requests]))
        self.node.machine.drain()
        return session.take_output()

    def waiter(self, request: str) -> Session:
        session = self.client()
        assert self.say(session, request) == NOTHING
        assert session.blocked
        return session

    def tell(self, *requests: str) -> bytes:
        return self.say(self.node.client, *requests)

    def at(self, later: int) -> None:
        self.node.at(START + later)
        self.node.machine.drain()


# --- who is served, and when


def test_who_came_first_is_served_first_with_the_first_element() -> None:
    scene = Scene()
    first, second, third = (scene.waiter("BLPOP k 0") for _ in range(3))
    assert scene.tell("RPUSH k a b") == b":2\r\n"
    assert [session.take_output() for session in (first, second, third)] == [popped("k", "a"), popped("k", "b"), b""]
    scene.tell("RPUSH k c")
    assert third.take_output() == popped("k", "c")


def test_it_is_served_before_the_next_request_of_a_pipeline_runs() -> None:
    scene = Scene()
    waiter = scene.waiter("BLPOP k 0")
    assert scene.tell("RPUSH k a", "LPOP k", "RPUSH k b", "LLEN k") == b":1\r\n$-1\r\n:1\r\n:1\r\n"
    assert waiter.take_output() == popped("k", "a")


def test_what_it_has_sent_behind_is_served_when_the_others_have_had_their_turn() -> None:
    scene = Scene()
    waiter = scene.waiter("BLPOP k 0")
    assert scene.say(waiter, "LLEN k") == NOTHING
    scene.tell("RPUSH k a", "RPUSH k b", "RPUSH k c")
    assert waiter.take_output() == popped("k", "a") + b":2\r\n"


def test_within_a_transaction_nobody_waits_and_nobody_is_served_before_its_end() -> None:
    scene = Scene()
    waiter = scene.waiter("BLPOP k 0")
    scene.tell("MULTI", "RPUSH k a", "LPUSH k b", "LPUSH k c", "BLPOP none 0", "BLMOVE none k LEFT LEFT 0")
    assert scene.tell("EXEC") == b"*5\r\n:1\r\n:2\r\n:3\r\n*-1\r\n$-1\r\n"
    assert waiter.take_output() == popped("k", "c")
    waiter = scene.waiter("BLPOP m 0")
    scene.tell("MULTI", "RPUSH m a", "DEL m", "EXEC")
    assert waiter.blocked, "what comes and goes within a transaction is not seen"


def test_the_keys_are_looked_at_in_the_order_of_the_request() -> None:
    scene = Scene()
    waiter = scene.waiter("BLPOP a b 0")
    scene.tell("MULTI", "RPUSH b 1", "RPUSH a 2", "EXEC")
    assert waiter.take_output() == popped("a", "2")
    assert scene.tell("LRANGE b 0 -1") == popped("1")


def test_a_move_serves_who_waits_for_its_target() -> None:
    scene = Scene()
    last = scene.waiter("BLPOP c 0")
    middle = scene.waiter("BLMOVE b c LEFT LEFT 0")
    first = scene.waiter("BRPOPLPUSH a b 0")
    scene.tell("RPUSH a x")
    assert (first.take_output(), middle.take_output()) == (b"$1\r\nx\r\n", b"$1\r\nx\r\n")
    assert last.take_output() == popped("c", "x")
    assert scene.written.told == ["RPUSH a x", "RPOPLPUSH a b", "LMOVE b c LEFT LEFT", "LPOP c"]
    assert scene.tell("DBSIZE") == b":0\r\n"


def test_moves_in_a_circle_come_to_an_end() -> None:
    scene = Scene()
    one, other = scene.waiter("BRPOPLPUSH a b 0"), scene.waiter("BRPOPLPUSH b a 0")
    scene.tell("RPUSH a x")
    assert (one.take_output(), other.take_output()) == (b"$1\r\nx\r\n", b"$1\r\nx\r\n")
    assert scene.tell("LRANGE a 0 -1") == popped("x")


def test_as_many_as_wanted_are_popped_at_once() -> None:
    scene = Scene()
    waiter = scene.waiter("BLMPOP 0 2 a b RIGHT COUNT 2")
    scene.tell("RPUSH b 1 2 3")
    assert waiter.take_output() == b"*2\r\n$1\r\nb\r\n" + popped("3", "2")
    assert scene.written.told == ["RPUSH b 1 2 3", "RPOP b 2"]


@pytest.mark.parametrize(
    "appears",
    [
        ("RPUSH o x", "RENAME o k"),
        ("RPUSH o x", "COPY o k"),
        ("SELECT 1", "RPUSH k x", "MOVE k 0"),
        ("SELECT 1", "RPUSH k x", "SWAPDB 0 1"),
        ("SET k v", "RPUSH o x", "RENAME o k"),
        ("SET k v", "DEL k", "RPUSH k x"),
        ("LMOVE none k LEFT LEFT", "RPUSH o x", "LMOVE o k LEFT LEFT"),
    ],
)
def test_however_the_list_appears(appears: tuple[str, ...]) -> None:
    scene = Scene()
    waiter = scene.waiter("BLPOP k 0")
    scene.tell(*appears)
    assert waiter.take_output() == popped("k", "x")


# --- other types


def test_a_value_of_another_type_serves_nobody() -> None:
    scene = Scene()
    waiter = scene.waiter("BLPOP k other 0")
    scene.tell("SET k v")
    scene.tell("DEL k", "SADD k v")
    assert waiter.blocked
    scene.tell("RPUSH other x")
    assert waiter.take_output().startswith(b"-WRONGTYPE"), "all keys are looked at anew, in their order"
    assert scene.tell("LLEN other") == b":1\r\n"


def test_a_target_of_another_type_is_seen_when_there_is_something_to_move() -> None:
    scene = Scene()
    waiter = scene.waiter("BLMOVE k target LEFT LEFT 0")
    next_one = scene.waiter("BLPOP k 0")
    scene.tell("SET target v")
    assert waiter.blocked
    scene.tell("RPUSH k x")
    assert waiter.take_output().startswith(b"-WRONGTYPE")
    assert next_one.take_output() == popped("k", "x"), "what the first could not move is the next one's"


# --- what ends it


def test_the_time_is_over_at_a_fraction_of_a_second_and_the_call_counts() -> None:
    scene = Scene()
    waiters = [scene.waiter(f"{request} 0.0123") for request in ("BLPOP k", "BLMOVE k l LEFT LEFT")]
    waiters.append(scene.waiter("BLMPOP 0.0123 1 k LEFT"))
    scene.at(12)
    assert all(waiter.blocked for waiter in waiters)
    scene.at(13)
    assert [waiter.take_output() for waiter in waiters] == [NULL, NULL, NULL]
    assert scene.node.server.waiting.by_key == {}
    assert b"cmdstat_blpop:calls=1," in scene.tell("INFO commandstats")


def test_a_pause_takes_nothing_from_the_place_and_the_deadline() -> None:
    scene = Scene()
    first = scene.waiter("BLPOP k 0.5")
    scene.at(100)
    scene.tell("CLIENT PAUSE 100 WRITE")
    second = scene.waiter("BLPOP k 0")
    scene.tell("MULTI")
    scene.at(210)
    third = scene.waiter("BLPOP k 0")
    scene.tell("DISCARD", "RPUSH k a")
    assert first.take_output() == popped("k", "a")
    scene.tell("RPUSH k b c")
    assert (second.take_output(), third.take_output()) == (popped("k", "b"), popped("k", "c"))


@pytest.mark.parametrize("mode", ["WRITE", "ALL"])
def test_a_pause_of_writes_holds_back_who_pops_and_not_who_reads(mode: str) -> None:
    scene = Scene()
    popper, reader = scene.waiter("BLPOP k 0"), scene.waiter("XREAD BLOCK 0 STREAMS s $")
    scene.tell("MULTI", "RPUSH k a", "XADD s 1-1 f v", f"CLIENT PAUSE 100 {mode}", "EXEC")
    read = reader.take_output()
    assert (b"1-1" in read) == (mode == "WRITE")
    assert popper.take_output() == NOTHING
    scene.at(110)
    assert popper.take_output() == popped("k", "a")
    assert b"1-1" in read + reader.take_output()


def test_a_client_that_is_killed_takes_nothing() -> None:
    scene = Scene()
    waiter, other = scene.waiter("BLPOP k 0"), scene.waiter("BLPOP k 0")
    scene.tell(f"CLIENT KILL ID {waiter.id}", "RPUSH k a")
    assert waiter.take_output() == NOTHING
    assert other.take_output() == popped("k", "a")


def test_unblock_ends_it_as_its_time_does_or_with_an_error() -> None:
    scene = Scene()
    first, second = scene.waiter("BLPOP k 0"), scene.waiter("BLPOP k 0")
    assert scene.tell(f"CLIENT UNBLOCK {first.id}", f"CLIENT UNBLOCK {second.id} ERROR") == b":1\r\n:1\r\n"
    assert first.take_output() == NULL
    assert second.take_output() == b"-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n"


def test_who_waits_on_a_node_that_becomes_a_replica_is_told_and_let_go() -> None:
    scene = Scene()
    waiter = scene.waiter("BLPOP k 0")
    scene.tell("REPLICAOF host 1")
    assert waiter.take_output().startswith(b"-UNBLOCKED ")
    assert waiter.closing


def test_info_and_client_list_tell_who_waits() -> None:
    scene = Scene()
    waiter = scene.waiter("BLPOP k m 0")
    scene.waiter("BLPOP m 0")
    assert b"\r\nblocked_clients:2\r\n" in scene.tell("INFO clients")
    assert b" flags=b " in scene.tell(f"CLIENT LIST ID {waiter.id}")


# --- replicas


def test_a_replica_has_what_the_primary_has_after_waits_and_moves() -> None:
    primary, replica = Node(1), Node(2)
    replica.replication.follow("primary", 1)
    link = join(replica, primary)
    waiter = primary.machine.accept("127.0.0.1:5", "127.0.0.1:2")
    waiter.feed(popped("BLMOVE", "a", "b", "LEFT", "RIGHT", "0") + popped("BLPOP", "a", "0"))
    primary.tell("RPUSH a 1 2 3", "RPUSH a 4")
    link.settle()
    assert waiter.take_output() == b"$1\r\n1\r\n" + popped("a", "2")
    assert primary.digest == replica.digest


def test_monitor_is_told_of_a_request_once_when_it_begins_to_wait() -> None:
    scene = Scene()
    monitor = scene.client()
    assert scene.say(monitor, "MONITOR") == b"+OK\r\n"
    late = scene.waiter("BLPOP late 0.1")
    waiter = scene.waiter("BLPOP k 0")
    scene.tell("LPUSH k v")
    assert scene.say(waiter) == popped("k", "v")
    scene.at(200)
    assert scene.say(late, "BLPOP k 0.1") == NULL
    told = [line.partition(b"] ")[2] for line in monitor.take_output().splitlines()]
    assert told == [b'"BLPOP" "late" "0.1"', b'"BLPOP" "k" "0"', b'"LPUSH" "k" "v"', b'"BLPOP" "k" "0.1"']
