"""The append-only file while the node runs: when it begins and ends, and how it is rewritten.

A rewrite begins a new incr, to which is appended from then on, and writes all data of that moment as a new base. Until
that is whole the manifest lists the old base, the old incrs and the new one, so a crash at any time loses nothing
(aof.c of Redis 7.2). Where the old files say nothing of the data, because appending was switched on or a full sync has
replaced everything, the new incr stands beside the manifest until its base is there.
"""

from collections.abc import Callable
from typing import Final

from gossamer.node.engine.edge import AppendFile
from gossamer.node.engine.server import Server
from gossamer.node.persist.aof.manifest import AofFile, Manifest, manifest_name, temporary_name
from gossamer.node.replication.replication import replication_of
from gossamer.node.saving.aof_sink import AofSink, Place
from gossamer.node.saving.save import BASE, CommandsSave, RdbSave, Save

OFF: Final = "off"
STARTING: Final = "the first base is being written"
ON: Final = "on"
NEXT: Final[dict[str, tuple[str, ...]]] = {OFF: (STARTING, ON), STARTING: (ON, STARTING, OFF), ON: (STARTING, OFF)}

RETRY_S: Final = 60
MOST_RETRY_S: Final = 3600
FREE_FAILURES: Final = 3
"""Rewrites that fail more often than this wait longer and longer before they are tried again."""


