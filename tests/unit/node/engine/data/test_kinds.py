"""A value of another type than string has all that the engine offers, and a million elements stop nobody.

The type is ``bag.py``, which the product does not know. Steps are counted in elements, not in time.
"""

from collections.abc import Iterator
from random import Random

import pytest

from gossamer.cluster.slots import key_slot
from gossamer.node.commands.digest import DIGESTS, digest_of_all, value_digest
from gossamer.node.engine.data.changes import RESTORE
from gossamer.node.engine.data.kinds import KINDS, STUBS, copy_of, size_of
from gossamer.node.engine.data.part import size_in_tally
from gossamer.node.engine.data.snapshot import Snapshot
from gossamer.node.engine.data.tally import OVERHEAD
from gossamer.node.engine.edge import Edge
from gossamer.node.engine.server import Server
from gossamer.node.engine.stream.as_commands import WORDS, AsCommands
from gossamer.node.machine import Machine
from gossamer.node.persist.dump import FOOTER, Dump, dump
from gossamer.node.persist.events import Event, Key
from gossamer.node.persist.form import Style
from gossamer.node.persist.reader import RdbReader
from gossamer.node.persist.values import WRITERS, put_value
from gossamer.node.persist.writer import CHUNK, RdbWriter
from gossamer.node.resp.errors import WRONGTYPE, Refusal
from gossamer.node.types.kind import DONE, STEP
from tests.unit.node.engine.data.bag import BAG, STEPS, Bag, bag_of, registered
from tests.unit.node.engine.data.test_changes import Ear

MILLION = 1_000_000
READ = 1 << 16
"""Bytes that come at once."""
NOW = 1_700_000_000_000
WRONG = b"-" + WRONGTYPE + b"\r\n"


@pytest.fixture(autouse=True)
def _bags() -> Iterator[None]:
    with registered():
        yield


@pytest.fixture(scope="module")
def million() -> Bag:
    """Nobody changes this one: a test takes a copy."""
    return bag_of(MILLION, b"")


@pytest.fixture(scope="module")
def form(million: Bag) -> bytes:
    """Its type and value in an RDB."""
    out = bytearray()
    with registered():
        at = put_value(out, b"", million, Style())
        while at != DONE:
            at = put_value(out, b"", million, Style(), at)
    return bytes(out)


class Host:
    def __init__(self, clustered: bool = False) -> None:
        self.server = Server(clustered=clustered)
        self.server.served = bytearray(b"\x01" * len(self.server.served))
        self.server.access.debug = "yes"
        self.machine = Machine(self.server)
        self.session = self.machine.accept("127.0.0.1:1", "127.0.0.1:2")
        self.server.begin_batch(NOW)
        self.rng = Random(1)

    def say(self, line: str) -> bytes:
        self.session.feed(line.encode() + b"\r\n")
        return self.session.take_output()

    def have(self, value: object, key: bytes = b"bag") -> None:
        self.session.call.store(key, value, RESTORE)

    def put(self, *elements: bytes, key: bytes = b"bag") -> None:
        """What a command handler would do."""
        c = self.session.call
        bag = c.change(key, Bag)
        assert bag is not None
        for element in elements:
            bag.put(element, 7)
        c.changed(key, bag, b"bagput")

    def remove(self, *elements: bytes, key: bytes = b"bag") -> None:
        c = self.session.call
        bag = c.change(key, Bag)
        assert bag is not None
        for element in elements:
            bag.remove(element)
        c.changed(key, bag, b"bagrem")

    def disturb(self) -> None:
        """Elements come, change and go."""
        numbers = [self.rng.randrange(MILLION) for _ in range(3)]
        self.put(b":%d" % numbers[0], b"new:%d" % numbers[1])
        self.remove(b":%d" % numbers[2])

    def weight(self) -> int:
        return sum(size_in_tally(table) for db in self.server.keyspace.used() for table in db.tables())


@pytest.fixture
def host() -> Host:
    return Host()


def in_small_steps(most: int = STEP) -> bool:
    """Were there many steps since the last question, none with more elements than it may have?"""
    steps = STEPS.copy()
    STEPS.clear()
    return len(steps) >= MILLION // most and max(steps) <= most


# --- what a kind can do


