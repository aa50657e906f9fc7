"""Client tracking on a node in memory: who hears what of what happens to the data. What Redis does with the same words
is compared in ``tests/compat/test_tracking.py``."""

import pytest

from gossamer.cluster.slots import SLOTS, key_slot
from gossamer.cluster.topology import Flag, Topology
from gossamer.cluster.topology import Node as Member
from gossamer.node.engine.clients.client import SUBSCRIBED
from gossamer.node.engine.clients.tracking import EFFORT
from gossamer.node.engine.data.tally import OVERHEAD
from gossamer.node.engine.server import Server
from gossamer.node.engine.serving.session import Session
from gossamer.node.engine.slots.slot_import import SlotImport
from gossamer.node.machine import BUSY_MS, Machine
from gossamer.node.resp.requests import encoded
from tests.compat.replies import read_answer
from tests.unit.node.migration.town import SLOTS as MOVED_SLOTS
from tests.unit.node.migration.town import Town
from tests.unit.node.replication.joined import Node, join

START = 1_700_000_000_000
ALL = "invalidate all"


def read(data: bytes) -> list[str]:
    """Replies in short: ``invalidate k l``, ``invalidate all``, or what they hold."""
    out: list[str] = []
    at = 0
    while at < len(data):
        answer, at = read_answer(data, at)
        if answer.kind == "push":
            name, what = answer.items
            keys = " ".join(key.text.decode() for key in what.items) if what.kind == "array" else "all"
            out.append(f"{name.text.decode()} {what.number if what.kind == 'integer' else keys}")
        else:
            out.append(str(answer.content.decode() if isinstance(answer.content, bytes) else answer.content))
    return out


class Host:
    def __init__(self, clustered: bool = False) -> None:
        self.server = Server(clustered=clustered)
        self.machine = Machine(self.server)
        self.server.begin_batch(START)
        if clustered:
            me = "a" * 40
            members = {me: Member(me, "10.0.0.1", 7000, 17000, flags=Flag.MASTER)}
            self.server.adopt(Topology(me, members, (me,) * SLOTS, ok=True))

    def client(self, *requests: str, resp3: bool = True) -> Session:
        session = self.machine.accept("127.0.0.1:1", "127.0.0.1:2")
        if resp3:
            self.say(session, "HELLO 3")
        self.say(session, *requests)
        return session

    def say(self, session: Session, *requests: str) -> list[str]:
        """Requests of one turn, and what the session hears until its end."""
        session.feed(b"".join(encoded([word.encode() for word in request.split()]) for request in requests))
        self.machine.drain()
        return self.hears(session)

    def hears(self, session: Session) -> list[str]:
        return read(session.take_output())

    def at(self, now: int) -> None:
        self.server.begin_batch(now)
        self.machine.attend(now)
        self.machine.drain()

    def listens(self) -> bool:
        return self.server.tracking in self.server.changes.listeners

    def totals(self) -> tuple[int, int, int, int]:
        tracking = self.server.tracking
        return len(tracking.on), tracking.table.keys, tracking.table.items, len(tracking.prefixes)


@pytest.fixture
def host() -> Host:
    return Host()


# --- who takes part


def test_while_nobody_tracks_nobody_listens(host: Host) -> None:
    reader, writer = host.client("GET k"), host.client("SET k 1")
    assert not host.listens()
    assert host.totals() == (0, 0, 0, 0)
    host.say(reader, "CLIENT TRACKING ON", "GET k")
    assert host.listens()
    assert host.totals() == (1, 1, 1, 0)
    host.say(reader, "CLIENT TRACKING OFF")
    assert host.totals() == (0, 1, 1, 0), "as in Redis, where a name is forgotten when it changes"
    host.say(writer, "SET k 2")
    assert host.hears(reader) == []
    assert not host.listens()
    assert host.totals() == (0, 0, 0, 0)


