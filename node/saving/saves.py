"""When the data is saved to the RDB file, and what came of it: SAVE, BGSAVE, ``save`` points, SHUTDOWN, FLUSHALL.

A save in the background goes on beside the requests, from a snapshot; a child process only stands for it. It begins
between two requests, so the file never shows a transaction by halves, and its place in the stream is right. What the
node does and says follows rdb.c of Redis 7.2.
"""

from collections.abc import Callable
from typing import Final

from gossamer.node.engine.ports.saves import SavesPort
from gossamer.node.engine.server import Server
from gossamer.node.engine.state import LOADING, UNSAVED
from gossamer.node.replication.replication import Replication, replication_of
from gossamer.node.resp.errors import CANNOT_SAVE, cannot_append
from gossamer.node.saving.aof import OFF, STARTING, Aof
from gossamer.node.saving.aof_rewrites import AofRewrites
from gossamer.node.saving.loading import Loading
from gossamer.node.saving.save import NO_PLACE, RdbSave, Save, place

RETRY_S: Final = 5
"""How soon a ``save`` point tries again after a failure (CONFIG_BGSAVE_RETRY_DELAY)."""
SAVING_LAST: Final = "Saving the final RDB snapshot"
CANNOT_END: Final = "Error trying to save the DB, can't exit."


