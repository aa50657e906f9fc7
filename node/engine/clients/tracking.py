"""Client tracking: who caches what, and is told when it is no longer so (tracking.c of Redis 7.2).

A client that tracks is told once of each key that it has read, when that key changes; with BCAST it is told of all keys
that begin with its prefixes, at the end of the turn. It is told by pushes, so in RESP3, or another client is in its
place (REDIRECT).

- What a request changes that its own client has cached is told behind its reply, or behind that of the whole EXEC. So
  is whatever others redirect to a client whose request runs: ``current``. All others are told at once, and so is that
  one of what was evicted before its request has begun.
- What has changed by time or for want of memory nobody has changed: NOLOOP hides nothing of it.
- SWAPDB gives other contents to names, so all is told as with a flush. Redis tells nothing of it.

While nobody tracks, and nothing is remembered, it hears of no change and costs nothing. Clients that take part have the
mode ``TRACKS``, and only their requests come by here: ``serving/tracked.py``.
"""

from typing import Final

from gossamer.node.config import Config
from gossamer.node.engine.clients.client import SUBSCRIBED, TRACKS, Client, Clients
from gossamer.node.engine.clients.tracker import Tracker
from gossamer.node.engine.clients.tracking_prefixes import NOBODY, Prefixes
from gossamer.node.engine.clients.tracking_table import TrackingTable
from gossamer.node.engine.data.changes import (
    ALL_PARTS,
    ENCODED,
    EVICTED,
    EXPIRED,
    HEXPIRED,
    XACK,
    XCLAIM,
    XGROUP_CREATECONSUMER,
    XGROUP_DELCONSUMER,
    XGROUP_DESTROY,
    XGROUP_SETID,
    XREADGROUP,
    XSETID,
    Changes,
    Listener,
)
from gossamer.node.engine.data.keyspace import Keyspace
from gossamer.node.resp.reply import Push
from gossamer.node.resp.writer import encode

SILENT: Final = frozenset(
    (ENCODED, XACK, XCLAIM, XGROUP_CREATECONSUMER, XGROUP_DELCONSUMER, XGROUP_DESTROY, XGROUP_SETID, XREADGROUP, XSETID)
)
"""What readers of the entries see nothing of: no key is modified for Redis (``signalModifiedKey``).

XGROUP CREATE is not among them: it may have made the key. Where it has not, Redis tells nothing.
"""

BY_NOBODY: Final = frozenset((EXPIRED, EVICTED, HEXPIRED))

INVALIDATE: Final = b">2\r\n$10\r\ninvalidate\r\n"
MESSAGE: Final = b"*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n"
"""As SUBSCRIBE brings it. What follows both is an array of keys, or null for all of them."""

EFFORT: Final = 100
"""Keys that are evicted from the table in one turn; twice as many in the next if that is not enough, and so on."""