def test_what_the_last_one_has_read_is_forgotten_when_it_leaves(host: Host) -> None:
    readers = [host.client("CLIENT TRACKING ON", "MGET k l") for _ in range(2)]
    prefixed = host.client("CLIENT TRACKING ON BCAST PREFIX a PREFIX b")
    assert host.totals() == (3, 2, 4, 2)
    for session in (readers[0], prefixed):
        host.machine.leave(session)
    assert host.totals() == (1, 2, 4, 0)
    host.machine.leave(readers[1])
    assert host.totals() == (0, 0, 0, 0)
    while host.server.tracking.table.garbage:
        host.machine.drain()
    host.machine.drain()
    assert not host.listens()


def test_info_tells_how_much_is_tracked(host: Host) -> None:
    host.client("CLIENT TRACKING ON", "MGET k l")
    host.client("CLIENT TRACKING ON", "GET k")
    host.client("CLIENT TRACKING ON BCAST PREFIX a PREFIX b")
    asking = host.client(resp3=False)
    info = host.say(asking, "INFO everything")[0].split("\r\n")
    assert [line for line in info if line.startswith("tracking_")] == [
        "tracking_clients:3", "tracking_total_keys:2", "tracking_total_items:3", "tracking_total_prefixes:2",
    ]  # fmt: skip


def test_client_kill_ends_it(host: Host) -> None:
    reader = host.client("CLIENT TRACKING ON", "GET k")
    other = host.client(f"CLIENT KILL ID {reader.id}", "SET k 1")
    assert reader.killed
    assert host.hears(reader) == []
    host.machine.leave(reader)
    assert host.say(other, "SET k 2") == ["OK"]
    assert host.totals() == (0, 0, 0, 0)


def test_a_request_that_is_sent_elsewhere_has_read_nothing() -> None:
    host = Host(clustered=True)
    reader = host.client("CLIENT TRACKING ON")
    host.server.served[key_slot(b"k")] = 0
    host.server.topology = None
    assert host.say(reader, "GET k") == ["CLUSTERDOWN Hash slot not served"]
    assert host.totals() == (1, 0, 0, 0)


# --- in which order


def test_what_others_tell_stands_before_the_next_reply(host: Host) -> None:
    reader, writer = host.client("CLIENT TRACKING ON", "GET k"), host.client()
    host.say(writer, "SET k 1")
    assert host.say(reader, "GET k", "SET k 2", "GET k", "PING") == [
        "invalidate k", "1", "OK", "invalidate k", "2", "PONG",
    ]  # fmt: skip


def test_who_is_told_for_others_has_its_own_reply_first(host: Host) -> None:
    told = host.client()
    host.client(f"CLIENT TRACKING ON REDIRECT {told.id}", "MGET k l", resp3=False)
    assert host.say(told, "SET k 1") == ["OK", "invalidate k"]
    assert host.say(told, "MULTI", "SET l 1", "FLUSHALL", "PING", "EXEC")[-3:] == [
        read(b"*3\r\n+OK\r\n+OK\r\n+PONG\r\n")[0], "invalidate l", ALL,
    ]  # fmt: skip


def test_one_that_begins_to_track_within_exec_has_its_reply_first(host: Host) -> None:
    reader = host.client()
    heard = host.say(reader, "MULTI", "CLIENT TRACKING ON", "GET k", "SET k 1", "EXEC")
    assert heard[-1] == "invalidate k"
    assert len(heard) == 6
    assert host.server.tracking.current is None


def test_one_that_ends_to_track_within_exec_hears_of_what_came_before(host: Host) -> None:
    reader = host.client("CLIENT TRACKING ON", "GET k")
    assert host.say(reader, "MULTI", "SET k 1", "CLIENT TRACKING OFF", "EXEC")[-1] == "invalidate k"


def test_a_reader_that_waits_is_told_at_once(host: Host) -> None:
    reader, writer = host.client("CLIENT TRACKING ON"), host.client()
    assert host.say(reader, "XREAD BLOCK 0 STREAMS s l $ $") == []
    assert host.server.tracking.current is None
    host.say(writer, "XADD l 1-1 f v")
    heard = host.hears(reader)
    assert heard[0] == "invalidate l"
    assert len(heard) == 2, "and then it has its reply"
    host.say(writer, "XADD s 1-1 f v", "XADD l 1-2 f v")
    assert host.hears(reader) == ["invalidate s", "invalidate l"]


