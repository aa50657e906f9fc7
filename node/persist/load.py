"""Puts what an RDB tells into a keyspace.

What is no key is collected: AUX fields (a replica looks for ``repl-id`` there) and functions, which nothing here runs.
Keys of slots that the writer was still importing go beside the data. Valkey says which with an opcode of its own; we
say it, and more, with the AUX field ``slot-import``, which every other server skips.
"""

from typing import Final

from gossamer.cluster.slots import SLOTS
from gossamer.cluster.text import bytes_of, text_of
from gossamer.node.engine.data.changes import LOADED, Changes
from gossamer.node.engine.data.clock import stamp_of
from gossamer.node.engine.data.contents import CLUSTER_SHIFT
from gossamer.node.engine.data.database import Database
from gossamer.node.engine.data.keyspace import Keyspace
from gossamer.node.engine.data.part import NEVER
from gossamer.node.engine.slots.slot_import import SlotImport
from gossamer.node.persist.codes import RdbError
from gossamer.node.persist.events import Aux, Event, Function, Key, SelectDb, SlotImportMark

IMPORT: Final = "slot-import"


class Loader:
    """``now``: unix milliseconds. ``keep_stale``: keep keys whose time is over, as a replica must. A caller that drops
    them goes on with the stream of the writer has to tell the writer's replicas.

    The keyspace should be empty; a key that is there already, or twice in the RDB, is an error, as in Redis.
    """

    def __init__(self, keyspace: Keyspace, now: int, keep_stale: bool) -> None:
        self.keyspace: Keyspace = keyspace
        self.now: int = now
        self.keep_stale: bool = keep_stale
        self.keys: int = 0
        """How many keys were put in."""
        self.stale: int = 0
        """How many were dropped."""
        self.dropped: list[tuple[int, bytes]] = []
        """Database and name of each, if the writer has told its place in a stream."""
        self.aux: dict[bytes, bytes] = {}
        self.functions: list[bytes] = []
        self.slot_imports: list[SlotImport] = []
        """Slots that the writer was importing."""
        self._db: Database = keyspace.database(0)

    def take(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Key):
                self._put(event)
            elif isinstance(event, SelectDb):
                self._select(event.db)
            elif isinstance(event, Aux):
                self.aux[event.name] = event.value
                if event.name == bytes_of(IMPORT):
                    self._import(read_import(event.value))
            elif isinstance(event, SlotImportMark):
                self._import(SlotImport(text_of(event.name), "", event.ranges))
            elif isinstance(event, Function):
                self.functions.append(event.source)

    def dispose(self, changes: Changes) -> None:
        """What was put in is of no use: ``changes`` has it freed in pieces."""
        self.keyspace.dispose(changes)
        for slot_import in self.slot_imports:
            slot_import.db.dispose(changes)

    def _select(self, index: int) -> None:
        if index >= len(self.keyspace):
            raise RdbError(f"the data has a database {index}, but there are only {len(self.keyspace)} here")
        self._db = self.keyspace.database(index)

    def _import(self, slot_import: SlotImport) -> None:
        """Told in both ways, the first counts: ours, which says more."""
        if all(slot_import.name != other.name for other in self.slot_imports):
            slot_import.begin(self.keyspace.changes)
            self.slot_imports.append(slot_import)

    def _place(self, key: bytes) -> Database:
        """Where ``key`` goes."""
        if self.slot_imports and self.keyspace.shift == CLUSTER_SHIFT:
            slot = self._db.part_of(key)
            for slot_import in self.slot_imports:
                if slot_import.slots[slot]:
                    return slot_import.db
        return self._db

    def _put(self, event: Key) -> None:
        if 0 <= event.end < self.now and not self.keep_stale:
            self.stale += 1
            if b"repl-id" in self.aux:
                self.dropped.append((self._db.index, event.key))
            return
        key = event.key
        db = self._place(key)
        part = db.part_of(key)
        before = db.size
        db.store(part, key, event.value, LOADED, max(event.end, NEVER))
        if db.size == before:
            raise RdbError(f"key {key[:128]!r} of database {db.index} occurs twice")
        if event.idle_s >= 0 or event.freq >= 0:
            stamp = stamp_of(self.keyspace.changes.clock, event.idle_s, event.freq)
            if stamp >= 0:
                db.set_stamp(key, stamp)
        self.keys += 1


def write_import(slot_import: SlotImport) -> tuple[str, str]:
    """The AUX field of an import that goes on: its name and value."""
    ranges = " ".join(f"{first}-{last}" for first, last in slot_import.ranges)
    return IMPORT, f"{slot_import.name} {slot_import.source or '-'} {int(slot_import.complete)} {ranges}"


def read_import(text: bytes) -> SlotImport:
    """What ``write_import`` has written; RdbError."""
    words = text_of(text).split(" ")
    try:
        pairs = [tuple(int(number) for number in word.split("-")) for word in words[3:]]
        ranges = [(first, last) for first, last in pairs if 0 <= first <= last < SLOTS]
        slot_import = SlotImport(words[0], words[1].strip("-"), ranges)
        slot_import.complete = words[2] == "1"
    except (ValueError, IndexError):
        raise RdbError(f"the AUX field on imported slots cannot be understood: {text[:128]!r}") from None
    return slot_import
