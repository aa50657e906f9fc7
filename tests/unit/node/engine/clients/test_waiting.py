"""Every kind of wait, and every way in which it can end: one table."""

from collections.abc import Callable
from typing import Final

import pytest

from gossamer.cluster.slots import SLOTS, key_slot
from gossamer.cluster.topology import Flag, Topology
from gossamer.cluster.topology import Node as Member
from gossamer.node.engine.clients.long_reply import LongReply
from gossamer.node.engine.clients.waiting import KEYS, REASONS, Wait
from gossamer.node.engine.data.changes import DEL
from gossamer.node.engine.deadlines import NEVER, Deadlines, Timer
from gossamer.node.engine.server import Server, default_config
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.serving.session import Session
from gossamer.node.engine.table.command import READONLY, Command, Handler
from gossamer.node.engine.table.keyspec import RO, first
from gossamer.node.machine import Machine
from gossamer.node.replication.replica_link import ONLINE
from gossamer.node.resp.reply import OK, Reply
from gossamer.node.resp.requests import encoded

START: Final = 1_700_000_000_000
SOON_MS: Final = 500
ME, OTHER = "a" * 40, "b" * 40
MEMBERS = {name: Member(name, "10.0.0.1", 7000, 17000, flags=Flag.MASTER) for name in (ME, OTHER)}
SLOT = key_slot(b"x")

PONG = b"+PONG\r\n"
BY_ROLE = b"-UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)\r\n"
DOWN = b"-CLUSTERDOWN The cluster is down\r\n"
BY_CLIENT = b"-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n"
MOVED = b"-MOVED %d 10.0.0.1:7000\r\n" % SLOT
READ_ONLY = b"-READONLY You can't write against a read only replica.\r\n"
TOO_FEW = b"-NOREPLICAS Not enough good replicas to write.\r\n"
ON_NO_DISK = b"*2\r\n:0\r\n:0\r\n"
NOTHING = b""


class Node:
    """A primary with all slots, one replica that lags, a command that waits for a key, and one that takes long.

    Values may leave the memory.
    """

    def __init__(self) -> None:
        config = default_config(1, True)
        config.load("vm-enabled", ["yes"])
        config.load("vm-max-memory", ["1gb"])
        self.server = Server(1, True, config=config)
        self.machine = Machine(self.server)
        self.at(START)
        self.own_slot(True)
        self.declare("waitget", waitget, 3)
        self.declare("longget", longget, 2)
        self.machine.replication.need_stream()
        self.replica = self.machine.replication.replicas.link_of(self.client())
        self.replica.state = ONLINE
        self.operator = self.client()
        self.waiter = self.client()
        self.say(self.operator, "SET {x}a 1")
        self.say(self.waiter, "SET {x}w 1")

    def declare(self, name: str, handler: Handler, arity: int) -> None:
        cmd = Command(name, handler, arity, READONLY, first(RO), (), self.server.usages.number_more())
        self.server.table = {**self.server.table, name.encode(): cmd, name.upper().encode(): cmd}

    def own_slot(self, mine: bool) -> None:
        owners = tuple(OTHER if slot == SLOT and not mine else ME for slot in range(SLOTS))
        self.server.adopt(Topology(ME, MEMBERS, owners, ok=True))

    def client(self) -> Session:
        return self.machine.accept("127.0.0.1:1", "127.0.0.1:2")

    def say(self, session: Session, *requests: str) -> bytes:
        for request in requests:
            session.feed(encoded([word.encode() for word in request.split()]))
        self.machine.drain()
        return session.take_output()

    def at(self, now: int) -> None:
        """What a node does that has slept until then."""
        self.server.begin_batch(now)
        self.machine.attend(now)
        self.machine.drain()

    def catch_up(self) -> None:
        """The replica has everything, on its disk as well."""
        self.machine.replication.replicas.acknowledged(self.replica.client, 1 << 40, 1 << 40)

    def land(self, answer: bytes) -> None:
        for transfer in self.server.migrate_transport.under_way:
            transfer.answered(answer)
            self.server.migrate_transport.finished.append(transfer)
        self.server.migrate_transport.under_way.clear()


class KeyWait(Wait):
    def timeout_reply(self) -> Reply:
        return None


def waitget(c: Call, key: bytes, timeout_ms: bytes) -> Reply:
    """GET that waits until there is something."""
    value = c.value(key)
    if value is not None:
        assert isinstance(value, bytes)
        return value
    deadline = c.now + int(timeout_ms) if int(timeout_ms) else 0
    return c.server.waiting.wait_for_keys(KeyWait(c.client, KEYS), [(0, key)], deadline)


class InTwoSteps(LongReply):
    """``value``, when two steps are done."""

    def __init__(self, value: bytes) -> None:
        super().__init__()
        self.value = value
        self.begun = False

    def step(self) -> None:
        self.done, self.begun = self.begun, True
        self.reply = self.value