def test_a_read_that_a_pause_has_held_back_is_remembered(host: Host) -> None:
    reader = host.client("CLIENT TRACKING ON OPTIN", "CLIENT CACHING YES")
    other = host.client("CLIENT PAUSE 1000 ALL")
    assert host.say(reader, "GET k") == []
    host.at(START + 1001)
    assert host.hears(reader) == ["None"]
    host.say(other, "SET k 1")
    assert host.hears(reader) == ["invalidate k"]


# --- by which means


def test_a_subscriber_is_told_by_a_message_in_resp2(host: Host) -> None:
    told, plain = host.client(resp3=False), host.client(resp3=False)
    told.modes |= SUBSCRIBED
    readers = [host.client(f"CLIENT TRACKING ON REDIRECT {one.id}", "GET k", resp3=False) for one in (told, plain)]
    host.client("SET k 1")
    assert told.take_output() == b"*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$1\r\nk\r\n"
    assert [session.take_output() for session in (plain, *readers)] == [b"", b"", b""]
    host.client("FLUSHALL")
    assert told.take_output() == b"*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n$-1\r\n"


def test_nobody_is_told_who_is_about_to_be_closed(host: Host) -> None:
    reader = host.client("CLIENT TRACKING ON", "GET k")
    reader.feed(encoded([b"QUIT"]))
    host.client("SET k 1")
    assert host.hears(reader) == ["OK"]


# --- what becomes of the data


def test_keys_that_time_takes_are_told_to_those_who_set_them_too(host: Host) -> None:
    reader = host.client("CLIENT TRACKING ON", "SET k 1 PX 10", "SET l 1 PX 10", "GET k")
    prefixed = host.client("CLIENT TRACKING ON BCAST NOLOOP", "SET m 1 PX 10")
    host.at(START + 1000)
    assert host.hears(reader) == ["invalidate k"]
    assert sorted(host.hears(prefixed)[0].split()) == ["invalidate", "k", "l", "m"]
    assert host.say(prefixed, "SET n 1 PX 10") == ["OK"]
    host.server.begin_batch(START + 2000)
    assert host.say(prefixed, "GET n") == ["None", "invalidate n"], "whoever notices it"


def test_keys_that_must_go_for_memory_are_told_before_the_reply(host: Host) -> None:
    reader = host.client("CLIENT TRACKING ON", "SET k v", "GET k", "CONFIG SET maxmemory-policy allkeys-lru")
    limit = host.server.keyspace.tally.used() + OVERHEAD // 2
    host.say(reader, f"CONFIG SET maxmemory {limit}")
    writer = host.client("SET l v")
    assert host.hears(writer) == []
    heard = host.say(reader, "PING")
    assert heard == ["invalidate k", "PONG"]


def test_swapdb_tells_that_all_has_changed(host: Host) -> None:
    reader = host.client("CLIENT TRACKING ON", "GET k")
    prefixed = host.client("CLIENT TRACKING ON BCAST PREFIX a")
    assert host.say(reader, "SWAPDB 0 0") == ["OK"]
    assert host.say(reader, "SWAPDB 0 1") == ["OK", ALL]
    assert host.hears(prefixed) == [ALL]
    assert host.totals() == (2, 0, 0, 1)


def test_flushall_is_told_once_however_many_databases_there_are(host: Host) -> None:
    reader = host.client("CLIENT TRACKING ON", "SELECT 3", "SET k 1", "SELECT 5", "SET k 1", "GET k")
    assert host.say(reader, "FLUSHALL") == ["OK", ALL]
    assert host.say(reader, "FLUSHDB", "SET k 1") == ["OK", ALL, "OK"]


