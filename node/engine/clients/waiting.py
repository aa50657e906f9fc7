"""The registry of clients that wait: each wait begins here, and each ends here, whatever ends it.

A wait is a client, a reason, the keys it waits for (perhaps none) and a deadline (perhaps none). It ends in one of two
ways: the client is answered (``answer``), or the request that waits is run anew (``retry``), which may find that it has
to wait again. In both the client goes on with its next requests when the batch is done (``resumable``).

What else can end a wait depends on its reason (the table below), as in Redis 7.2 (blocked.c):

- CLIENT UNBLOCK ends what a client has asked to wait for, and not what the node makes it wait for.
- A primary that becomes a replica ends what only a primary can fulfil, with -UNBLOCKED. A request that has not run yet
  goes on waiting: it is run anew later, and told -READONLY or MOVED like any other.
- A request that waits for keys is run anew when their slot is no longer served here: dispatch knows the redirect. Where
  the cluster is down it is told that.
- The client's connection ends (CLIENT KILL, a hang-up): nothing is answered.

Clients that wait for a key are served in the order of arrival, and only if they wait for a value of the type that has
come (``KeyWait``). A request that is run anew in vain keeps its place and deadline, also when something else has held
it up in between. While anybody waits for a key the registry listens to all changes, whoever makes them; else they cost
nothing here. ``serving/ready_keys.py`` serves those who wait for what a request has changed.

A client whose replies wait for replicas (``acks.py``, ``pending.py``) is not blocked, and is served on. So it has no
wait here, only a timer in the same heap.
"""

from collections.abc import Mapping
from typing import Final

from mypy_extensions import mypyc_attr

from gossamer.cluster.slots import key_slot
from gossamer.cluster.topology import NodeId
from gossamer.node.engine.clients.client import Client
from gossamer.node.engine.data.changes import Changes, Listener
from gossamer.node.engine.data.kinds import kind_of
from gossamer.node.engine.deadlines import Deadlines, Timer
from gossamer.node.engine.insight.stats import Stats
from gossamer.node.engine.insight.usage import Usages
from gossamer.node.resp.errors import CLUSTER_DOWN, UNBLOCKED, UNBLOCKED_BY_CLIENT
from gossamer.node.resp.reply import NULL_ARRAY, Failure, Reply
from gossamer.node.types.kind import Kind, Value

RETRY: Final = Failure(b"waits")
"""Not a reply: the request waits; the session keeps it, and runs it anew when the wait ends."""

Key = tuple[int, bytes]
"""The number of a database, and a name."""


class Reason:
    """Why somebody waits, and what ends that beside its fulfilment and its deadline."""

    def __init__(
        self,
        name: str,
        *,
        retried: bool = False,
        unblockable: bool = False,
        of_primary: bool = False,
        closed_with_role: bool = False,
    ) -> None:
        self.name: str = name
        self.retried: bool = retried
        """The request has not done anything yet: whatever ends the wait well, it is run anew."""
        self.unblockable: bool = unblockable
        """CLIENT UNBLOCK ends it."""
        self.of_primary: bool = of_primary
        """It ends with -UNBLOCKED when the node becomes a replica."""
        self.closed_with_role: bool = closed_with_role
        """And then the connection is closed, as Redis does, so that the client looks for the new primary."""


PAUSE: Final = Reason("a pause", retried=True)
LEAVING_KEYS: Final = Reason("keys or slots that are under way to another node", retried=True)
REPLICAS: Final = Reason("replicas (WAIT)", unblockable=True, of_primary=True, closed_with_role=True)
DISKS: Final = Reason("the append-only files (WAITAOF)", unblockable=True, of_primary=True, closed_with_role=True)
CONFIRMATION: Final = Reason("replicas, before a request is carried out", unblockable=True, of_primary=True)
MIGRATION: Final = Reason("the target of MIGRATE", of_primary=True)
SHUTDOWN: Final = Reason("the end of the node")
LONG_REPLY: Final = Reason("a reply that takes long to make", retried=True)
SPILLED: Final = Reason("values that are not in memory", retried=True)
KEYS: Final = Reason("keys", retried=True, unblockable=True, of_primary=True, closed_with_role=True)

REASONS: Final = (PAUSE, LEAVING_KEYS, REPLICAS, DISKS, CONFIRMATION, MIGRATION, SHUTDOWN, LONG_REPLY, SPILLED, KEYS)


