"""The append-only file is written anew: when, how, and what came of it (aof.c of Redis 7.2).

A rewrite begins a new incr, to which is appended from then on, and writes all data of that moment as a new base. Until
that is whole the manifest lists the old base, the old incrs and the new one, so a crash at any time loses nothing. It
does not begin while the data is saved in the background: one of the two at a time.

After an fsync that has failed the file is written anew as soon as the disk works again, though nobody asks for it. The
incr that may have a hole must not stand before another one, for then no start would take it: until the base is there
both are appended to, and the old one counts.
"""

from collections.abc import Callable
from typing import Final

from gossamer.node.engine.clients.waiting import DISKS
from gossamer.node.engine.server import Server
from gossamer.node.persist.aof.manifest import Manifest
from gossamer.node.replication.replication import replication_of
from gossamer.node.saving.aof import OFF, STARTING, Aof, told
from gossamer.node.saving.save import Save, base_save

RETRY_MIN: Final = 1
MOST_RETRY_MIN: Final = 60
FREE_FAILURES: Final = 3
"""After so many failures in a row rewrites that nobody asks for wait longer and longer (AOF_REWRITE_LIMITE_…)."""
MOVED: Final = "dir has been changed since the append-only file was begun"
UNSOUND: Final = (
    "An fsync of the AOF file has failed: the disk may not have what it was to write, whatever it says now. "
    "The AOF file is written anew."
)