def longget(c: Call, key: bytes) -> Reply:
    """GET that takes long."""
    made = c.server.long_replies.made_for(c.client)
    if made is not None:
        return made.reply
    value = c.value(key)
    assert isinstance(value, bytes)
    return c.server.long_replies.make(c.client, InTwoSteps(value))


# --- what can be waited for: how the wait begins, and how it is fulfilled


def pause(node: Node) -> None:
    node.say(node.operator, f"CLIENT PAUSE {SOON_MS} WRITE")
    node.say(node.waiter, "SET {x}k v")


def unpause(node: Node) -> None:
    node.say(node.operator, "CLIENT UNPAUSE")


def leaving_key(node: Node) -> None:
    node.say(node.client(), "MIGRATE h 7 {x}a 0 100")
    node.say(node.waiter, "INCR {x}a")


def leaving_slot(node: Node) -> None:
    node.server.leaving.hold_slots([SLOT])
    node.say(node.waiter, "INCR {x}a")


def free_slot(node: Node) -> None:
    node.server.leaving.free_slots([SLOT])


def migrate(node: Node) -> None:
    node.say(node.waiter, "MIGRATE h 7 {x}a 0 100")


def confirmation(node: Node) -> None:
    node.server.acks.wanted, node.server.acks.timeout_ms = 1, SOON_MS
    node.machine.replication.replicas.when_acknowledged(node.waiter, lambda: OK)
    node.server.acks.wanted = 0


def put(node: Node) -> None:
    node.say(node.operator, "SET {x}b v")


def value_away(node: Node) -> None:
    vm = node.machine.vm
    vm.coldest.least, vm.limit = 0, 0
    node.machine.drain()
    vm.limit = 1 << 30
    node.say(node.waiter, "GET {x}a")


def work(node: Node) -> None:
    while node.machine.has_work:
        node.machine.work()


KINDS: Final[dict[str, tuple[Callable[[Node], object], Callable[[Node], object]]]] = {
    "pause": (pause, unpause),
    "leaving key": (leaving_key, lambda node: node.land(b"-ERR no")),
    "leaving slot": (leaving_slot, free_slot),
    "WAIT": (lambda node: node.say(node.waiter, f"WAIT 1 {SOON_MS}"), Node.catch_up),
    "WAITAOF": (lambda node: node.say(node.waiter, f"WAITAOF 0 1 {SOON_MS}"), Node.catch_up),
    "confirmation": (confirmation, Node.catch_up),
    "MIGRATE": (migrate, lambda node: node.land(b"+OK")),
    "SHUTDOWN": (
        lambda node: node.say(node.waiter, "SHUTDOWN"),
        lambda node: node.say(node.operator, "SHUTDOWN ABORT"),
    ),
    "long reply": (lambda node: node.say(node.waiter, "LONGGET {x}a"), work),
    "value": (value_away, work),
    "key": (lambda node: node.say(node.waiter, f"WAITGET {{x}}b {SOON_MS}"), put),
}

FULFILLED: Final[dict[str, bytes]] = {
    "pause": b"+OK\r\n",
    "leaving key": b":2\r\n",
    "leaving slot": b":2\r\n",
    "WAIT": b":1\r\n",
    "WAITAOF": b"*2\r\n:0\r\n:1\r\n",
    "confirmation": b"+OK\r\n",
    "MIGRATE": b"+OK\r\n",
    "SHUTDOWN": b"-ERR Errors trying to SHUTDOWN. Check logs.\r\n",
    "long reply": b"$1\r\n1\r\n",
    "value": b"$1\r\n1\r\n",
    "key": b"$1\r\nv\r\n",
}

# --- what can end a wait


def unblock(node: Node) -> None:
    ended = node.server.waiting.find(node.waiter)
    assert ended is not None
    said = node.say(node.operator, f"CLIENT UNBLOCK {node.waiter.id}")
    assert said == b":%d\r\n" % ended.reason.unblockable


def kill(node: Node) -> None:
    assert node.say(node.operator, f"CLIENT KILL ID {node.waiter.id}") == b":1\r\n"
    node.machine.leave(node.waiter)


def hang_up(node: Node) -> None:
    node.machine.leave(node.waiter)


ENDINGS: Final[dict[str, Callable[[Node], object]]] = {
    "fulfilled": lambda node: None,
    "deadline": lambda node: node.at(START + SOON_MS),
    "UNBLOCK": unblock,
    "UNBLOCK ERROR": lambda node: node.say(node.operator, f"CLIENT UNBLOCK {node.waiter.id} ERROR"),
    "KILL": kill,
    "hang-up": hang_up,
    "role": lambda node: node.machine.replication.follow("10.0.0.9", 7000),
    "slot": lambda node: node.own_slot(False),
}