@mypyc_attr(allow_interpreted_subclasses=True)
class Wait(Timer):
    """One client's wait. It is ``finished`` when the registry has let it go."""

    def __init__(self, client: Client, reason: Reason) -> None:
        super().__init__()
        self.client: Client = client
        self.reason: Reason = reason
        self.keys: list[Key] = []
        self.deadline: int = 0
        """When a wait for keys ends. One that interrupts it, as a pause does, only keeps that in mind."""
        self.place: int = 0
        """Its place among those who wait: who came first has the lowest."""
        self.waiting: Waiting | None = None
        """Where it is registered, once it has begun."""
        self.for_keys: bool = reason is KEYS
        """The request waits for keys, or did before something else has held it up."""
        self.finished: bool = False

    def wants(self, value: Value | None) -> bool:
        """One of its keys has changed, and holds ``value`` now (None: nothing): is it worthwhile to ask anew?"""
        return True

    def timeout_reply(self) -> Reply:
        """What the client is told when the time is over, or when CLIENT UNBLOCK says that it is."""
        return None

    def ended(self) -> None:
        """It is over, whatever has ended it."""

    def ring(self) -> None:
        assert self.waiting is not None, "a deadline is set when the wait begins"
        self.waiting.time_out(self)


class KeyWait(Wait):
    """A client waits until one of some keys holds a value of type ``kind``.

    ``gone``: it also wants to know when a key holds something else, or nothing.
    """

    def __init__(self, client: Client, kind: Kind, gone: bool = False) -> None:
        super().__init__(client, KEYS)
        self.kind: Kind = kind
        self.gone: bool = gone

    def wants(self, value: Value | None) -> bool:
        return self.gone or (value is not None and kind_of(value).name == self.kind.name)

    def timeout_reply(self) -> Reply:
        return NULL_ARRAY