def test_a_copy_is_reached_by_no_change_of_the_other() -> None:
    rng = Random(3)
    bag, models = Bag(), []
    bags = [bag]
    models = [dict[bytes, int]()]
    for _ in range(20_000):
        at = rng.randrange(len(bags))
        element = b"%d" % rng.randrange(3000)
        if rng.random() < 0.6:
            bags[at].put(element, at)
            models[at][element] = at
        else:
            assert bags[at].remove(element) == (models[at].pop(element, None) is not None)
        if rng.random() < 0.002:
            copy = copy_of(bags[at])
            assert isinstance(copy, Bag)
            bags.append(copy)
            models.append(models[at].copy())
    assert len(bags) > 20
    for one, model in zip(bags, models, strict=True):
        assert one.content() == model
        assert one.length == len(model)


def test_generic_commands_know_it(host: Host) -> None:
    host.have(bag_of(3))
    assert host.say("TYPE bag") == b"+bag\r\n"
    assert host.say("SCAN 0 TYPE bag") == b"*2\r\n$1\r\n0\r\n*1\r\n$3\r\nbag\r\n"
    assert host.say("OBJECT ENCODING bag") == b"$7\r\nbuckets\r\n"
    assert host.say("OBJECT REFCOUNT bag") == b":1\r\n"
    size = size_of(host.session.call.value(b"bag"))
    assert int(host.say("MEMORY USAGE bag")[1:]) > size > 3 * len(b"element:0")
    assert host.say("COPY bag other") == b":1\r\n"
    told = [host.say(f"DEBUG DIGEST-VALUE {key}") for key in ("bag", "other")]
    assert told[0] == told[1] != b"*1\r\n+" + b"0" * 40 + b"\r\n"
    host.put(b"more")
    assert host.say("DEBUG DIGEST-VALUE other") == told[1] != host.say("DEBUG DIGEST-VALUE bag")
    for line in ("GET bag", "APPEND bag x", "INCR bag", "SETBIT bag 1 1", "GETRANGE bag 0 1", "GETDEL bag"):
        assert host.say(line) == WRONG
    assert host.say("RENAME bag k") == b"+OK\r\n"
    assert host.say("SET k v") == b"+OK\r\n"
    assert host.server.keyspace.tally.held == host.weight()


def test_dump_and_restore(host: Host) -> None:
    host.have(bag_of(3000))
    payload = dump(host.session.call.value(b"bag") or b"")
    host.session.feed(b"*4\r\n$7\r\nRESTORE\r\n$1\r\nr\r\n$1\r\n0\r\n$%d\r\n%s\r\n" % (len(payload), payload))
    while host.server.long_replies.pending():
        host.machine.work()
        host.machine.drain()
    assert host.session.take_output() == b"+OK\r\n"
    assert host.say("DEBUG DIGEST-VALUE bag") == host.say("DEBUG DIGEST-VALUE r")


def test_the_tables_of_the_product_are_left_alone() -> None:
    assert BAG in WRITERS
    with pytest.raises(AssertionError), registered():
        pass
    stubs = {KINDS[stub] for stub in STUBS.values()}
    assert set(KINDS.values()) == set(WRITERS)
    assert set(KINDS.values()) - stubs == set(WORDS) == set(DIGESTS)


# --- the door for changes in place


def test_the_door_refuses_another_type(host: Host) -> None:
    host.say("SET k v")
    with pytest.raises(Refusal) as refused:
        host.session.call.change(b"k", Bag)
    assert refused.value.text == WRONGTYPE
    assert host.session.call.change(b"nothing", Bag) is None


def test_the_door_keeps_the_books_and_tells(host: Host) -> None:
    ear = Ear()
    host.have(bag_of(10))
    host.say("WATCH bag")
    host.server.changes.listen(ear)
    dirty = host.server.changes.dirty
    host.put(b"a", b"b")
    assert ear.take() == ["bagput 0:bag"]
    assert host.server.changes.dirty == dirty + 1
    assert host.server.keyspace.tally.held == host.weight()
    host.say("MULTI")
    assert host.say("EXEC") == b"*-1\r\n"
    host.remove(*[b"element:%d" % n for n in range(10)], b"a", b"b")
    assert ear.take() == ["bagrem 0:bag", "del 0:bag"], "without elements there is no key"
    assert host.server.changes.dirty == dirty + 2
    assert host.say("EXISTS bag") == b":0\r\n"
    assert host.server.keyspace.tally.held == 0


@pytest.mark.parametrize("begun", [False, True])
def test_the_door_makes_the_copy_for_a_snapshot(host: Host, begun: bool) -> None:
    host.have(bag_of(10))
    snapshot = Snapshot(host.server.keyspace)
    (view,) = snapshot.views
    if begun:
        assert view.begin_piece()
    host.put(b"new")
    host.remove(b"element:3")
    if not begun:
        assert view.begin_piece()
    _, value = view.take()
    assert isinstance(value, Bag)
    assert value.content() == bag_of(10).content()