TABLE: Final[dict[str, dict[str, tuple[bytes, bytes]]]] = {
    "deadline": {
        "pause": (b"+OK\r\n" + PONG, NOTHING),
        "WAIT": (b":0\r\n" + PONG, NOTHING),
        "WAITAOF": (ON_NO_DISK + PONG, NOTHING),
        "confirmation": (TOO_FEW + PONG, NOTHING),
        "key": (b"$-1\r\n" + PONG, NOTHING),
    },
    "UNBLOCK": {
        "WAIT": (b":0\r\n" + PONG, NOTHING),
        "WAITAOF": (ON_NO_DISK + PONG, NOTHING),
        "confirmation": (TOO_FEW + PONG, NOTHING),
        "key": (b"$-1\r\n" + PONG, NOTHING),
    },
    "UNBLOCK ERROR": dict.fromkeys(("WAIT", "WAITAOF", "confirmation", "key"), (BY_CLIENT + PONG, NOTHING)),
    "KILL": dict.fromkeys(KINDS, (NOTHING, NOTHING)),
    "hang-up": dict.fromkeys(KINDS, (NOTHING, NOTHING)),
    "role": {
        "pause": (NOTHING, READ_ONLY + PONG),
        "leaving key": (NOTHING, READ_ONLY + PONG),
        "leaving slot": (NOTHING, READ_ONLY + PONG),
        "WAIT": (BY_ROLE, NOTHING),
        "WAITAOF": (BY_ROLE, NOTHING),
        "confirmation": (BY_ROLE + PONG, NOTHING),
        "MIGRATE": (BY_ROLE + PONG, NOTHING),
        "key": (BY_ROLE, NOTHING),
    },
    "slot": {
        "pause": (NOTHING, MOVED + PONG),
        "leaving key": (NOTHING, MOVED + PONG),
        "leaving slot": (NOTHING, MOVED + PONG),
        "long reply": (NOTHING, MOVED + PONG),
        "value": (NOTHING, MOVED + PONG),
        "key": (MOVED + PONG, NOTHING),
    },
}
"""What the client is told at once, and what when the wait is fulfilled after all. Who is not in it goes on waiting."""


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_each_wait_ends_as_it_should(kind: str, ending: str) -> None:
    node = Node()
    begin, fulfil = KINDS[kind]
    begin(node)
    waiting = node.server.waiting
    wait = waiting.find(node.waiter)
    assert wait is not None
    assert node.say(node.waiter, "PING") == NOTHING, "it is served no further"
    told = node.say(node.operator, f"CLIENT LIST ID {node.waiter.id}", "INFO clients")
    assert b" flags=b " in told
    assert b"\r\nblocked_clients:%d\r\n" % len(waiting) in told
    at_once, in_the_end = TABLE.get(ending, {}).get(kind, (NOTHING, FULFILLED[kind] + PONG))

    ENDINGS[ending](node)
    node.machine.drain()
    assert node.waiter.take_output() == at_once
    assert wait.finished == (in_the_end == NOTHING)
    assert node.server.long_replies.pending() == (kind == "long reply" and not wait.finished), "it is made for nobody"
    if ending == "role" and at_once == BY_ROLE:
        assert node.waiter.closing, "as with Redis: it is to look for the new primary"

    fulfil(node)
    node.machine.drain()
    assert node.waiter.take_output() == in_the_end
    assert wait.finished
    assert waiting.find(node.waiter) is None
    assert not node.waiter.blocked
    assert waiting.by_key == {}


def test_who_waits_for_a_key_of_a_slot_that_is_migrating_waits_until_it_has_gone() -> None:
    node = Node()
    node.say(node.waiter, "WAITGET {x}k 0")
    owners = (ME,) * SLOTS
    node.server.adopt(Topology(ME, MEMBERS, owners, migrating={SLOT: OTHER}, ok=True))
    assert node.say(node.waiter) == NOTHING
    assert node.server.waiting.find(node.waiter) is not None
    node.own_slot(False)
    assert node.say(node.waiter) == MOVED

    node.own_slot(True)
    node.say(node.waiter, "WAITGET {x}k 0")
    node.server.adopt(Topology(ME, MEMBERS, owners, migrating={SLOT: OTHER}, ok=False))
    assert node.say(node.waiter) == DOWN


@pytest.mark.parametrize("owner", [ME, None])
def test_who_waits_is_told_that_the_cluster_is_down_also_where_reads_go_on(owner: str | None) -> None:
    node = Node()
    node.say(node.operator, "CONFIG SET cluster-allow-reads-when-down yes")
    node.say(node.waiter, "WAITGET {x}k 0")
    node.server.adopt(Topology(ME, MEMBERS, (owner,) * SLOTS, ok=False))
    assert node.say(node.waiter, "PING") == DOWN + PONG