class Aof:
    """``on_work`` is called when there is something to do between the batches."""

    def __init__(self, server: Server) -> None:
        self.server: Server = server
        self.sink: AofSink = AofSink(server)
        self.on_work: Callable[[], None] | None = None
        self.sink.on_durable = self._more_is_durable
        self.state: str = OFF
        self.manifest: Manifest = Manifest()
        """As it is on the disk."""
        self.rewrite: Save | None = None
        self.scheduled: bool = False
        """A rewrite begins when the batch is done."""
        self.base_size: int = 0
        self.incrs_size: int = 0
        """Of the incrs that are not appended to any more."""
        self.rewrite_ok: bool = True
        self.rewrites: int = 0
        self.failures: int = 0
        """Rewrites in a row that have failed."""
        self.took_s: int = -1
        """How long the last one took."""
        self._coming: Manifest = Manifest()
        """What the manifest will be when the rewrite is done."""
        self._failed_s: int = 0
        self._told_durable: bool = True
        """Who waits for that has been told how much is durable."""

    @property
    def size(self) -> int:
        return self.base_size + self.incrs_size + self.sink.file.size

    def flush(self) -> None:
        """At the end of a batch, before anything that it has said leaves."""
        if self.state != OFF:
            self.sink.flush()

    # --- what is durable

    @property
    def durable(self) -> Place:
        """Up to where the files have all and keep it, whatever happens: -1 while there are none that count."""
        return self.sink.durable if self.state == ON else (-1, -1)

    def _more_is_durable(self) -> None:
        self._told_durable = False
        self._poke()

    def _tell_durable(self) -> None:
        """Between the batches, when there is more of it, or nothing any more: who waits for that goes on."""
        self._told_durable = True
        replication = replication_of(self.server)
        replication.replicas.end_waits()
        if replication.primary_link is not None:
            replication.primary_link.fsynced()

    # --- how it begins and ends

    def go_on(self, manifest: Manifest, sizes: list[int]) -> None:
        """The node has begun with what ``manifest`` lists, files of these sizes, and appends to it. OSError."""
        edge, last = self.server.edge, sizes[-1] if manifest.incrs else 0
        edge.make_directory(self._folder())
        as_rdb = self.server.config.flag("aof-use-rdb-preamble")
        begun = manifest.started(self._filename(), as_rdb)
        if begun.base is not None and begun.base != manifest.base:
            self._write_base(begun.base, as_rdb)
        file = edge.append_file(self._path(begun.incrs[-1]), last)
        if begun != manifest:
            self._write_manifest(begun)
        self.manifest = begun
        if manifest.base is not None:
            self.base_size = sizes[0]
        self.incrs_size = sum(sizes) - last - (sizes[0] if manifest.base is not None else 0)
        self._enter(ON)
        self._append_to(file)

    def _write_base(self, base: AofFile, as_rdb: bool) -> None:
        """Of a node that has no data. OSError."""
        file = self.server.edge.new_file(self._path(base), False)
        save = RdbSave(self.server, file, BASE) if as_rdb else CommandsSave(self.server, file)
        while not save.over:
            save.step()
        save.close()
        self.base_size = file.size
        if file.failure:
            raise OSError(0, file.failure, self._path(base))

    def _append_to(self, file: AppendFile) -> None:
        self.sink.append_to(file)
        if self.sink not in self.server.journal.sinks:
            self.server.journal.attach(self.sink)

    def switch(self) -> str | None:
        """CONFIG SET appendonly: why it cannot be obeyed."""
        on = self.server.config.flag("appendonly")
        if on == (self.state != OFF):
            return None
        if on:
            return self.restart()
        self.close()
        return None

    def restart(self) -> str | None:
        """From here on, whatever the files say: a new base, and an incr that counts once that is there."""
        self.stop_rewrite()
        edge = self.server.edge
        try:
            edge.make_directory(self._folder())
            file = edge.append_file(self._temporary_incr(), 0)
        except OSError as error:
            return told(error)
        if self.state == ON:
            self.sink.flush_all()
        self.sink.drop_pending()
        self._enter(STARTING)
        self._append_to(file)
        self._begin(self.manifest.with_incr(self._filename()))
        return None

    def close(self) -> None:
        """All that was written is kept; nothing more is."""
        self.stop_rewrite()
        if self.state == OFF:
            return
        self.sink.flush_all()
        self.server.journal.detach(self.sink)
        self.sink.drop_pending()
        self.sink.append_to(AppendFile())
        self._enter(OFF)

    def _enter(self, state: str) -> None:
        assert state in NEXT[self.state], f"appending does not go from '{self.state}' to '{state}'"
        self.state = state
        self._more_is_durable()

    # --- rewriting

    @property
    def rewriting(self) -> bool:
        return self.rewrite is not None or self.scheduled

    def schedule(self) -> None:
        """Rewrite as soon as the batch is done."""
        assert not self.rewriting
        self.scheduled = True
        self._poke()

    def _begin_scheduled(self) -> None:
        """Begin a new incr, and a base of what is there now."""
        self.scheduled = False
        self.server.journal.release()
        if self.state == OFF:
            self._begin(self.manifest)
            return
        self.sink.flush_all()
        if self.sink.pending:
            self._failed("what was written before it is not in the file yet")
            return
        manifest = self.manifest.with_incr(self._filename())
        try:
            file = self.server.edge.append_file(self._path(manifest.incrs[-1]), 0)
            self._write_manifest(manifest)
        except OSError as error:
            self._failed(told(error))
            return
        self.incrs_size += self.sink.file.size
        self._append_to(file)
        self._begin(manifest)

    def _begin(self, manifest: Manifest) -> None:
        """``manifest``: with the incr that is appended to from now on, if there is one."""
        server = self.server
        as_rdb = server.config.flag("aof-use-rdb-preamble")
        self._coming = manifest.rewritten(self._filename(), as_rdb, kept=int(self.state != OFF))
        assert self._coming.base is not None
        try:
            server.edge.make_directory(self._folder())
        except OSError as error:
            self._failed(told(error))
            return
        file = server.edge.new_file(self._path(self._coming.base), True)
        file.on_progress = self._poke
        self.rewrite = RdbSave(server, file, BASE) if as_rdb else CommandsSave(server, file)
        self._log("notice", f"Background append only file rewriting started by pid {server.edge.process().pid}")
        self._poke()

    @property
    def has_work(self) -> bool:
        if self.scheduled or not self._told_durable:
            return True
        return self.rewrite is not None and self.rewrite.can_go_on

    def work(self) -> None:
        """About a millisecond's work."""
        if not self._told_durable:
            self._tell_durable()
        if self.scheduled:
            self._begin_scheduled()
        rewrite = self.rewrite
        if rewrite is None:
            return
        rewrite.step()
        if rewrite.over:
            self._end(rewrite)

    def _end(self, rewrite: Save) -> None:
        self.rewrite = None
        rewrite.close()
        self.took_s = (self.server.now - rewrite.began_ms) // 1000
        if rewrite.file.failure:
            self._failed(rewrite.file.failure)
            return
        try:
            if self.state == STARTING:
                self.server.edge.rename_file(self._temporary_incr(), self._path(self._coming.incrs[-1]))
            self._write_manifest(self._coming)
        except OSError as error:
            self._failed(told(error))
            return
        if self.state == STARTING:
            self._enter(ON)
        self.base_size = rewrite.file.size
        self.incrs_size = 0
        self.rewrites += 1
        self.failures = 0
        self.rewrite_ok = True
        self._log("notice", "Background AOF rewrite finished successfully")
        self._delete_history()

    def _delete_history(self) -> None:
        history = self.manifest.history
        if self.server.config.flag("aof-disable-auto-gc") or not history:
            return
        try:
            self._write_manifest(self.manifest.without_history())
        except OSError as error:
            self._log("warning", f"{told(error)}: files that are not needed any more stay")
            return
        for file in history:
            self.server.edge.remove_file(self._path(file))

    def _failed(self, reason: str) -> None:
        self.rewrite_ok = False
        self.failures += 1
        self._failed_s = self.server.now_s
        self._log("warning", f"Background AOF rewrite terminated by an error: {reason}")

    def stop_rewrite(self) -> None:
        self.scheduled = False
        if self.rewrite is not None:
            self.rewrite.close()
            self.rewrite = None

    # --- by the clock

    def tick(self, now_s: int) -> None:
        """Once a second."""
        self.flush()
        if self.state == OFF or self.rewriting or not self._may_retry(now_s):
            return
        if self.state == STARTING:
            self._log("notice", "The first base of the append-only file is tried again")
            reason = self.restart()
            if reason is not None:
                self._failed(reason)
        elif self._has_grown():
            self.schedule()

    def _may_retry(self, now_s: int) -> bool:
        late = self.failures - FREE_FAILURES
        return late < 0 or now_s - self._failed_s >= min(RETRY_S << min(late, 10), MOST_RETRY_S)

    def _has_grown(self) -> bool:
        percent = self.server.config.integer("auto-aof-rewrite-percentage")
        if not percent or self.size <= self.server.config.integer("auto-aof-rewrite-min-size"):
            return False
        base = self.base_size or 1
        growth = (self.size - base) * 100 // base
        if growth >= percent:
            self._log("notice", f"Starting automatic rewriting of AOF on {growth}% growth")
        return growth >= percent

    # --- files

    def paths(self) -> list[str]:
        """Of the files that hold the data, in the order in which they are loaded."""
        return [self._path(file) for file in self.manifest.loaded]

    def _filename(self) -> str:
        return self.server.config.text("appendfilename")

    def _folder(self) -> str:
        return self.server.config.text("appenddirname")

    def _path(self, file: AofFile) -> str:
        return f"{self._folder()}/{file.name}"

    def _temporary_incr(self) -> str:
        return f"{self._folder()}/{temporary_name(self._filename())}.incr"

    def _write_manifest(self, manifest: Manifest) -> None:
        """It holds once it is on the disk. OSError."""
        self.server.edge.replace_file(f"{self._folder()}/{manifest_name(self._filename())}", manifest.text())
        self.manifest = manifest

    def _poke(self) -> None:
        if self.on_work is not None:
            self.on_work()

    def _log(self, level: str, text: str) -> None:
        self.server.edge.log(level, text)


def told(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}"