def test_a_slot_that_leaves_takes_nothing_from_a_snapshot() -> None:
    host = Host(clustered=True)
    for number in range(3):
        host.have(bag_of(STEP + 500), b"{x}%d" % number)
    snapshots = [Snapshot(host.server.keyspace, [key_slot(b"x")]) for _ in range(2)]
    assert snapshots[0].views[0].begin_piece()
    host.server.drop_slots((key_slot(b"x"),))
    while host.machine.has_work:
        host.machine.work()
    assert snapshots[1].views[0].begin_piece()
    for snapshot in snapshots:
        while snapshot.views[0].pending:
            _, value = snapshot.views[0].take()
            assert isinstance(value, Bag)
            assert value.content() == bag_of(STEP + 500).content()
    assert host.server.keyspace.tally.held == 0


# --- a million elements


@pytest.mark.once
def test_a_full_sync_shows_the_beginning_while_a_million_elements_change(host: Host, million: Bag, form: bytes) -> None:
    host.have(copy_of(million))
    host.say("SET k v")
    snapshot = Snapshot(host.server.keyspace)
    STEPS.clear()
    out = []
    for chunk in RdbWriter(snapshot, checksum=False).chunks():
        assert len(chunk) < CHUNK + STEP * 40
        out.append(bytes(chunk))
        host.disturb()
    snapshot.close()
    assert in_small_steps()
    assert form[1:] in b"".join(out), "behind the type and the key stands the value as it was"
    assert host.server.keyspace.tally.held == host.weight()


@pytest.mark.once
def test_restatement_and_dump_show_the_beginning_while_a_million_elements_change(
    host: Host, million: Bag, form: bytes
) -> None:
    host.have(copy_of(million))
    host.say("PEXPIREAT bag 1900000000000")
    words, at = WORDS[BAG](b"bag", million, 1_900_000_000_000, 0)
    expected = [words]
    while at != DONE:
        words, at = WORDS[BAG](b"bag", million, 1_900_000_000_000, at)
        expected.append(words)
    STEPS.clear()
    commands = AsCommands(Snapshot(host.server.keyspace))
    steps = Dump(host.session.call.value(b"bag") or b"")
    told, dumped = [], []
    while not commands.done or not steps.done:
        if not commands.done:
            piece = commands.next(1000)
            assert len(piece) < 1000 + STEP * 60
            told.append(piece)
        if not steps.done:
            dumped.append(steps.next())
        host.disturb()
    assert in_small_steps()
    assert b"".join(told) == b"".join(expected)
    assert host.server.keyspace.database(0).views == []
    payload = b"".join(dumped)
    assert payload[: len(form)] == form
    assert len(payload) == len(form) + FOOTER


@pytest.mark.once
def test_a_million_elements_are_read_as_their_bytes_come(form: bytes) -> None:
    reader = RdbReader(verify=False)
    reader.feed(b"REDIS0010" + form[:1] + b"\3bag")
    most = 0
    events: list[Event] = []
    for at in range(1, len(form), READ):
        before = reader.unfinished()
        length = before.length if isinstance(before, Bag) else 0
        events = reader.feed(form[at : at + READ])
        after = reader.unfinished()
        if isinstance(after, Bag):
            assert not events
            most = max(most, after.length - length)
    (key,) = events
    assert isinstance(key, Key)
    assert isinstance(key.value, Bag)
    assert key.value.length == MILLION
    assert most <= READ // 4, "no feed reads more elements than it brings, none is read twice"


@pytest.mark.once
def test_digest_and_size_of_a_million_elements(host: Host, million: Bag) -> None:
    host.have(copy_of(million))
    STEPS.clear()
    assert size_of(million) == million.bytes
    assert host.server.keyspace.tally.held == million.bytes + len(b"bag") + OVERHEAD
    assert STEPS == [], "the size is known without looking at the elements"
    value_digest(0, million, False)
    assert in_small_steps()


@pytest.mark.once
@pytest.mark.parametrize("how", ["DEL bag", "SET bag v", "RENAME other bag", "FLUSHALL", "expire"])
def test_a_million_elements_are_freed_in_pieces(host: Host, million: Bag, how: str) -> None:
    bag = copy_of(million)
    assert isinstance(bag, Bag)
    host.have(bag)
    host.say("SET other v")
    for number in range(1500 if how == "FLUSHALL" else 0):
        host.say(f"SET {number} v")
    snapshot = Snapshot(host.server.keyspace) if how == "DEL bag" else None
    STEPS.clear()
    if how == "expire":
        host.say("PEXPIRE bag 5")
        host.server.begin_batch(NOW + 6)
        assert host.say("EXISTS bag") == b":0\r\n"
    else:
        host.say(how)
    assert host.server.keyspace.tally.held == host.weight()
    assert STEPS == []
    while host.machine.has_work:
        host.machine.work()
    assert in_small_steps()
    assert (bag.length, bag.buckets) == (0, [])
    if snapshot is not None:
        assert snapshot.views[0].begin_piece()
        _, value = snapshot.views[0].take()
        assert isinstance(value, Bag)
        assert value.length == MILLION


