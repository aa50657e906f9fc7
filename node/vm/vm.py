"""``vm-enabled``: the data may take more than the memory (docs/beyond-memory.md).

After each batch, and between the batches, cold values are put away as long as all takes more than ``vm-max-memory``.
That limit is meant for the whole process: what it took before there was any data is taken off, and, up to a part, what
the account of the data does not know of (the allocator, buffers that come and go). How much is done at once
depends on how much there is too much: about a millisecond's work, while a thread writes; if that is not enough, more;
and at last so much that it becomes no more than it was, written at once, so that nobody can write faster than values
leave. Where ``maxmemory`` is reached, values leave before keys are evicted or writes refused.
"""

from collections.abc import Callable
from typing import Final

from gossamer.node.config import ConfigError
from gossamer.node.engine.clients.client import Client
from gossamer.node.engine.clients.waiting import SPILLED
from gossamer.node.engine.data.database import Database
from gossamer.node.engine.ports.vm import VmPort
from gossamer.node.engine.server import Server
from gossamer.node.engine.state import SPILLING
from gossamer.node.engine.table.command import QueuedCommand
from gossamer.node.store.spilled import NOWHERE, Spilled
from gossamer.node.types.kind import Value
from gossamer.node.vm.coldest import Coldest
from gossamer.node.vm.fetches import Fetches
from gossamer.node.vm.vault import Vault

BATCH: Final = 1 << 20
"""Bytes of payloads that are written together."""
MOST_UNWRITTEN: Final = 16 << 20
"""Bytes of payloads that may wait for the disk,"""
LEAST_UNWRITTEN: Final = 1 << 20
PART: Final = 32
"""or this part of the limit, if that is less."""
STEP_US: Final = 1000
LONG_STEP_US: Final = 5000
LONGEST_STEP_US: Final = 20_000
NEVER: Final = 1 << 62
"""An excess, or a time, that does not come."""
MUCH: Final = 20
"""When this part of the limit is too much, a step is long;"""
TOO_MUCH: Final = 8
"""when this part is, it is longer, has no end before there is less again, and waits for the disk."""
LOOK_MS: Final = 500
"""How often the resident set is looked at."""
MOST_UNKNOWN: Final = 6
"""At most this part of the limit is taken off for what nobody counts."""
REST_MS: Final = 1000
"""So long nothing is tried after the disk has refused, or where there is nothing that could be put away;"""
KEYS_PER_MS: Final = 10
"""in the second case so much longer, for all keys were looked at,"""
LEAST_GROWTH: Final = 1 << 16
"""unless there are so many bytes more, or a part of the limit."""
TELL_MS: Final = 60_000
"""How often the same is told in the log."""


class Spill:
    """A value that is on its way to the disk."""

    def __init__(self, db: Database, key: bytes, stub: Spilled) -> None:
        self.db: Database = db
        self.key: bytes = key
        self.stub: Spilled = stub