class Tracking(Listener):
    def __init__(self, config: Config, clients: Clients, keyspace: Keyspace, changes: Changes) -> None:
        self.config: Config = config
        self.clients: Clients = clients
        self.keyspace: Keyspace = keyspace
        self.changes: Changes = changes
        self.table: TrackingTable = TrackingTable()
        self.prefixes: Prefixes = Prefixes()
        self.on: dict[int, Client] = {}
        """Who tracks, by id."""
        self.known: int = 0
        """How many clients that are connected have a tracker."""
        self.current: Client | None = None
        """Whose request runs, if it takes part."""
        self.listening: bool = False
        self.max_keys: int = 0
        self._turns_over: int = 0
        """Turns that have ended with too many keys in the table, one after the other."""
        config.obey(("tracking-table-max-keys",), self._read)

    def _read(self) -> str | None:
        self.max_keys = self.config.integer("tracking-table-max-keys")
        return None

    # --- who takes part

    def enable(self, client: Client, tracker: Tracker, prefixes: list[bytes]) -> None:
        """``tracker``, which belongs to ``client``, has just been turned on."""
        self.on[client.id] = client
        if tracker.broadcast:
            for prefix in prefixes or [b""]:
                tracker.prefixes.add(prefix)
                self.prefixes.add(prefix, client.id)
        if tracker.redirect:
            target = self.clients.by_id.get(tracker.redirect)
            if target is not None:
                self.tracker_of(target)
        if not self.listening:
            self.listening = True
            self.changes.listen(self)

    def disable(self, client: Client) -> None:
        """``client`` tracks no more; it may be one that never did. What it has read stays remembered, as in Redis."""
        tracker = client.tracker
        if tracker is None or not tracker.on:
            return
        for prefix in tracker.prefixes:
            self.prefixes.remove(prefix, client.id)
        tracker.turn_off()
        del self.on[client.id]

    def tracker_of(self, client: Client) -> Tracker:
        """It takes part from now on."""
        tracker = client.tracker
        if tracker is None:
            tracker = client.tracker = Tracker()
            client.modes |= TRACKS
            self.known += 1
        return tracker

    def left(self, client: Client) -> None:
        """The connection of ``client`` has ended. After the last one nobody is left who could be told of anything."""
        if client.tracker is None:
            return
        self.disable(client)
        client.tracker = None
        client.modes &= ~TRACKS
        self.known -= 1
        if not self.known:
            self.table.clear()

    # --- requests of those who take part

    def remember(self, client: Client, keys: list[bytes]) -> None:
        """``client`` has read ``keys``, whether they exist or not."""
        tracker = client.tracker
        if tracker is not None and tracker.remembers():
            for key in keys:
                self.table.add(key, client.id)

    def replied(self, client: Client) -> None:
        """``client`` has the reply to its request: what waited for that follows."""
        self.current = None
        tracker = client.tracker
        if tracker is None:
            return
        if tracker.pushes:
            pushes, tracker.pushes = tracker.pushes, []
            for push in pushes:
                self._send(client, push)
        if tracker.changed:
            changed, tracker.changed = tracker.changed, []
            for key in changed:
                self._tell(client, tracker, null(client) if key is None else encode([key], True))

    # --- changes

    def key_changed(self, db: int, key: bytes, event: bytes) -> None:
        if event in SILENT:
            return
        if self.prefixes.by_name:
            current = self.current
            self.prefixes.note(key, NOBODY if current is None or event in BY_NOBODY else current.id)
        if self.table.keys:
            self._invalidate(key, self.table.take(key))

    def keys_changed(self, db: int, part: int, event: bytes) -> None:
        """Of whole databases ``whole_changed`` tells. A slot may have been read before it came or while it left."""
        if part == ALL_PARTS or not self.table.keys:
            return
        shift = self.keyspace.shift
        for slot in range(part << shift, (part + 1) << shift):
            self.slot_changed(slot)

    def slot_changed(self, slot: int) -> None:
        """What was read of it is another node's affair, also if there was nothing."""
        for key in self.table.keys_of(slot):
            self._invalidate(key, self.table.take(key))

    def whole_changed(self, event: bytes) -> None:
        for client in list(self.on.values()):
            tracker = client.tracker
            assert tracker is not None
            if client is self.current:
                tracker.changed.append(None)
            else:
                self._tell(client, tracker, null(client))
        self.table.clear()

    def freed(self, keys: list[bytes]) -> None:
        """These have left with their slots, as ``SLOT_LEFT`` has told: only who wants to know of prefixes knows nothing
        of it yet."""
        if self.listening:
            for key in keys:
                self.prefixes.note(key, NOBODY)

    # --- the end of a turn

    def end_turn(self) -> None:
        """What was gathered is told, and the table is kept within its limit."""
        if self.prefixes.changed:
            self._broadcast()
        if self.is_over():
            self._evict()
        else:
            self._turns_over = 0
        if self.table.garbage:
            self.table.free()
        elif not self.on and not self.table.keys:
            self.listening = False
            self.changes.unlisten(self)

    def is_over(self) -> bool:
        """Are there more keys in the table than there may be?"""
        return 0 < self.max_keys < self.table.keys

    def _broadcast(self) -> None:
        for prefix in self.prefixes.take():
            changed = prefix.take()
            everything = encode(list(changed), True)
            for client_id in prefix.clients:
                client = self.on[client_id]
                tracker = client.tracker
                assert tracker is not None
                if not tracker.no_loop:
                    self._tell(client, tracker, everything)
                    continue
                of_others = [key for key, changed_by in changed.items() if changed_by != client_id]
                if of_others:
                    self._tell(client, tracker, encode(of_others, True))

    def _evict(self) -> None:
        self._turns_over += 1
        effort = EFFORT * self._turns_over
        while effort and self.is_over():
            effort -= 1
            key, ids = self.table.evict()
            self._invalidate(key, ids)

    # --- telling

    def _invalidate(self, key: bytes, ids: list[int]) -> None:
        """Those who have read ``key`` are told, if they still track."""
        keys = encode([key], True) if ids else b""
        for client_id in ids:
            client = self.on.get(client_id)
            if client is None:
                continue
            tracker = client.tracker
            assert tracker is not None
            if tracker.broadcast:
                continue
            if client is not self.current:
                self._tell(client, tracker, keys)
            elif not tracker.no_loop:
                tracker.changed.append(key)

    def _tell(self, client: Client, tracker: Tracker, keys: bytes) -> None:
        """Say to ``client``, or to who stands in its place, that ``keys`` have changed: an array or null, encoded."""
        told = client
        if tracker.redirect:
            target = self.clients.by_id.get(tracker.redirect)
            if target is None:
                tracker.broken = True
                if client.resp3:
                    self._send(client, encode(Push([b"tracking-redir-broken", tracker.redirect]), True))
                return
            told = target
        if told.resp3:
            self._send(told, INVALIDATE + keys)
        elif tracker.redirect and told.modes & SUBSCRIBED:
            self._send(told, MESSAGE + keys)

    def _send(self, client: Client, push: bytes) -> None:
        """``push`` reaches ``client`` now, or behind the reply that it is about to get. CLIENT REPLY forbids none."""
        if client.closing:
            return
        if client is self.current and client.tracker is not None:
            client.tracker.pushes.append(push)
        else:
            client.send(push)


def null(client: Client) -> bytes:
    """All keys, in the protocol of the client that tracks, whoever is told in its place: so does Redis."""
    return encode(None, client.resp3)