class AofRewrites:
    """``is_held_up``: is something else under way in the background? ``on_work`` is called when there is something to
    do between the batches."""

    def __init__(self, server: Server, aof: Aof, is_held_up: Callable[[], bool]) -> None:
        self.server: Server = server
        self.aof: Aof = aof
        self.aof.on_durable = self._more_is_durable
        self.is_held_up: Callable[[], bool] = is_held_up
        self.on_work: Callable[[], None] | None = None
        self.current: Save | None = None
        self.wanted: bool = False
        """One begins when the batch is done, or when what it is ``waiting`` for has ended."""
        self.waiting: bool = False
        self.ok: bool = True
        self.done: int = 0
        self.failures: int = 0
        """In a row."""
        self.took_s: int = -1
        """How long the last one took."""
        self._next_manifest: Manifest = Manifest()
        """What the manifest will be when the rewrite is done."""
        self._next_size: int = 0
        """And how large the base is."""
        self._failed_s: int = 0
        self._told_limit: int = 0
        """The number of failures when the log was told of the limit."""
        self._told_durable: bool = True
        """WAITAOF and held replies have been told how much is durable."""

    @property
    def in_progress(self) -> bool:
        return self.current is not None or (self.wanted and not self.waiting)

    @property
    def is_scheduled(self) -> bool:
        """It waits for the end of something else."""
        return self.wanted and self.waiting

    def schedule(self, at_once: bool = False) -> None:
        """Rewrite as soon as that can be. ``at_once``: no transaction is half done."""
        assert self.current is None
        self.wanted = True
        self.waiting = self.is_held_up()
        if at_once and not self.waiting:
            self._begin()
        self.poke()

    # --- appending is switched on and off

    def switch(self) -> str | None:
        """CONFIG SET appendonly: why it cannot be obeyed."""
        on = self.server.config.flag("appendonly")
        if on == (self.aof.state != OFF):
            return None
        if on:
            return self.restart()
        self.close()
        return None

    def restart(self) -> str | None:
        """From here on, whatever the files say: a new base, and an incr that counts once that is there."""
        self.stop()
        try:
            self.aof.prepare()
        except OSError as error:
            return told(error)
        if self.server.journal.writes:
            self.schedule()  # what a transaction has done so far is told behind it: it must not be in the base, too
            return None
        if self.is_held_up():
            self._log(
                "notice",
                "AOF was enabled but there is already another background operation. An AOF background was scheduled to "
                "start when possible.",
            )
            self.schedule()
            return None
        try:
            self._write(self.aof.begin_first())
        except OSError as error:
            self.aof.close()
            return told(error)
        return None

    def restart_after_full_sync(self) -> None:
        """A full sync has put other data in the place of all. If the disk fails, what is written meanwhile is nowhere:
        writes are refused until it can be begun, and a node that has promised each (``always``) ends, as Redis does."""
        reason = self.restart()
        if reason is None:
            return
        told_all = f"The append-only file cannot be begun anew after a full sync: {reason}"
        if self.server.config.text("appendfsync") == "always":
            self.server.edge.fail(f"{told_all}. Exiting.")
        self._log("warning", told_all)
        self.aof.wait_for_disk(reason)

    def close(self) -> None:
        self.stop()
        self.aof.close()

    def stop(self) -> None:
        self.wanted = False
        if self.current is not None:
            self.current.close()
            self.current = None
            self._drop_beside()
            self.poke()  # a save may wait for its end

    # --- a rewrite

    @property
    def has_work(self) -> bool:
        if not self._told_durable or (self.wanted and not self.is_held_up()):
            return True
        return self.current is not None and self.current.can_go_on

    def work(self) -> None:
        """About a millisecond's work."""
        if not self._told_durable:
            self._tell_durable()
        if self.wanted and not self.is_held_up():
            self._begin()
        save = self.current
        if save is not None:
            save.step()
            if save.finished:
                self._end(save)

    def _begin(self) -> None:
        aof = self.aof
        self.wanted = False
        if aof.beside_listed:
            self._install()
            return
        self.server.journal.release()
        try:
            if aof.state == OFF:
                aof.make_folder()
                self._write(aof.manifest)
            elif aof.state == STARTING:
                aof.make_folder()
                self._write(aof.begin_first())
            elif aof.has_moved:
                self._failed(MOVED)
            elif not aof.sink.flush_all():
                self._failed("what was written before it is not in the file yet")
            elif aof.sink.unsound:
                self._log("warning", UNSOUND)
                self._write(aof.begin_beside())
            else:
                self._write(aof.begin_incr())
        except OSError as error:
            self._failed(told(error))

    def _write(self, manifest: Manifest) -> None:
        """``manifest``: with the incr that is appended to from now on, if there is one."""
        server, aof = self.server, self.aof
        as_rdb = server.config.flag("aof-use-rdb-preamble")
        self._next_manifest = manifest.rewritten(aof.filename(), as_rdb, kept=int(aof.state != OFF))
        assert self._next_manifest.base is not None
        file = server.edge.new_file(aof.path(self._next_manifest.base), True)
        file.on_progress = self.poke
        self.current = base_save(server, file, as_rdb)
        server.stats.total_forks += 1
        self._log("notice", f"Background append only file rewriting started by pid {file.pid}")
        self.poke()

    def _end(self, save: Save) -> None:
        self.current = None
        save.close()
        self.took_s = (self.server.now - save.began_ms) // 1000
        if save.file.failure:
            self._failed(save.file.failure)
            return
        self._next_size = save.file.size
        self._install()

    def _install(self) -> None:
        if self.aof.has_moved:
            self._failed(MOVED)
            return
        try:
            self.aof.install(self._next_manifest, self._next_size)
        except OSError as error:
            self._failed(told(error))
            return
        self.done += 1
        self.failures = 0
        self.ok = True
        self._log("notice", "Background AOF rewrite finished successfully")
        self.aof.delete_history()

    def _failed(self, reason: str) -> None:
        self.ok = False
        self.failures += 1
        self._failed_s = self.server.now_s
        self._log("warning", f"Background AOF rewrite terminated by an error: {reason}")
        self._drop_beside()
        if self.aof.state == STARTING:
            self.aof.drop_first()

    def _drop_beside(self) -> None:
        """Once the manifest may list it, it goes on until that is sure."""
        if not self.aof.beside_listed:
            self.aof.drop_beside()

    # --- by the clock

    def tick(self, now_s: int) -> None:
        """Once a second."""
        aof = self.aof
        aof.flush()
        if aof.state == OFF or self.current is not None or self.wanted or self.is_held_up():
            return
        if aof.beside_listed:
            self._install()
            return
        unsound = aof.sink.unsound and not aof.sink.failure
        if (aof.state == STARTING or unsound or self._has_grown()) and self._may_retry(now_s):
            self.schedule()

    def _may_retry(self, now_s: int) -> bool:
        late = self.failures - FREE_FAILURES
        if late < 0 or (self.aof.state == STARTING and self.aof.sink.failure):
            return True
        minutes = min(RETRY_MIN << min(late, 10), MOST_RETRY_MIN)
        if now_s - self._failed_s >= minutes * 60:
            return True
        if self._told_limit != self.failures:
            self._told_limit = self.failures
            self._log(
                "warning",
                "Background AOF rewrite has repeatedly failed and triggered the limit, "
                f"will retry in {minutes} minutes",
            )
        return False

    def _has_grown(self) -> bool:
        percent = self.server.config.integer("auto-aof-rewrite-percentage")
        if not percent or self.aof.size <= self.server.config.integer("auto-aof-rewrite-min-size"):
            return False
        base = self.aof.base_size or 1
        growth = (self.aof.size - base) * 100 // base
        if growth >= percent and self.failures < FREE_FAILURES:
            self._log("notice", f"Starting automatic rewriting of AOF on {growth}% growth")
        return growth >= percent

    # --- what is durable

    def _more_is_durable(self) -> None:
        """Or nothing any more. With ``appendfsync always`` that is every batch, and most often nobody cares."""
        primary_link = replication_of(self.server).primary_link
        if primary_link is not None:
            primary_link.fsynced()
        if self.server.waiting.by_reason[DISKS.name]:
            self._told_durable = False
            self.poke()

    def _tell_durable(self) -> None:
        """Between the batches: who waits for that goes on."""
        self._told_durable = True
        replication_of(self.server).replicas.end_waits()

    def poke(self) -> None:
        if self.on_work is not None:
            self.on_work()

    def _log(self, level: str, text: str) -> None:
        self.server.edge.log(level, text)