def test_the_table_is_about_the_kinds_and_endings_there_are() -> None:
    assert TABLE.keys() <= ENDINGS.keys()
    assert all(row.keys() <= KINDS.keys() for row in TABLE.values())
    assert FULFILLED.keys() == KINDS.keys()


def test_every_reason_is_in_the_table() -> None:
    found = set()
    for begin, _ in KINDS.values():
        node = Node()
        begin(node)
        wait = node.server.waiting.find(node.waiter)
        assert wait is not None
        found.add(wait.reason)
    assert found == set(REASONS)


def test_who_came_first_is_served_first_and_keeps_its_place() -> None:
    node = Node()
    clients = [node.client() for _ in range(3)]
    for client in clients:
        node.say(client, "WAITGET {x}b 0")
    waiting = node.server.waiting
    waiting.key_changed(0, b"{x}b", DEL)
    node.machine.drain()
    assert [wait.client for wait in waiting.in_line((0, b"{x}b"))] == clients, "nothing was there: they wait again"
    late = node.client()
    node.say(late, "WAITGET {x}b 0")
    waiting.key_changed(0, b"{x}b", DEL)
    node.machine.drain()
    assert [wait.client for wait in waiting.in_line((0, b"{x}b"))] == [*clients, late]


def test_a_request_that_is_run_anew_in_vain_keeps_its_deadline() -> None:
    node = Node()
    node.say(node.waiter, f"WAITGET {{x}}b {SOON_MS}", f"WAITGET {{x}}c {SOON_MS}")
    node.at(START + 300)
    node.server.waiting.key_changed(0, b"{x}b", DEL)
    node.machine.drain()
    assert node.server.deadlines.first == START + SOON_MS
    node.at(START + SOON_MS)
    assert node.waiter.take_output() == b"$-1\r\n"
    assert node.server.deadlines.first == START + 2 * SOON_MS, "the next request has a deadline of its own"


def test_a_request_behind_one_that_was_served_has_its_own_place_and_deadline() -> None:
    node = Node()
    node.say(node.waiter, f"WAITGET {{x}}b {SOON_MS}", f"WAITGET {{x}}c {SOON_MS}")
    node.at(START + 300)
    put(node)
    node.machine.drain()
    assert node.waiter.take_output() == b"$1\r\nv\r\n"
    assert node.server.deadlines.first == START + 300 + SOON_MS
    assert node.server.usages.of(node.server.table[b"waitget"]).calls == 1, "one that waits has not run"


def test_a_change_of_a_key_that_nobody_waits_for_costs_nothing() -> None:
    node = Node()
    node.say(node.waiter, f"WAITGET {{x}}b {SOON_MS}")
    node.say(node.operator, "SET {x}k v")
    assert node.server.waiting.changed_keys == {}
    node.at(START + SOON_MS)
    assert node.server.changes.listeners == [], "nobody waits any more: changes are not even told"


class Noted(Timer):
    def __init__(self, rung: list["Noted"]) -> None:
        super().__init__()
        self.rung = rung

    def ring(self) -> None:
        self.rung.append(self)


def test_timers_ring_once_in_the_order_of_their_times() -> None:
    deadlines, rung = Deadlines(), list[Noted]()
    a, b, c = (Noted(rung) for _ in range(3))
    for timer, at in ((a, 30), (b, 20), (c, 20), (a, 10), (b, 40)):
        deadlines.set(timer, at)
    assert deadlines.first == 10
    deadlines.run(20)
    assert rung == [a, c]
    deadlines.cancel(b)
    assert (deadlines.first, deadlines.planned) == (NEVER, 0)
    deadlines.run(100)
    assert rung == [a, c]


def test_entries_of_timers_that_were_put_off_do_not_pile_up() -> None:
    deadlines, timer = Deadlines(), Timer()
    keeper = Timer()
    deadlines.set(keeper, 1)
    for at in range(2, 5000):
        deadlines.set(timer, at)
    assert len(deadlines.heap) < 1500


@pytest.mark.parametrize("ending", ["deadline", "CLIENT UNBLOCK {} TIMEOUT", "CLIENT UNBLOCK {} ERROR", "fulfilled"])
def test_a_request_that_has_waited_counts_as_one_call(ending: str) -> None:
    node = Node()
    node.say(node.waiter, f"WAITGET {{x}}b {SOON_MS}")
    number = node.server.table[b"waitget"].number
    assert node.server.usages.by_number[number] is None, "not while it waits"
    if ending == "deadline":
        node.at(START + SOON_MS)
    elif ending == "fulfilled":
        put(node)
    else:
        node.say(node.operator, ending.format(node.waiter.id))
    assert node.waiter.take_output()
    usage = node.server.usages.by_number[number]
    assert usage is not None
    assert (usage.calls, usage.failed_calls) == (1, int("ERROR" in ending))
