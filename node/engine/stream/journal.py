"""The stream of writes as this node makes it: what its replicas are sent, and what counts as the replication offset.

Every command that ran is shown here (``ran``); what changed nothing is no part of the stream. The handler says in which
words its effect goes out (``Call.propagate``), else it goes out in its own words. All that one request of a client
caused goes together, however deep it was nested, and so do the deletions of keys whose time was over: more than one
command are wrapped into MULTI and EXEC. A SELECT that they need comes within, as in Redis 7.2 (7.0 has the first one
before MULTI).

Bytes collect in ``pending`` until the batch is over; ``offset`` counts them already. A node makes a stream only while
somebody may want it: ``server.journal`` is None otherwise, and on every replica, which passes on its primary's.
"""

from typing import TYPE_CHECKING, Final

from gossamer.cluster.slots import key_slot
from gossamer.node.engine.clients.client import Client
from gossamer.node.engine.data.database import Database
from gossamer.node.engine.table.command import WRITE, Command
from gossamer.node.resp.errors import Refusal

if TYPE_CHECKING:
    from gossamer.node.engine.server import Server

NOT_SELECTED: Final = -1
FORCED: Final = ("flushall", "flushdb")
"""Sent along even if there was nothing to delete here."""
AT_RANDOM: Final = ("randomkey", "scan")
"""Come upon keys whose time is over, of any slot: those have nothing to do with each other, so no MULTI around them."""

PING: Final = b"*1\r\n$4\r\nping\r\n"
GETACK: Final = b"*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n"


class Write:
    """One command of the stream, for database ``db``."""

    def __init__(self, db: int, argv: list[bytes], slot: int) -> None:
        self.db: int = db
        self.argv: list[bytes] = argv
        self.slot: int = slot
        """Of its keys; -1 if it has none, or nobody wants to know."""


class Tap:
    """Takes a copy of the writes of some slots. ``slots``: one byte a slot, 1 for those."""

    def __init__(self, slots: bytearray) -> None:
        self.slots: bytearray = slots
        self.pieces: list[bytes] = []
        self.size: int = 0

    def add(self, data: bytes) -> None:
        self.pieces.append(data)
        self.size += len(data)

    def take(self) -> bytes:
        pieces, self.pieces = self.pieces, []
        self.size = 0
        return b"".join(pieces)


class Journal:
    """``offset``: how many bytes the stream has had so far."""

    def __init__(self, server: "Server", offset: int) -> None:
        self.server: Server = server
        self.offset: int = offset
        self.pending: list[bytes] = []
        """Bytes that nobody has been given yet."""
        self.want_acks: bool = False
        """Replicas are to be asked how far they have come, behind all that is pending."""
        self.selected: int = NOT_SELECTED
        self.group: list[Write] = []
        """Writes of the command or transaction that is running."""
        self.seen: int = server.changes.dirty
        self.taps: list[Tap] = []
        """Who wants a copy: slots on their way to other nodes. MULTI and EXEC mean nothing there, so they get none."""

    def ran(
        self,
        client: Client,
        cmd: Command,
        argv: list[bytes],
        db: Database,
        effects: list[list[bytes]] | None,
        nested: bool,
    ) -> None:
        """``client`` has run ``argv``. ``effects``: what it did, in words; None: its own. ``nested``: more follows."""
        dirty = self.server.changes.dirty
        if dirty != self.seen or cmd.name in FORCED:
            self.seen = dirty
            if cmd.flags & WRITE:
                slot = slot_of(cmd, argv) if self.taps else -1
                if effects is None:
                    effects = [self.server.commands.for_stream(cmd, argv) if self.server.commands.renamed else argv]
                for words in effects:
                    self.group.append(Write(db.index, words, slot))
        if self.group and not nested:
            if cmd.name in AT_RANDOM:
                self.release()
            else:
                self.close_group()
            client.wrote_to = self.offset

    def deleted(self, db: int, key: bytes) -> None:
        """``key`` was deleted though no command asked for it."""
        self.group.append(Write(db, [b"DEL", key], key_slot(key) if self.taps else -1))

    def departed(self, db: Database, keys: list[bytes]) -> None:
        """The command that is running has brought ``keys`` elsewhere: this is how the stream tells of it."""
        self.seen = self.server.changes.dirty
        self.group.append(Write(db.index, [b"DEL", *keys], key_slot(keys[0]) if self.taps else -1))

    def gone(self, db: Database, keys: list[bytes]) -> None:
        """``keys``, in cluster mode all of one slot, are deleted outside of any command, and are elsewhere now."""
        self.release()
        self.seen = self.server.changes.dirty
        self.say(Write(db.index, [b"DEL", *keys], key_slot(keys[0]) if self.taps else -1))

    def remark(self, request: bytes) -> None:
        """Tell the replicas something that is no write."""
        self.release()
        self.seen = self.server.changes.dirty
        self.put(request)

    def close_group(self) -> None:
        """What the group holds happens together."""
        group, self.group = self.group, []
        if len(group) > 1:
            self.put(b"*1\r\n$5\r\nMULTI\r\n")
        for write in group:
            self.say(write)
        if len(group) > 1:
            self.put(b"*1\r\n$4\r\nEXEC\r\n")

    def release(self) -> None:
        """What the group holds are deletions that belong to no command: one by one."""
        group, self.group = self.group, []
        for write in group:
            self.say(write)

    def say(self, write: Write) -> None:
        self.select(write.db)
        data = encoded(write.argv)
        self.put(data)
        if write.slot >= 0:
            for tap in self.taps:
                if tap.slots[write.slot]:
                    tap.add(data)

    def select(self, db: int) -> None:
        if db != self.selected:
            self.selected = db
            self.put(encoded([b"SELECT", b"%d" % db]))

    def put(self, data: bytes) -> None:
        self.pending.append(data)
        self.offset += len(data)

    def take(self) -> bytes:
        """The bytes that nobody has been given yet."""
        pending, self.pending = self.pending, []
        return b"".join(pending)


def slot_of(cmd: Command, argv: list[bytes]) -> int:
    """The slot of the keys of ``argv``, in cluster mode one for all; -1 if it has none."""
    try:
        keys = cmd.keys_of(argv)
    except Refusal:
        return -1
    return key_slot(keys[0]) if keys else -1


def encoded(argv: list[bytes]) -> bytes:
    """A request as RESP array of bulk strings."""
    out = [b"*%d\r\n" % len(argv)]
    for arg in argv:
        out.append(b"$%d\r\n" % len(arg))
        out.append(arg)
        out.append(b"\r\n")
    return b"".join(out)
