"""What the node writes to its append-only file: a sink of the journal, written once a batch, before that is answered.

``appendfsync always`` makes the writes of a batch durable before its replies leave, in one fsync; ``everysec`` once a
second, beside the requests; ``no`` leaves it to the system. If the disk fails, what could not be written is kept and
tried again, and new writes are refused until it is there. With ``always`` the node ends: it must not answer them.
With ``no-appendfsync-on-rewrite`` the first two wait for the end of what is written in the background.

Linux tells of an fsync that failed once, and may drop what it was to write. So the file is unsound from then on,
whatever later ones say: nothing more counts as durable before another file has its place (``aof_rewrites.py``).
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from gossamer.node.engine.deadlines import Timer
from gossamer.node.engine.edge import AppendFile
from gossamer.node.engine.server import Server
from gossamer.node.engine.stream.sink import Sink, Write
from gossamer.node.engine.stream.stream import EXEC, MULTI, NOT_SELECTED
from gossamer.node.resp.requests import append_encoded

encode: Final = append_encoded
"""Compiled, what is ``Final`` here is at hand; a name that was imported is looked up each time."""

SYNC_MS: Final = 1000
HELD_MS: Final = 50
"""How soon a node that waits for an fsync, so as to write or to begin another, looks whether it is over."""
LATE_MS: Final = 2000
"""A write waits so long for an fsync that is under way; the system would make the whole node wait for it."""

UNSOUND_FOR_ALWAYS: Final = "an fsync of the append-only file has failed: none helps before it is written anew"

Place = tuple[int, int]
"""How far something has come: the number of a request that has written (``Journal.write_count``), and a place in the
stream of replication."""


class AofSink(Sink):
    """``file`` is appended to. ``on_health`` is called when the disk fails, and when it does not any more;
    ``on_durable`` when more of the file is durable."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self.server: Server = server
        self.policy: str = ""
        """``appendfsync``."""
        self.tells_time: bool = False
        """``aof-timestamp-enabled``."""
        self.spares: bool = False
        """``no-appendfsync-on-rewrite``."""
        self.file: AppendFile = AppendFile()
        self.on_health: Callable[[], None] | None = None
        self.on_durable: Callable[[], None] | None = None
        self.written: Place = (0, 0)
        """All up to here is in the file, so far as it counts there."""
        self.durable: Place = (0, 0)
        """And a power cut does not take this away."""
        self.sleep_us: int = 0
        """How long to wait before each write (DEBUG AOF-FLUSH-SLEEP)."""
        self.failure: str = ""
        """Why the last write or fsync has failed; empty if it has not."""
        self.is_disk_busy: Callable[[], bool] | None = None
        """Are the data written in the background?"""
        self.unsound: bool = False
        """An fsync has failed: a loss of power may take something out of the middle of the file."""
        self.beside: AppendFile | None = None
        """It gets all that the file gets, from the moment on that its base shows, and will take its place."""
        self.beside_failure: str = ""
        """Why an fsync of it has failed."""
        self._lacking: list[bytes] = []
        """What could not be written to it yet."""
        self.pending: bytearray = bytearray()
        """Of this batch, or what could not be written yet."""
        self.delayed: int = 0
        """Writes that the node had to wait for, because an fsync took too long."""
        self._selected: int = NOT_SELECTED
        self._told_s: int = 0
        """The time of the last timestamp."""
        self._unsynced: bool = False
        self._spared: bool = False
        """Something was answered without an fsync, for the disk was busy."""
        self._synced_ms: int = 0
        self._held_since_ms: int = 0
        self._alarm: Timer = Timer()
        """Wakes the node, so that what was written last is durable a second later although nobody asks for anything."""
        self._syncing: Place = (0, 0)
        """What the fsync that is under way makes durable."""
        names = ("appendfsync", "aof-timestamp-enabled", "no-appendfsync-on-rewrite")
        server.config.obey(names, self._read)

    def _read(self) -> str | None:
        config = self.server.config
        policy = config.text("appendfsync")
        if policy == "always" and self.policy != policy and self.unsound:
            return UNSOUND_FOR_ALWAYS
        self.policy = policy
        self.tells_time = config.flag("aof-timestamp-enabled")
        self.spares = config.flag("no-appendfsync-on-rewrite")
        return None

    def append_to(self, file: AppendFile) -> None:
        """From now on; all that was for the file before is in it."""
        assert not self.pending
        self._replace_file(file)
        self._selected = NOT_SELECTED
        self._told_s = 0

    def _replace_file(self, file: AppendFile) -> None:
        old = self.file
        old.on_synced = partial(self._ended_late, old) if old.syncing else None
        old.close()
        self.file = file
        self.unsound = False
        self._unsynced = False

    def _ended_late(self, file: AppendFile) -> None:
        """An fsync of a file that is not appended to any more, though it may still be needed."""
        if file.failure:
            self.unsound = True

    def append_beside(self, file: AppendFile) -> None:
        """From now on, too."""
        assert not self.pending
        assert self.beside is None
        self.beside = file
        self.beside_failure = ""
        self._selected = NOT_SELECTED
        self._told_s = 0

    def sync_beside(self) -> str:
        """All of the file beside is there, and durable; else why not."""
        beside = self.beside
        assert beside is not None
        if not self._append_beside():
            return beside.failure
        if not self.beside_failure and not beside.sync():
            self.beside_failure = beside.failure
        return self.beside_failure

    def _append_beside(self) -> bool:
        assert self.beside is not None
        if self._lacking and not self.beside.append(b"".join(self._lacking)):
            return False
        self._lacking = []
        return True

    def go_over(self) -> None:
        """The file beside is the one that counts."""
        file = self.beside
        assert file is not None
        self.beside = None
        self._replace_file(file)
        if self._lacking:
            self.pending = bytearray(b"".join([*self._lacking, self.pending]))
            self._lacking = []
            self.written = self.durable
        self.unsound = bool(self.beside_failure)
        self._unsynced = True
        if file.syncing:
            self._syncing = self.durable
            file.on_synced = self._synced

    def drop_beside(self) -> None:
        if self.beside is not None:
            self.beside.on_synced = None
            self.beside.close()
            self.beside = None
            self._lacking = []

    def request(self, db: int, argv: list[bytes], slot: int) -> None:
        if self.tells_time or db != self._selected:
            self._introduce(db)
        encode(self.pending, argv)

    def write(self, db: int, data: bytes, slot: int) -> None:
        if self.tells_time or db != self._selected:
            self._introduce(db)
        self.pending += data

    def group(self, writes: list[Write]) -> None:
        self.pending += MULTI
        for write in writes:
            self.write(write.db, write.data, write.slot)
        self.pending += EXEC

    def _introduce(self, db: int) -> None:
        """What follows is of this second, and for database ``db``."""
        if self.tells_time and self._told_s != self.server.now_s:
            self._told_s = self.server.now_s
            self.pending += b"#TS:%d\r\n" % self._told_s
        if db != self._selected:
            self._selected = db
            self.pending += b"*2\r\n$6\r\nSELECT\r\n$%d\r\n%d\r\n" % (len(str(db)), db)

    # --- to the disk

    def flush(self) -> None:
        """At the end of a batch, before anything that it has said leaves."""
        policy = self.policy
        if self.pending and not self._must_wait():
            self._append()
        if not self.pending:
            self._count_written()
        if policy == "always":
            if not self._spares_disk():
                self.sync()
        elif policy == "everysec":
            if self._unsynced and not self.file.syncing and self._is_due() and not self._spares_disk():
                self._sync_soon()
            elif (self._unsynced or self.pending) and not self._alarm.at:
                self._look_again()

    def _spares_disk(self) -> bool:
        if self.is_disk_busy is None or not self.spares:
            return False
        busy = self.is_disk_busy()
        self._spared = self._spared or (busy and self._unsynced)
        return busy

    def flush_all(self) -> bool:
        """All of it, durably, whatever the policy; False if that fails."""
        if self.pending:
            self._append()
        self.sync()
        return not self.pending and not self._unsynced

    def drop_pending(self) -> None:
        """It belongs to a file that does not count any more. What was told so far is elsewhere."""
        self.pending = bytearray()
        self.written = self.durable = self._place()

    def sync(self) -> None:
        """One that is under way in the background may end too late."""
        if not (self._unsynced or self.file.syncing):
            return
        if self.file.sync():
            self._unsynced = self._spared = False
            self._count_durable(self.written)
            if not self.pending:
                self.healed()
        else:
            self._sync_failed()

    def _must_wait(self) -> bool:
        """Is an fsync under way, so that a write would stop the node until it is done?"""
        now = self.server.now
        if self.policy == "no" or not self.file.syncing:
            self._held_since_ms = 0
            return False
        if not self._held_since_ms:
            self._held_since_ms = now
        if 0 <= now - self._held_since_ms < LATE_MS:
            return True
        self._held_since_ms = 0
        self.delayed += 1
        text = (
            "Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF buffer without waiting for it."
        )
        self.server.edge.log("notice", text)
        return False

    def _append(self) -> None:
        data = self.pending
        if self.sleep_us:
            self.server.edge.sleep(self.sleep_us / 1_000_000)
        if not self.file.append(data):
            self._failed("Error writing to the AOF file")
            return
        if self.beside is not None:
            self._lacking.append(bytes(data))
            self._append_beside()
        self.pending = bytearray()
        self._unsynced = True
        self._count_written()
        self.healed()

    def _place(self) -> Place:
        return self.server.journal.write_count, self.server.replication.offset

    def _count_written(self) -> None:
        """Nothing is pending."""
        place = self._place()
        if place != self.written:
            self.written = place
            if not self._unsynced and not self.file.syncing:
                self._count_durable(place)

    def _count_durable(self, place: Place) -> None:
        if place != self.durable and not self.unsound:
            self.durable = place
            if self.on_durable is not None:
                self.on_durable()

    def _is_due(self) -> bool:
        return not 0 <= self.server.now - self._synced_ms < SYNC_MS

    def _look_again(self) -> None:
        soon = self.server.now + HELD_MS
        due = soon if self.pending else max(soon, self._synced_ms + SYNC_MS)
        self.server.deadlines.set(self._alarm, due)

    def _sync_soon(self) -> None:
        self._unsynced = False
        self._synced_ms = self.server.now
        self._syncing = self.written
        self.file.on_synced = self._synced
        self.file.sync_soon()
        beside = self.beside
        if beside is not None and not beside.syncing:
            beside.on_synced = self._synced_beside
            beside.sync_soon()

    def _synced_beside(self) -> None:
        if self.beside is not None and self.beside.failure:
            self.beside_failure = self.beside.failure

    def _synced(self) -> None:
        if self.file.failure:
            self._sync_failed()
            return
        self._count_durable(self._syncing)
        if not self.pending:
            self.healed()

    def _sync_failed(self) -> None:
        self._unsynced = True
        if self.policy == "always" and not self.unsound and not self._spared:
            self.file.drop_unsynced()  # nobody has been told of it, and who starts again would build on it
        self.unsound = True
        self._failed("Error syncing the AOF file")

    def _failed(self, what: str) -> None:
        reason = self.file.failure
        if not self.failure:
            self.server.edge.log("warning", f"{what}: {reason}")
        if self.policy == "always":
            self.server.edge.fail(f"{what}: {reason}: what was promised to be on disk is not. Exiting.")
        self.set_failure(reason)

    def healed(self) -> None:
        if self.failure:
            self.server.edge.log("warning", "AOF write error looks solved. The server can write again.")
            self.set_failure("")

    def set_failure(self, reason: str) -> None:
        self.failure = reason
        if self.on_health is not None:
            self.on_health()