def test_a_slot_that_leaves_takes_what_was_read_of_it() -> None:
    host = Host(clustered=True)
    reader = host.client("CLIENT TRACKING ON", "SET {x}1 v", "MGET {x}1 {x}none", "GET y")
    prefixed = host.client("CLIENT TRACKING ON BCAST PREFIX {x}")
    host.server.drop_slots((key_slot(b"x"),))
    assert sorted(host.hears(reader)) == ["invalidate {x}1", "invalidate {x}none"], "what was not there, too"
    assert host.hears(prefixed) == []
    host.machine.work()
    host.machine.drain()
    assert host.hears(prefixed) == ["invalidate {x}1"], "when it is freed"
    assert host.totals()[1] == 1
    host.server.drop_slots((key_slot(b"y"), key_slot(b"z")))
    assert host.hears(reader) == ["invalidate y"], "a slot without keys"


def test_a_slot_that_comes_may_have_what_was_not_there() -> None:
    host = Host(clustered=True)
    reader = host.client("CLIENT TRACKING ON", "GET {x}1")
    slot = key_slot(b"x")
    slot_import = SlotImport("job", "a" * 40, [(slot, slot)])
    slot_import.begin(host.server.changes)
    slot_import.db.store(slot, b"{x}1", b"v", b"set")
    assert host.hears(reader) == [], "nobody can see it yet"
    slot_import.settle(host.server.keyspace.database(0))
    assert host.hears(reader) == ["invalidate {x}1"]


def test_slots_that_move_at_one_stroke_are_told_where_they_were() -> None:
    town = Town("a", "b")
    town.own("a", 0, 5460)
    town.own("b", 5461, SLOTS - 1)
    town.meet("a", "b")
    town.pass_time(3000)
    for request in ("HELLO 3", "CLIENT TRACKING ON", "SET 06S v", "GET 06S"):
        town.tell("a", request)
    town.tell("a", f"CLUSTER MIGRATESLOTS SLOTSRANGE {MOVED_SLOTS} NODE {town['b'].id}")
    town.pass_time(3000)
    assert town.state("a") == "success"
    assert read(town.clients["a"].take_output()) == ["invalidate 06S"]


def test_a_replica_tells_what_its_primary_changes() -> None:
    primary, replica = Node(1), Node(2)
    primary.tell("SET k 1", "SELECT 3", "SET l 1", "SELECT 0")
    assert replica.tell("HELLO 3", "CLIENT TRACKING ON", "GET k")
    link = join(replica, primary)
    link.settle()
    assert read(replica.client.take_output()) == [ALL], "a full sync, once"
    replica.tell("MGET k m")
    primary.tell("SET k 2", "MULTI", "SET m 1", "DEL k", "EXEC")
    link.settle()
    assert read(replica.client.take_output()) == ["invalidate k", "invalidate m"]


# --- the limit of the table


def test_the_table_is_kept_within_its_limit(host: Host) -> None:
    reader = host.client("CLIENT TRACKING ON")
    keys = 4 * EFFORT
    host.say(reader, "MGET " + " ".join(f"k{number}" for number in range(keys)))
    asked = host.client("CONFIG SET tracking-table-max-keys 10")
    told = host.hears(reader)
    assert len(told) == EFFORT, "so many in the first turn"
    host.at(START + 1000)
    told += host.hears(reader)
    assert len(told) == 3 * EFFORT, "twice as many in the next"
    assert host.machine.deadline(START + 1000) <= START + 1000 + BUSY_MS, "and it is not put off"
    host.at(START + 1000 + BUSY_MS)
    told += host.hears(reader)
    assert len(set(told)) == len(told) == keys - 10
    assert host.totals() == (1, 10, 10, 0)
    host.say(asked, "CONFIG SET tracking-table-max-keys 0")
    host.say(reader, "MGET " + " ".join(f"k{number}" for number in range(keys)))
    assert host.totals() == (1, keys, keys, 0), "no limit"


def test_who_is_told_of_prefixes_hears_nothing_of_the_limit(host: Host) -> None:
    reader = host.client("CONFIG SET tracking-table-max-keys 1", "CLIENT TRACKING ON NOLOOP")
    prefixed = host.client("CLIENT TRACKING ON BCAST")
    heard = host.say(reader, "MGET a b")
    assert heard[-1] in ("invalidate a", "invalidate b"), "NOLOOP or not"
    assert host.hears(prefixed) == []