class Vm(VmPort):
    """``on_work`` is called when there is something to do. ConfigError if ``vm-dir`` cannot be used."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self.server: Server = server
        self.on_work: Callable[[], None] | None = None
        self.limit: int = 0
        """Of the whole process."""
        self.base: int = 0
        """What it took without data."""
        self.unknown: int = 0
        """Bytes beside the data and the buffers that count, as the resident set tells."""
        self.put_away: int = 0
        """How many values have been."""
        self.refused: int = 0
        """Writes that have failed."""
        self.unreadable: int = 0
        """Reads that have failed."""
        self.last_error: str = ""
        self.resting_until_ms: int = 0
        self.resting_until: int = 0
        """As long as the excess is less."""
        self._looked_ms: int = 0
        self._excess_before: int = 0
        """When the last step had ended."""
        self._queue: list[Spill] = []
        self._queued: int = 0
        """Bytes in it."""
        self._landed: list[tuple[list[Spill], list[int], str]] = []
        self._told_ms: int = 0
        self.vault: Vault | None = None
        self.fetches: Fetches | None = None
        self.coldest: Coldest = Coldest(
            self._databases, lambda: server.leaving.keys, server.changes, lambda index: server.keyspace.database(index)
        )
        if server.config.flag("vm-enabled"):
            self.begin()
        server.config.obey(("vm-max-memory",), self._read)

    def begin(self) -> None:
        """Values may leave the memory from now on."""
        server = self.server
        path = server.config.text("vm-dir")
        try:
            store = server.edge.spill_store(path)
        except OSError as error:
            raise ConfigError(f"vm-dir {path}: {error.strerror}", server.config.line_of("vm-dir")) from None
        self.vault = Vault(store, server.encodings, self._tell_unreadable)
        self.fetches = Fetches(self.vault, server.waiting, self.poke)
        self.base = server.edge.resident_memory()
        server.memory.spare = self.spare
        server.conditions |= SPILLING

    def _read(self) -> str | None:
        self.limit = self.server.config.integer("vm-max-memory")
        self.resting_until_ms = 0
        return None

    def poke(self) -> None:
        if self.on_work is not None:
            self.on_work()

    # --- values leave

    @property
    def room(self) -> int:
        """Bytes that the data may take."""
        return max(0, self.limit - self.base - self.unknown)

    @property
    def _most_unwritten(self) -> int:
        return max(LEAST_UNWRITTEN, min(MOST_UNWRITTEN, self.limit // PART))

    def _databases(self) -> list[Database]:
        """All that are there, those that are being loaded and the slots that come among them."""
        server = self.server
        found = server.keyspace.used()
        for keyspace in server.keyspace.beside:
            found += keyspace.used()
        found += [slot_import.db for slot_import in server.slot_imports.all]
        return found

    def excess(self) -> int:
        """By how many bytes data and buffers take too much. What is on its way to the disk does not count."""
        server = self.server
        held = server.keyspace.tally.held + server.keyspace.tally.buffers
        for keyspace in server.keyspace.beside:
            held += keyspace.tally.held
        for slot_import in server.slot_imports.all:
            held += slot_import.db.share.held
        return held - self.room

    def keep(self) -> None:
        vault = self.vault
        if vault is None:
            return
        if self._landed:
            self._settle()
        self._write(vault, False)
        if vault.gone:
            vault.sweep()
        if not 0 <= self.server.now - self._looked_ms < LOOK_MS:
            self._look()
        excess = self.excess()
        if excess <= 0:
            self._excess_before = 0
            return
        self._end_rest()
        if self._is_resting(excess):
            return
        if excess < self.limit // MUCH:
            self._spill(vault, STEP_US, NEVER, False)
        elif excess < self.limit // TOO_MUCH:
            self._spill(vault, LONG_STEP_US, NEVER, False)
        else:
            self._spill(vault, LONGEST_STEP_US, max(self._excess_before, self.limit // TOO_MUCH), True)
        self._excess_before = self.excess()

    def _look(self) -> None:
        """Does the process take more than it may? The half of that is made up for each time, and given back so."""
        self._looked_ms = self.server.now
        more = self.server.edge.resident_memory() - self.limit
        self.unknown = min(max(0, self.unknown + more // 2), self.limit // MOST_UNKNOWN)

    def _spill(self, vault: Vault, for_us: int, most_left: int, at_once: bool) -> None:
        """Put values away until there is room, or the time is up and at most ``most_left`` bytes are too many."""
        edge = self.server.edge
        until = edge.microseconds() + for_us
        while (excess := self.excess()) > 0 and not self._is_resting(excess):
            if not at_once and vault.unwritten >= self._most_unwritten:
                break  # the thread tells when it has written some
            chosen = self.coldest.choose()
            if chosen is None:
                if self.coldest.exhausted:
                    self._rest_in_vain(excess)
                break
            self._put_away(vault, chosen, at_once)
            if edge.microseconds() > until and excess <= most_left:
                self.poke()
                break
        self._write(vault, at_once)

    def spare(self) -> bool:
        """A key is about to be evicted, or a write refused: put a value away instead. False if there is none.

        True also as long as it takes to find out.
        """
        vault = self.vault
        excess = self.excess()
        if vault is None or excess <= 0:
            return False
        self._end_rest()
        resting = self._is_resting(excess)
        if resting and self.resting_until == NEVER:
            return False  # the disk refuses
        coldest = self.coldest
        chosen = coldest.choose_arrived() if resting and coldest.arrivals.all_noted else coldest.choose()
        if chosen is None:
            if coldest.exhausted:
                self._rest_in_vain(excess)
            return not coldest.exhausted
        self._put_away(vault, chosen, vault.unwritten >= self._most_unwritten)
        return True

    def _put_away(self, vault: Vault, chosen: tuple[Database, bytes, Value], at_once: bool) -> None:
        db, key, value = chosen
        stub = vault.stub(value)
        db.exchange(db.part_of(key), key, value, stub)
        self._queue.append(Spill(db, key, stub))
        self._queued += len(stub.payload)
        if self._queued >= BATCH:
            self._write(vault, at_once)

    def _rest_in_vain(self, excess: int) -> None:
        """There is nothing that could be put away."""
        until = excess + max(LEAST_GROWTH, self.limit // PART)
        if self.server.now < self.resting_until_ms:
            self.resting_until = until
        else:
            keys = sum([db.size for db in self._databases()])
            self._rest(REST_MS + keys // KEYS_PER_MS, until)

    def _end_rest(self) -> None:
        """A rest that is over ends with another look at all keys."""
        if self.resting_until_ms and self.server.now >= self.resting_until_ms:
            self.resting_until_ms = 0
            self.coldest.look_anew()

    def _rest(self, for_ms: int, until: int) -> None:
        """Try nothing for a while, or until the excess has come to so much."""
        self.resting_until_ms = self.server.now + for_ms
        self.resting_until = until

    def _is_resting(self, excess: int) -> bool:
        return self.server.now < self.resting_until_ms and excess < self.resting_until

    def _write(self, vault: Vault, at_once: bool) -> None:
        if not self._queue:
            return
        batch, self._queue = self._queue, []
        self._queued = 0
        vault.store.write([spill.stub.payload for spill in batch], at_once, self._teller(batch))
        if at_once:
            self._settle()

    def _teller(self, batch: list[Spill]) -> Callable[[list[int], str], None]:
        def tell(places: list[int], reason: str) -> None:
            self._landed.append((batch, places, reason))
            self.poke()

        return tell

    def _settle(self) -> None:
        """Batches are written, or have been refused: then the values come back into memory."""
        vault = self.vault
        assert vault is not None
        while self._landed:
            batch, places, reason = self._landed.pop(0)
            if reason:
                self._refuse(vault, batch, reason)
                continue
            self.put_away += len(batch)
            for index, spill in enumerate(batch):
                vault.landed(spill.stub, places[index])

    def _refuse(self, vault: Vault, batch: list[Spill], reason: str) -> None:
        self.refused += 1
        self._rest(REST_MS, NEVER)
        for spill in batch:
            vault.landed(spill.stub, NOWHERE)
            db, key = spill.db, spill.key
            if db.get(db.part_of(key), key) is spill.stub:
                db.exchange(db.part_of(key), key, spill.stub, vault.value(spill.stub.payload))
        self._tell(f"Values stay in memory, which they should leave: {vault.store.path}: {reason}")

    # --- values come back

    def holds_up(self, client: Client, commands: list[QueuedCommand]) -> bool:
        vault = self.vault
        if vault is None or not vault.away:
            return False
        assert self.fetches is not None
        return self.fetches.begin(client, commands, self.server.now)

    @property
    def has_work(self) -> bool:
        vault = self.vault
        if vault is None:
            return False
        if self._landed or (self.fetches is not None and self.fetches.read):
            return True
        excess = self.excess()
        if excess <= 0 or self._is_resting(excess):
            return False
        return vault.unwritten < self._most_unwritten

    def work(self) -> None:
        """Take in what was read; ``keep``, which goes on with the rest, comes behind it."""
        if self.fetches is not None:
            self.fetches.settle()

    # --- what is told

    def _tell_unreadable(self, text: str) -> None:
        self.unreadable += 1
        self._tell(text[:1].upper() + text[1:])

    def _tell(self, text: str) -> None:
        """In the log, but not for every value."""
        now = self.server.now
        if text != self.last_error or not 0 <= now - self._told_ms < TELL_MS:
            self.server.edge.log("warning", text)
            self._told_ms = now
        self.last_error = text

    def info(self) -> list[str]:
        """The names are those of Redis 2.0 to 2.2, which had virtual memory, where they fit."""
        vault, fetches = self.vault, self.fetches
        if vault is None or fetches is None:
            return super().info()
        blocking = self.server.changes.fetched
        faults = blocking + fetches.done
        return [
            "vm_enabled:1",
            f"vm_conf_max_memory:{self.limit}",
            f"vm_conf_dir:{vault.store.path}",
            f"vm_stats_swapped_objects:{vault.away - len(vault.gone)}",
            f"vm_stats_swappin_count:{faults}",
            f"vm_stats_swappout_count:{self.put_away}",
            f"vm_stats_hits:{max(0, self.lookups - faults)}",
            f"vm_stats_faults:{faults}",
            f"vm_stats_blocking_faults:{blocking}",
            f"vm_stats_blocked_clients:{len(self.server.waiting.of(SPILLED))}",
            f"vm_stats_used_bytes:{vault.store.used}",
            f"vm_stats_file_bytes:{vault.store.size}",
            f"vm_stats_unwritten_bytes:{vault.unwritten}",
            f"vm_stats_write_errors:{self.refused}",
            f"vm_stats_read_errors:{self.unreadable}",
            f"vm_last_error:{self.last_error or 'none'}",
        ]