class Saves(SavesPort):
    """``on_work`` is called when there is something to do."""

    def __init__(self, server: Server, replication: Replication) -> None:
        self.server: Server = server
        self.replication: Replication = replication
        self.on_work: Callable[[], None] | None = None
        self.aof: Aof = Aof(server)
        self.aof.sink.on_health = self.set_condition
        self.aof.sink.is_disk_busy = self.is_writing
        self.rewrites: AofRewrites = AofRewrites(server, self.aof, self.is_saving)
        self.wanted: bool = False
        """A save in the background begins when the batch is done, or when the rewrite that it is ``waiting`` for is."""
        self.waiting: bool = False
        self.current: Save | None = None
        """It is under way."""
        self.ok: bool = True
        """Has the last one in the background succeeded?"""
        self.saves: int = 0
        self.last_s: int = -1
        """When the data was last saved, or begun with; -1 before the first batch."""
        self.took_s: int = -1
        """How long the last one in the background took."""
        self.loading: Loading | None = None
        """The file that the node begins with is being read."""
        self.loaded_keys: int = 0
        self.loaded_expired: int = 0
        """Of the file that the node has begun with."""
        self._tried_s: int = 0
        self._saved_dirty: int = 0
        server.config.on_change(("save", "stop-writes-on-bgsave-error"), self.set_condition)
        server.config.on_change(("appendonly",), self.rewrites.switch)
        server.config.on_change(("aof-disable-auto-gc",), self.aof.delete_history)

    @property
    def in_progress(self) -> bool:
        return self.current is not None or (self.wanted and not self.waiting)

    def is_saving(self) -> bool:
        return self.in_progress

    def is_writing(self) -> bool:
        """The data, in the background, to the RDB file or as a base of the append-only file."""
        return self.current is not None or self.rewrites.current is not None

    @property
    def changes(self) -> int:
        """How much has changed since the data was last saved."""
        return self.server.changes.dirty - self._saved_dirty

    @property
    def last_save_s(self) -> int:
        return self.last_s if self.last_s >= 0 else self.server.started_ms // 1000

    def begin(self, at_once: bool = False) -> None:
        """Save in the background as soon as that can be. ``at_once``: no transaction is half done."""
        assert self.current is None
        self.wanted = True
        self.waiting = self.rewrites.in_progress
        if at_once and not self.waiting:
            self._start()
        self.poke()

    def save(self, placed: bool = True) -> bool:
        """Save while the whole node stands still; has it succeeded? ``placed``: the stream has told of all that is in
        the file, which says where that was."""
        assert self.current is None
        self._release()
        delay_us = self.server.config.integer("rdb-key-save-delay")
        save = self._new_save(background=False, placed=placed)
        while not save.finished:
            written = save.written
            save.step()
            if delay_us > 0:
                self.server.edge.sleep(delay_us * (save.written - written) / 1_000_000)
        save.close()
        if save.file.failure:
            self._log("warning", f"Error saving the database to disk: {save.file.failure}")
            return False
        self._saved(save)
        return True

    def stop(self) -> None:
        """End what is under way in the background."""
        self.wanted = False
        if self.current is not None:
            self.current.close()
            self.current = None
            self.poke()  # a rewrite may wait for its end

    def flushed(self) -> None:
        """With ``save`` points the file is emptied too, as Redis does: a crash must not bring all back.

        The stream has not told of it yet: whoever has come as far as that still has all, and must not go on from there.
        """
        self.stop()
        if self.server.config.save_points():
            self.save(placed=False)

    def buffered(self) -> int:
        return len(self.aof.sink.pending)

    def before_end(self, options: frozenset[str]) -> bool:
        """A node that was still loading has nothing that is worth more than its file."""
        if self.aof.state == STARTING and self.rewrites.current is not None and "force" not in options:
            self._log("warning", "Writing initial AOF, can't exit.")
            return False
        self.stop()
        self.rewrites.stop()
        wanted = "save" in options or (bool(self.server.config.save_points()) and "nosave" not in options)
        saved = self.server.conditions & LOADING or not wanted or self._save_last()
        self.aof.sink.flush_all()
        if saved and not self.aof.sink.pending:
            self.aof.leave()
            return True
        if "force" in options:
            self._log("warning", "Error trying to save the DB, but it must end: what is not on disk is lost.")
            self.aof.leave()
            return True
        self._log("warning", CANNOT_END)
        self.server.edge.status(CANNOT_END)
        return False

    def _save_last(self) -> bool:
        self._log("notice", f"{SAVING_LAST} before exiting.")
        self.server.edge.status(SAVING_LAST)
        return self.save()

    # --- the start of the node

    def begin_loading(self) -> None:
        """The node has not begun with its files yet: clients are told LOADING. To be said before any is served, for
        what they would write is not in the data that will be loaded."""
        self.server.conditions |= LOADING

    def end_loading(self) -> None:
        """The data is there, and what is written from now on is kept as the configuration says."""
        self.loading = None
        self.server.conditions &= ~LOADING

    # --- in the background

    def tick(self, now_s: int) -> None:
        """Is a ``save`` point reached? One that has failed is tried again though nothing has changed: nothing can."""
        if self.wanted or self.current is not None or self.rewrites.in_progress or self.server.conditions & LOADING:
            return
        if not self.ok and now_s - self._tried_s <= RETRY_S:
            return
        if self._stops_writes():
            self._log("notice", "The last save has failed, and keeps writes out until one succeeds. Saving...")
            self.begin()
            return
        changes = self.changes
        for point in self.server.config.save_points():
            if changes >= point.changes and now_s - self.last_save_s > point.seconds:
                self._log("notice", f"{point.changes} changes in {point.seconds} seconds. Saving...")
                self.begin()
                return

    @property
    def has_work(self) -> bool:
        if self.wanted and not self.rewrites.in_progress:
            return True
        return self.current is not None and self.current.can_go_on

    def work(self) -> None:
        """About a millisecond's work."""
        if self.wanted and not self.rewrites.in_progress:
            self._start()
        save = self.current
        if save is not None:
            save.step()
            if save.finished:
                self._end(save)

    def _start(self) -> None:
        self.wanted = False
        self._release()
        self._tried_s = self.server.now_s
        self.current = self._new_save(background=True)
        self.current.file.on_progress = self.poke
        self.server.stats.total_forks += 1
        self._log("notice", f"Background saving started by pid {self.current.file.pid}")

    def poke(self) -> None:
        if self.on_work is not None:
            self.on_work()

    def _release(self) -> None:
        """What has changed so far is in the stream: the file has its place there."""
        self.server.journal.release()

    def _new_save(self, background: bool, placed: bool = True) -> Save:
        path = self.server.config.text("dbfilename")
        aux = place(self.replication) if placed else NO_PLACE
        return RdbSave(self.server, self.server.edge.new_file(path, background), aux)

    def _end(self, save: Save) -> None:
        self.current = None
        save.close()
        self.took_s = (self.server.now - save.began_ms) // 1000
        self.ok = not save.file.failure
        if self.ok:
            self._saved(save)
            self._log("notice", "Background saving terminated with success")
        else:
            self._log("warning", f"Background saving error: {save.file.failure}")
        self.set_condition()

    def _saved(self, save: Save) -> None:
        self.ok = True
        self.saves += 1
        self.last_s = self.server.now_s
        self._saved_dirty = save.dirty
        self._log("notice", "DB saved on disk")
        self.set_condition()

    def loaded(self, keys: int, expired: int) -> None:
        """The node has begun with what the file held."""
        self.loaded_keys, self.loaded_expired = keys, expired
        self._saved_dirty = self.server.changes.dirty

    def set_condition(self) -> None:
        """Are writes refused because of the disk?"""
        if self._stops_writes() or self.aof.sink.failure:
            self.server.conditions |= UNSAVED
        else:
            self.server.conditions &= ~UNSAVED

    def _stops_writes(self) -> bool:
        config = self.server.config
        return not self.ok and config.flag("stop-writes-on-bgsave-error") and bool(config.save_points())

    def synced_offset(self) -> int:
        if self.aof.state == STARTING:
            return 0
        return self.aof.durable[1]

    def refusal(self) -> bytes:
        return CANNOT_SAVE if self._stops_writes() else cannot_append(self.aof.sink.failure)

    def replaced(self) -> None:
        if self.aof.state != OFF:
            self.rewrites.restart_after_full_sync()

    def _log(self, level: str, text: str) -> None:
        self.server.edge.log(level, text)


def saves_of(server: Server) -> Saves:
    """Those of ``server``; it gets them when somebody first asks."""
    saves = server.saves
    if not isinstance(saves, Saves):
        saves = server.saves = Saves(server, replication_of(server))
    return saves
