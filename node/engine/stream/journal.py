"""The journal: all writes of this node, primary or replica, as they are told to its sinks.

Every command that ran is shown here (``ran``). One that changed nothing is no write. The handler says in which words
its effect is told (``Call.propagate``), else the request itself is. All that one request of a client caused is told as
one group, however deep it was nested, and so are the deletions of keys that it found expired.

What is deleted without a command has one door, too (``deleted``): expired keys, keys that MIGRATE has brought away,
slots that have gone. A ``Listener`` of ``data/changes.py`` could not tell of these. It hears of one key at a time, and
a slot leaves at once, as a whole, while the replicas are told of its keys in pieces.

A listener is a ``Sink``: the replication stream (``stream.py``, on a primary that has or had replicas; a replica
passes on its primary's, byte for byte), and a tap of each migration (``tap.py``). Without a sink nothing is made, and
a request costs a look at ``open``.
"""

from typing import Final

from gossamer.cluster.slots import key_slot
from gossamer.node.config import Config
from gossamer.node.engine.clients.client import Client
from gossamer.node.engine.data.changes import Changes
from gossamer.node.engine.data.database import Database
from gossamer.node.engine.stream.sink import Sink, Write
from gossamer.node.engine.stream.stream import Stream
from gossamer.node.engine.table.command import MAY_REPLICATE, WRITE, Command
from gossamer.node.engine.table.table import CommandTable
from gossamer.node.resp.errors import Refusal
from gossamer.node.resp.requests import encoded

FORCED: Final = ("flushall", "flushdb")
"""Told even if there was nothing to delete here."""
AT_RANDOM: Final = ("randomkey", "scan")
"""Find expired keys of any slot. Those have nothing to do with each other, so they are no group."""

encode: Final = encoded
"""Compiled, what is ``Final`` here is at hand; a name that was imported is looked up each time."""


class Journal:
    """``changes``: of the data that it tells of. ``commands``: the names that they have in a stream."""

    def __init__(self, changes: Changes, commands: CommandTable) -> None:
        self.changes: Changes = changes
        self.commands: CommandTable = commands
        self.sinks: list[Sink] = []
        self.open: bool = False
        """There is a sink."""
        self.sole: Sink | None = None
        """It, if there is no other."""
        self.by_slot: bool = False
        """A sink wants to know slots."""
        self.stream: Stream | None = None
        """The sink for replicas, while this node makes a stream."""
        self.writes: list[Write] = []
        """Of the request that is running, or deletions that wait for the end of the batch."""
        self.seen: int = 0
        """``Changes.dirty`` when a command was last shown."""
        self.write_count: int = 0
        """How many requests, and deletions without one, the sinks were told of so far."""

    # --- sinks

    def attach(self, sink: Sink) -> None:
        """``sink`` is given every write from now on."""
        assert sink not in self.sinks
        if not self.open:
            self.seen = self.changes.dirty
        self.sinks.append(sink)
        self._count_sinks()

    def detach(self, sink: Sink) -> None:
        """``sink``, if it is attached, is given nothing any more."""
        if sink in self.sinks:
            self.sinks.remove(sink)
            self._count_sinks()

    def open_stream(self, offset: int) -> Stream:
        """Make a stream for replicas, that begins behind byte ``offset``."""
        assert self.stream is None
        stream = Stream(offset)
        self.stream = stream
        self.attach(stream)
        return stream

    def close_stream(self) -> None:
        stream = self.stream
        if stream is not None:
            self.stream = None
            self.detach(stream)

    def mute(self) -> list[Sink]:
        """Nobody is told of anything until ``unmute`` has what this returns."""
        self.release()
        sinks, self.sinks = self.sinks, []
        self._count_sinks()
        return sinks

    def unmute(self, sinks: list[Sink]) -> None:
        self.seen = self.changes.dirty
        self.sinks = sinks
        self._count_sinks()

    def _count_sinks(self) -> None:
        self.open = bool(self.sinks)
        self.sole = self.sinks[0] if len(self.sinks) == 1 else None
        self.by_slot = any(sink.by_slot for sink in self.sinks)
        if not self.open:
            self.writes.clear()

    # --- what happens

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
        dirty = self.changes.dirty
        changed = dirty != self.seen
        self.seen = dirty
        if cmd.flags & (WRITE | MAY_REPLICATE) and (changed or cmd.name in FORCED):
            slot = slot_of(cmd, argv) if self.by_slot else -1
            if effects is not None:
                for words in effects:
                    self.writes.append(Write(db.index, encode(words), slot))
            else:
                words = self.commands.for_stream(cmd, argv) if self.commands.renamed else argv
                if not nested and not self.writes:  # the common case: the write stands alone
                    self._tell(db.index, words, slot)
                    self._note_end(client)
                    return
                self.writes.append(Write(db.index, encode(words), slot))
        if self.writes and not nested:
            if cmd.name in AT_RANDOM:
                self._tell_singly()
            else:
                self._tell_together()
            self._note_end(client)

    def deleted(self, db: int, keys: list[bytes], word: bytes = b"DEL") -> None:
        """``keys``, in cluster mode all of one slot, were deleted though no command says so. ``word``: see
        ``deletion``.

        While a request runs this goes together with it. Else ``release`` must follow, at the latest when the batch
        ends.
        """
        self.caused(db, keys[0], [word, *keys])

    def caused(self, db: int, key: bytes, words: list[bytes]) -> None:
        """As ``deleted``, of any change, in the ``words`` of a command on ``key``."""
        if self.open:
            self.writes.append(Write(db, encode(words), key_slot(key) if self.by_slot else -1))

    def release(self) -> None:
        """No request is running: what was deleted since the last one is told one by one, and no command counts it."""
        self.seen = self.changes.dirty
        if self.writes:
            self.write_count += 1
            self._tell_singly()

    def remark(self, request: bytes) -> None:
        """Tell the replicas, if there may be any, something that is no write."""
        self.release()
        if self.stream is not None:
            self.stream.put(request)

    def _tell(self, db: int, words: list[bytes], slot: int) -> None:
        sole = self.sole
        if sole is not None:
            sole.request(db, words, slot)
            return
        data = encode(words)
        for sink in self.sinks:
            sink.write(db, data, slot)

    def _tell_together(self) -> None:
        writes = self.writes
        if len(writes) == 1:
            self._tell_singly()
            return
        self.writes = []
        for sink in self.sinks:
            sink.group(writes)

    def _tell_singly(self) -> None:
        writes, self.writes = self.writes, []
        for write in writes:
            for sink in self.sinks:
                sink.write(write.db, write.data, write.slot)

    def _note_end(self, client: Client) -> None:
        """WAIT and WAITAOF wait for what ``client`` has just written."""
        self.write_count += 1
        client.last_write = self.write_count
        stream = self.stream
        if stream is not None:
            client.wrote_to = stream.offset


def deletion(config: Config, directive: str) -> bytes:
    """The word that tells of a deletion for which there is a ``lazyfree-lazy-…`` directive."""
    return b"UNLINK" if config.flag(directive) else b"DEL"


def slot_of(cmd: Command, argv: list[bytes]) -> int:
    """The slot of the keys of ``argv``, in cluster mode one for all; -1 if it has none."""
    try:
        keys = cmd.keys_of(argv)
    except Refusal:
        return -1
    return key_slot(keys[0]) if keys else -1