class Waiting(Listener):
    """At most one wait a client."""

    def __init__(self, deadlines: Deadlines, stats: Stats, usages: Usages, changes: Changes) -> None:
        self.deadlines: Deadlines = deadlines
        self.stats: Stats = stats
        self.usages: Usages = usages
        self.changes: Changes = changes
        self.by_client: dict[int, Wait] = {}
        """By client id, in the order of arrival."""
        self.by_reason: dict[str, dict[int, Wait]] = {reason.name: {} for reason in REASONS}
        self.by_key: dict[Key, list[Wait]] = {}
        self.changed_keys: dict[Key, bool] = {}
        """Keys that somebody waits for and that have changed, in the order of their first change."""
        self.held_keys: dict[Key, bool] = {}
        """Of these, the ones whose waiters a pause holds back: they are served when it is over."""
        self.resumable: list[Wait] = []
        """Those that are over: their clients' next requests are served when the batch is done."""
        self.retried: Wait | None = None
        """The request that waited so is being run anew. If it must wait again it keeps its place, and the deadline of a
        wait for keys; if it waited for its reply, that is in here."""
        self.serving: bool = False
        """``changed_keys`` are being gone through: what is added is served in the same turn."""
        self.begun: int = 0

    def __len__(self) -> int:
        return len(self.by_client)

    def with_deadline(self) -> int:
        """How many waits end by themselves."""
        return sum([wait.at > 0 for wait in self.by_client.values()])

    def of(self, reason: Reason) -> list[Wait]:
        """In the order of arrival."""
        return list(self.by_reason[reason.name].values())

    def find(self, client: Client) -> Wait | None:
        return self.by_client.get(client.id)

    # --- how a wait begins

    def begin(self, wait: Wait, deadline: int = 0) -> None:
        """``wait.client`` is served no further until the wait ends, at ``deadline`` (ms; 0: never) if not before."""
        client = wait.client
        assert not client.blocked, "a client that waits has no request that could wait"
        assert client.id not in self.by_client
        assert not wait.finished
        wait.waiting = self
        wait.deadline = deadline
        self._take_place(wait)
        client.blocked = True
        self.by_client[client.id] = wait
        self.by_reason[wait.reason.name][client.id] = wait
        for key in wait.keys:
            self._queue(key, wait)
        if wait.deadline and (deadline or wait.reason is KEYS):
            self.deadlines.set(wait, wait.deadline)

    def _take_place(self, wait: Wait) -> None:
        """The last in line, unless its request has waited before."""
        before = self.retried
        if before is None or before.client is not wait.client or not wait.reason.retried:
            self.begun += 1
            wait.place = self.begun
            return
        wait.place = before.place
        if before.for_keys:
            wait.for_keys = True
            wait.deadline = before.deadline

    def postpone(self, client: Client, reason: Reason) -> Reply:
        """The request that ``client`` has sent may not run yet; what dispatch says of that."""
        assert reason.retried
        self.begin(Wait(client, reason))
        return RETRY

    def wait_for_keys(self, wait: Wait, keys: list[Key], deadline: int) -> Reply:
        """The request of ``wait.client`` finds nothing at ``keys``; what its handler returns."""
        assert wait.reason is KEYS
        assert keys
        wait.keys = list(dict.fromkeys(keys))
        self.begin(wait, deadline)
        return RETRY

    def _queue(self, key: Key, wait: Wait) -> None:
        if not self.by_key:
            self.changes.listen(self)
        queue = self.by_key.get(key)
        if queue is None:
            self.by_key[key] = [wait]
            return
        at = len(queue)
        while at and queue[at - 1].place > wait.place:
            at -= 1  # it was run anew in vain: back to where it stood
        queue.insert(at, wait)

    # --- how it ends

    def answer(self, wait: Wait, reply: Reply) -> None:
        """What ``wait`` was for is decided."""
        client = wait.client
        self._end(wait)
        client.drop_postponed()
        if client.killed:
            return
        if isinstance(reply, Failure):
            self.stats.count_error(reply.text)
        if wait.reason is KEYS:
            self._count_call(client, isinstance(reply, Failure))
        client.reply(reply)

    def _count_call(self, client: Client, failed: bool) -> None:
        """A request that waited for keys in vain was a call as well. One that is run anew is counted then."""
        self.stats.total_commands_processed += 1
        if client.last_command is not None:
            usage = self.usages.of(client.last_command)
            usage.calls += 1
            usage.failed_calls += failed

    def retry(self, wait: Wait) -> None:
        """Run the request of ``wait`` anew: it may go on, or somebody has to say why not."""
        assert wait.reason.retried
        self._end(wait)

    def rerun(self, wait: Wait) -> None:
        """As ``retry``, but at once. What the client has sent behind it is served when the batch is done."""
        client = wait.client
        self.retry(wait)
        self.resumable.remove(wait)
        self.retried = wait
        client.run_postponed()
        self.retried = None
        if not client.blocked and not client.closing:
            self.resumable.append(wait)

    def retry_all(self, reason: Reason) -> None:
        for wait in self.of(reason):
            self.retry(wait)

    def time_out(self, wait: Wait) -> None:
        """Its deadline has come."""
        self.answer(wait, wait.timeout_reply())

    def unblock(self, client: Client, with_error: bool) -> bool:
        """CLIENT UNBLOCK: end the wait of ``client`` if it is one of its own; was it?"""
        wait = self.by_client.get(client.id)
        if wait is None or not wait.reason.unblockable:
            return False
        self.answer(wait, Failure(UNBLOCKED_BY_CLIENT) if with_error else wait.timeout_reply())
        return True

    def role_lost(self) -> None:
        """The node is a replica from now on."""
        waits: list[Wait] = list(self.by_client.values())
        for wait in waits:
            if not wait.reason.of_primary:
                continue
            self.answer(wait, Failure(UNBLOCKED))
            if wait.reason.closed_with_role:
                wait.client.close_after_reply()

    def slots_changed(self, served: bytearray, migrating: Mapping[int, NodeId]) -> None:
        """Other slots are served here than before: who waits for keys asks anew, and is told where they are now.

        As long as a slot is ``migrating``, those who wait for its keys stay (cluster.c of Redis).
        """
        for wait in self.of(KEYS):
            slots = [key_slot(name) for _, name in wait.keys]
            if not all(served[slot] or slot in migrating for slot in slots):
                self.retry(wait)

    def cluster_down(self) -> None:
        """No slot is served: clients that wait for keys are told so, where reads go on too: no write will come."""
        for wait in self.of(KEYS):
            self.answer(wait, Failure(CLUSTER_DOWN))

    def forget(self, client: Client) -> None:
        """The connection of ``client`` has ended."""
        assert client.closing
        wait = self.by_client.get(client.id)
        if wait is not None:
            self._end(wait)
        self.resumable = [wait for wait in self.resumable if wait.client is not client]
        client.drop_postponed()

    def _end(self, wait: Wait) -> None:
        """The one door out."""
        client = wait.client
        assert self.by_client.get(client.id) is wait, "a wait ends once"
        assert client.blocked
        del self.by_client[client.id]
        del self.by_reason[wait.reason.name][client.id]
        for key in wait.keys:
            queue = self.by_key[key]
            queue.remove(wait)
            if not queue:
                del self.by_key[key]
        if wait.keys and not self.by_key:
            self.changes.unlisten(self)
        self.deadlines.cancel(wait)
        wait.finished = True
        client.blocked = False
        wait.ended()
        if not client.closing:
            self.resumable.append(wait)

    # --- keys

    def key_changed(self, db: int, key: bytes, event: bytes) -> None:
        """There may be something at ``key`` now for who waits for it: it is asked anew when the batch is done.

        That holds for every event: who waits for a stream's group is told that the stream is gone.
        """
        if (db, key) in self.by_key:
            self.changed_keys[db, key] = True

    def keys_changed(self, db: int, part: int, event: bytes) -> None:
        for key in self.by_key:
            if key[0] == db:
                self.changed_keys[key] = True

    def take_changed_keys(self) -> list[Key]:
        keys: list[Key] = list(self.changed_keys)
        self.changed_keys = {}
        return keys

    def let_go(self) -> None:
        """The pause is over: ``held_keys`` are to be served, before what has changed since."""
        self.held_keys.update(self.changed_keys)
        self.changed_keys, self.held_keys = self.held_keys, {}

    def in_line(self, key: Key) -> list[Wait]:
        """The clients that wait for ``key``, in the order of arrival."""
        return list(self.by_key.get(key, ()))

    def take_resumable(self) -> list[Wait]:
        resumable, self.resumable = self.resumable, []
        return resumable