# --- replies that take long


def wait_for(host: Host, line: str) -> bytes:
    """The reply to ``line``, for which the client waits while the others are served and the data changes."""
    other = host.machine.accept("127.0.0.1:3", "127.0.0.1:2")
    assert host.say(line) == b""
    assert host.server.waiting.find(host.session) is not None
    STEPS.clear()
    reply = b""
    while host.machine.has_work and not reply:
        host.machine.work()
        host.machine.drain()
        reply = host.session.take_output()
        other.feed(b"PING\r\n")
        assert other.take_output() == b"+PONG\r\n"
        host.disturb()
    assert host.server.waiting.find(host.session) is None
    assert len(STEPS) > 100
    assert max(STEPS) <= STEP
    return reply


@pytest.mark.once
def test_dump_of_a_million_elements_holds_its_client_alone(host: Host, million: Bag, form: bytes) -> None:
    host.have(copy_of(million))
    calls = host.server.stats.total_commands_processed
    reply = wait_for(host, "DUMP bag")
    head, _, payload = reply.partition(b"\r\n")
    assert head == b"$%d" % (len(form) + FOOTER)
    assert payload[: len(form)] == form
    pings = host.server.usages.of(host.server.table[b"PING"]).calls
    assert host.server.stats.total_commands_processed - calls - pings == 1, "a request counts once"
    assert host.say("PING") == b"+PONG\r\n"


@pytest.mark.once
@pytest.mark.parametrize("line", ["DEBUG DIGEST", "DEBUG DIGEST-VALUE k bag none"])
def test_a_digest_of_a_million_elements_holds_its_client_alone(host: Host, million: Bag, line: str) -> None:
    host.say("SET k v")
    host.have(copy_of(million))
    host.say("MULTI")
    host.say(line)
    expected = host.say("EXEC").partition(b"\r\n")[2]
    assert wait_for(host, line) == expected, "as it was when it was asked for"
    assert host.server.keyspace.database(0).views == []


def test_many_small_keys_are_digested_in_steps_too(host: Host) -> None:
    for number in range(STEP):
        host.say(f"SET {number} v")
    expected = b"+" + digest_of_all(host.server.keyspace) + b"\r\n"
    assert host.say("DEBUG DIGEST") == b""
    host.say("PING")
    while host.machine.has_work:
        host.machine.work()
        host.machine.drain()
    assert host.session.take_output() == expected + b"+PONG\r\n", "what was sent behind it is answered behind it"


def test_who_hangs_up_ends_the_work_and_lets_go_of_the_data(host: Host) -> None:
    for number in range(STEP):
        host.say(f"SET {number} v")
    assert host.say("DEBUG DIGEST") == b""
    assert host.server.keyspace.database(0).views != []
    host.machine.leave(host.session)
    assert not host.machine.has_work
    assert host.server.keyspace.database(0).views == []


def test_a_pause_puts_the_reply_off_and_loses_nothing(host: Host) -> None:
    host.have(bag_of(3 * STEP))
    assert host.say("DUMP bag") == b""
    host.server.pause.begin(NOW + 100, -1)
    while host.machine.has_work:
        host.machine.work()
        host.machine.drain()
    assert host.session.take_output() == b""
    host.server.begin_batch(NOW + 100)
    host.machine.drain()
    value = host.session.call.value(b"bag")
    assert value is not None
    payload = dump(value)
    assert host.session.take_output() == b"$%d\r\n%s\r\n" % (len(payload), payload)


class Forgiving(Edge):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def unexpected(self, what: str, error: Exception) -> None:
        self.told.append(what)


def test_a_step_that_fails_costs_its_client_alone(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.have(bag_of(3 * STEP))
    assert host.say("DUMP bag") == b""
    host.server.edge = edge = Forgiving()
    monkeypatch.setitem(WRITERS, BAG, lambda *_: 1 // 0)
    while host.machine.has_work:
        host.machine.work()
    assert len(edge.told) == 1
    assert host.session.killed
