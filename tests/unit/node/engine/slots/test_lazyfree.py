"""Slots that have gone: out of sight at once, deleted in pieces, and told to the replicas before they come back."""

from collections.abc import Iterator
from itertools import pairwise

import pytest

from gossamer.cluster.slots import SLOTS, key_slot
from gossamer.cluster.topology import Flag, Node, Topology
from gossamer.node.engine.data.keyspace import Keyspace
from gossamer.node.engine.data.part import size_in_tally
from gossamer.node.engine.data.snapshot import Snapshot
from gossamer.node.engine.server import Server
from gossamer.node.engine.serving.session import Session
from gossamer.node.engine.slots.lazyfree import PIECE
from gossamer.node.machine import Machine
from gossamer.node.persist.events import Key
from gossamer.node.persist.load import Loader
from gossamer.node.resp.parser import Parser
from gossamer.node.resp.requests import encoded
from gossamer.node.types.kind import STEP

NOW = 1_700_000_000_000
ME, OTHER = "a" * 40, "b" * 40
NODES = {name: Node(name, "127.0.0.1", 7000, 17000, flags=Flag.MASTER) for name in (ME, OTHER)}
SLOT = key_slot(b"x")
KEYS = 2 * PIECE + 1


class Host:
    """A cluster node with keys of one slot, and of another that stays."""

    def __init__(self) -> None:
        self.server = Server(1, True)
        self.machine = Machine(self.server)
        self.server.begin_batch(NOW)
        self.own(SLOT)
        self.session: Session = self.machine.accept("127.0.0.1:1", "127.0.0.1:2")
        for number in range(KEYS):
            self.say(f"SET {{x}}{number} v EX 100")
        self.say("SET {y} v")
        self.stream = self.server.journal.open_stream(0)

    def own(self, *slots: int, importing: bool = False) -> None:
        """All slots are this node's but ``SLOT``, unless it is one of ``slots``."""
        owners = tuple(ME if slot != SLOT or slot in slots else OTHER for slot in range(SLOTS))
        self.server.adopt(Topology(ME, NODES, owners, importing={SLOT: OTHER} if importing else {}, ok=True))

    def lose(self) -> None:
        self.own()
        self.server.drop_slots((SLOT,))

    def say(self, request: str, session: Session | None = None) -> bytes:
        session = session or self.session
        session.feed(encoded([word.encode() for word in request.split()]))
        return session.take_output()

    def told(self) -> list[list[str]]:
        """What the replicas have been told since, but SELECT."""
        self.server.journal.release()
        parser, out = Parser(), []
        parser.feed(self.stream.take())
        while (argv := parser.next()) is not None:
            out.append([word.decode() for word in argv])
        return [argv for argv in out if argv[0] != "SELECT"]


@pytest.fixture
def host() -> Host:
    return Host()


def test_the_keys_are_gone_at_once_and_deleted_in_pieces(host: Host) -> None:
    poked: list[bool] = []
    host.server.lazyfree.on_work = lambda: poked.append(True)
    host.lose()
    assert poked
    assert host.say("DBSIZE") == b":1\r\n"
    assert host.say("KEYS *") == host.say("SCAN 0").partition(b"$1\r\n0\r\n")[2] == b"*1\r\n$3\r\n{y}\r\n"
    assert host.server.keyspace.database(0).volatile == 0
    pieces = []
    while host.machine.has_work:
        assert host.told() == []
        host.machine.work()
        pieces.append(host.told()[0])
    assert [len(argv) - 1 for argv in pieces] == [PIECE, PIECE, 1]
    assert {argv[0] for argv in pieces} == {"DEL"}
    assert sorted(key for argv in pieces for key in argv[1:]) == sorted(f"{{x}}{number}" for number in range(KEYS))


@pytest.mark.parametrize("importing", [False, True], ids=["owned", "importing"])
def test_a_slot_that_comes_back_is_done_with_before_it_has_new_keys(host: Host, importing: bool) -> None:
    host.lose()
    host.machine.work()
    host.own(*([] if importing else [SLOT]), importing=importing)
    assert not host.machine.has_work
    if importing:
        host.say("ASKING")
    assert host.say("SET {x}0 new") == b"+OK\r\n"
    told = host.told()
    assert [argv[0] for argv in told] == ["DEL"] * 3 + ["SET"]
    assert len({key for argv in told[:3] for key in argv[1:]}) == KEYS


def test_the_tables_of_other_slots_stay_as_long_as_they_take(host: Host) -> None:
    host.lose()
    host.server.lazyfree.finish([SLOT + 1])
    assert host.machine.has_work


def test_who_watches_one_of_the_keys_is_told_at_once(host: Host) -> None:
    watcher, other = (host.machine.accept("127.0.0.1:1", "127.0.0.1:2") for _ in range(2))
    host.say("WATCH {x}3", watcher)
    host.say("WATCH {y}", other)
    host.lose()
    for session, answer in ((watcher, b"*-1\r\n"), (other, b"*1\r\n+PONG\r\n")):
        host.say("MULTI", session)
        host.say("PING", session)
        assert host.say("EXEC", session) == answer


def test_a_stream_that_was_not_there_then_tells_nothing_of_it(host: Host) -> None:
    """A node that has followed in between has other keys, and other replicas."""
    host.lose()
    host.server.journal.close_stream()
    host.stream = host.server.journal.open_stream(0)
    host.machine.work()
    assert host.told() == []
    while host.machine.has_work:
        host.machine.work()
    assert host.told() == []


def test_the_stream_stands_still_while_writes_are_held_back(host: Host) -> None:
    host.lose()
    host.say("CLIENT PAUSE 500 WRITE")
    assert not host.machine.has_work
    host.machine.work()
    assert host.told() == []
    host.server.begin_batch(NOW + 500)
    assert host.machine.has_work


def test_a_snapshot_that_is_under_way_has_the_keys_still(host: Host) -> None:
    snapshot = Snapshot(host.server.keyspace, [SLOT])
    host.lose()
    while host.machine.has_work:
        host.machine.work()
    (view,) = snapshot.views
    ends = {key: view.expire_of(key) for piece in given_out(snapshot) for key in piece}
    assert (len(ends), ends[b"{x}0"]) == (KEYS, NOW + 100_000)
    snapshot.close()


# --- whole databases


class Plain:
    """A node outside of a cluster, with many keys in its first database and one in its second."""

    def __init__(self) -> None:
        self.server = Server()
        self.machine = Machine(self.server)
        self.server.begin_batch(NOW)
        self.session = self.machine.accept("127.0.0.1:1", "127.0.0.1:2")
        for number in range(KEYS):
            self.say(f"SET {number} v EX 100")
        self.say("SELECT 1", "SET other v", "SELECT 0")
        self.parts = self.server.keyspace.database(0).full_parts()

    def say(self, *lines: str) -> bytes:
        for line in lines:
            self.session.feed(line.encode() + b"\r\n")
        return self.session.take_output()

    @property
    def left(self) -> int:
        """Keys that are not freed yet, of those that were there."""
        return sum(len(part) for part in self.parts)

    def free_all(self) -> list[int]:
        """How many keys were left before each piece."""
        before = []
        while self.machine.has_work:
            before.append(self.left)
            self.machine.work()
        return before


def weight(server: Server) -> int:
    return sum(size_in_tally(table) for db in server.keyspace.used() for table in db.tables())


@pytest.mark.parametrize("how", ["FLUSHDB", "FLUSHDB SYNC", "FLUSHALL ASYNC", "a full sync"])
def test_a_database_that_is_dropped_leaves_the_tally_at_once_and_is_freed_in_pieces(how: str) -> None:
    plain = Plain()
    if how == "a full sync":
        plain.server.keyspace.replace(Keyspace(16), NOW)
    else:
        plain.say(how)
    assert plain.say("DBSIZE") == b":0\r\n"
    assert plain.left == KEYS
    assert plain.server.keyspace.tally.held == weight(plain.server)
    before = plain.free_all()
    assert before[0] == KEYS
    assert all(0 < one - other <= PIECE for one, other in pairwise(before))
    assert plain.left == 0


def test_what_a_broken_full_sync_has_brought_is_freed_in_pieces() -> None:
    plain = Plain()
    loader = Loader(Keyspace(16), NOW, True)
    loader.take([Key(0, b"%d" % number, b"v", -1, -1, -1) for number in range(KEYS)])
    plain.parts = loader.keyspace.database(0).full_parts()
    loader.dispose(plain.server.changes)
    assert len(plain.free_all()) == 3
    assert plain.left == 0


def test_what_only_snapshots_see_is_freed_when_the_last_of_them_ends() -> None:
    plain = Plain()
    one, other = (Snapshot(plain.server.keyspace) for _ in range(2))
    plain.say("FLUSHALL")
    one.close()
    assert plain.free_all() == []
    assert sum(len(keys) for keys in given_out(other)) == KEYS
    other.close()
    assert len(plain.free_all()) == 3
    assert plain.left == 0


def given_out(snapshot: Snapshot) -> Iterator[dict[bytes, object]]:
    view = snapshot.views[0]
    while view.begin_piece():
        yield view.pending
        view.pending = {}


def test_slots_that_were_dropped_before_a_flush_are_not_taken_from_the_tally_twice(host: Host) -> None:
    host.lose()
    host.say("FLUSHALL")
    host.say("SET {y} v")
    while host.machine.has_work:
        host.machine.work()
    assert host.server.keyspace.tally.held == weight(host.server) > 0


def test_objects_are_counted_while_they_wait_and_when_they_are_freed(host: Host) -> None:
    def counted() -> tuple[int, int]:
        return host.server.lazyfree.count(), host.server.stats.lazyfreed_objects

    members = " ".join(f"m{number}" for number in range(2 * PIECE + STEP))
    host.say(f"SADD {{x}}large {members}")
    host.say(f"SADD {{y}}large {members}")
    host.lose()
    host.say("UNLINK {y}large")
    assert counted() == (KEYS + 2, 0)
    before = counted()
    while host.machine.has_work:
        host.machine.work()
        after = counted()
        assert sum(after) == sum(before), "a key counts once, also if its value takes several pieces"
        assert after[0] <= before[0]
        before = after
    assert after == (0, KEYS + 2)
    host.say("CONFIG RESETSTAT")
    assert counted() == (0, 0)


def test_slots_that_have_gone_are_told_as_a_deletion_by_the_server(host: Host) -> None:
    host.say("CONFIG SET lazyfree-lazy-server-del yes")
    host.lose()
    host.machine.work()
    assert host.told()[-1][0] == "UNLINK"
