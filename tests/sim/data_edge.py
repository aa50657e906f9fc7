"""What the engine asks of its edge for files of data, on the simulated disk: new_file.py, append_file.py and disk.py of
node/io.

Rules kept here:
- Steps are the same, in the same order, as those of node/io. The process may die before each of them.
- An fsync that the node waits for holds up all that it does next; one in the background takes its time beside it.
- With a key all of it is sealed: what is appended at once is a chunk; behind a write that has failed a run begins.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol

from gossamer.node.engine.edge import AppendFile, NewFile, SpillStore
from gossamer.node.persist.sealed.form import GROWING, NONE_BEFORE, TAG_SIZE, WHOLE
from gossamer.node.persist.sealed.sealer import Sealer
from tests.sim.files import Died, Files, Inode
from tests.sim.process import VirtualEdge
from tests.sim.sealing import Seal, SealedWhole
from tests.sim.timeline import Clock, Micros, Timeline

PIECE_US: Micros = 200
"""What the thread takes for a piece of a file in the background."""
WAITING = 4
"""Pieces that may wait for it."""


class Owner(Protocol):
    """The process: ``guard`` runs what may be its last step, ``attend`` what the thread tells it, and ``hold_up`` has
    it do nothing more for a while."""

    alive: bool

    def guard(self, action: Callable[[], None]) -> None: ...

    def attend(self, action: Callable[[], None]) -> None: ...

    def hold_up(self, for_us: Micros) -> None: ...


class DataEdge(VirtualEdge):
    """``pid``: another one for each life of a node. ``seal``: what files are sealed with, if they are."""

    def __init__(
        self,
        timeline: Timeline,
        clock: Clock,
        tell: Callable[[str], None],
        files: Files,
        owner: Owner,
        pid: int,
        seal: Seal | None = None,
    ) -> None:
        super().__init__(timeline, clock, tell)
        self.timeline = timeline
        self.files = files
        self.owner = owner
        self.pid = pid
        self.seal = seal
        self.on_saved: Callable[[str, Micros], None] | None = None
        """A new file stands at the path; when it was begun."""

    def waited_for(self) -> None:
        """An fsync is over that the node has waited for."""
        self.owner.hold_up(self.files.latency_us)

    def check(self) -> None:
        """Nothing is done for a process that has died."""
        if not self.owner.alive:
            raise Died(False)

    def fsync(self, inode: Inode, path: str) -> None:
        self.check()
        self.waited_for()
        self.files.fsync(inode, path)

    def fsync_folder(self, path: str) -> None:
        self.check()
        self.waited_for()
        self.files.fsync_folder(path)

    # --- what the engine asks for

    def new_file(self, path: str, background: bool) -> NewFile:
        self.check()
        return ThreadFile(self, path) if background else WaitedFile(self, path)

    def spill_store(self, path: str) -> SpillStore:
        return ThreadStore(self)

    def append_file(self, path: str, size: int) -> AppendFile:
        self.check()
        return GrowingFile(self, path, size)

    def replace_file(self, path: str, data: bytes) -> None:
        self.check()
        beside = f"{path}.tmp-{self.pid}"
        inode = self.files.open(beside, empty=True)
        try:
            self.files.write(inode, data, path)
            self.fsync(inode, path)
            self.files.rename(beside, path)
        except OSError:
            self.files.unlink(beside)
            raise
        self.fsync_folder(path)

    def rename_file(self, path: str, new: str) -> None:
        self.check()
        self.files.rename(path, new)
        self.fsync_folder(new)

    def read_file(self, path: str) -> Iterator[bytes]:
        data = self.files.content(path)
        if data is None:
            raise FileNotFoundError(2, "No such file or directory", path)
        yield data

    def remove_file(self, path: str) -> None:
        self.check()
        self.files.unlink(path)

    def fail(self, reason: str) -> None:
        self.log("warning", reason)
        raise Died(False, reason)


class GrowingFile(AppendFile):
    def __init__(self, edge: DataEdge, path: str, size: int) -> None:
        super().__init__()
        self._edge = edge
        self._files = edge.files
        self._path = path
        self._inode = self._files.open(path)
        self._inode.cut_back(size)
        self.size = self._durable = size
        self._sealer: Sealer | None = None
        """Of the run that is appended to."""
        edge.fsync(self._inode, path)
        edge.fsync_folder(path)

    def append(self, data: bytes | bytearray) -> bool:
        self._edge.check()
        data = bytes(data)
        if self._edge.seal is not None:
            data = self._sealed(self._edge.seal, data)
        try:
            self._files.write(self._inode, data, self._path)
        except OSError as error:
            self.failure = f"{self._path}: {error.strerror}"
            self._sealer = None
            self._inode.cut_back(self.size)
            return False
        self.size += len(data)
        self.failure = ""
        return True

    def _sealed(self, seal: Seal, data: bytes) -> bytes:
        if self._sealer is None:
            before = bytes(self._inode.data[self.size - TAG_SIZE : self.size]) if self.size else NONE_BEFORE
            self._sealer = seal.sealer(GROWING, self.size, before)
        return self._sealer.seal(data)

    def sync(self) -> bool:
        self.failure = ""
        try:
            self._edge.fsync(self._inode, self._path)
        except OSError as error:
            self.failure = f"{self._path}: {error.strerror}"
            return False
        self._durable = self.size
        return True

    def drop_unsynced(self) -> None:
        self._inode.cut_back(self._durable)

    def sync_soon(self) -> None:
        assert not self.syncing
        self.syncing = True
        size = len(self._inode.data)
        self._edge.timeline.after(self._files.latency_us, lambda: self._edge.owner.guard(lambda: self._sync(size)))

    def _sync(self, size: int) -> None:
        failure = ""
        try:
            self._files.fsync(self._inode, self._path, size)
        except OSError as error:
            failure = f"{self._path}: {error.strerror}"
        self._edge.owner.attend(lambda: self._synced(failure))

    def _synced(self, failure: str) -> None:
        self.syncing = False
        self.failure = failure
        if self.on_synced is not None:
            self.on_synced()


class WaitedFile(NewFile):
    """Each step is done at once."""

    def __init__(self, edge: DataEdge, path: str) -> None:
        super().__init__()
        self._edge = edge
        self._files = edge.files
        self._path = path
        folder, slash, _ = path.rpartition("/")
        self._beside = f"{folder}{slash}temp-{edge.pid}.rdb"
        self._began_us = edge.timeline.now_us
        self._inode = Inode()
        self._sealed = None if edge.seal is None else SealedWhole(edge.seal.sealer(WHOLE))
        self._try(self._begin)

    def write(self, data: bytes) -> None:
        super().write(data)
        self._write(data if self._sealed is None else self._sealed.seal(data))

    def _write(self, data: bytes) -> None:
        if data and not self.failure:
            self._try(lambda: self._files.write(self._inode, data, self._path))

    def _end_run(self) -> None:
        if self._sealed is not None:
            self._write(self._sealed.seal(b"", last=True))

    def commit(self) -> None:
        self._end_run()
        if not self.failure:
            self._try(self._finish)

    def abandon(self) -> None:
        self._edge.check()
        self._files.unlink(self._beside)

    def _begin(self) -> None:
        self._inode = self._files.open(self._beside, empty=True)

    def _finish(self) -> None:
        self._edge.fsync(self._inode, self._path)
        self._files.rename(self._beside, self._path)
        self._edge.fsync_folder(self._path)
        self._done()

    def _done(self) -> None:
        self.done = True
        self.size = len(self._inode.data)
        if self._edge.on_saved is not None:
            self._edge.on_saved(self._path, self._began_us)

    def _try(self, step: Callable[[], None]) -> None:
        self._edge.check()
        try:
            step()
        except OSError as error:
            self.failure = f"{self._path}: {error.strerror}"


class ThreadStore(SpillStore):
    """Values that are not in memory: a thread writes and reads them, beside the node. It ends with the process."""

    def __init__(self, edge: DataEdge) -> None:
        super().__init__()
        self._edge = edge

    def write(self, payloads: list[bytes], at_once: bool, done: Callable[[list[int], str], None]) -> None:
        if at_once:
            super().write(payloads, at_once, done)
        else:
            self._later(lambda: SpillStore.write(self, payloads, True, done))

    def read_soon(self, place: int, done: Callable[[bytes, str], None]) -> None:
        self._later(lambda: SpillStore.read_soon(self, place, done))

    def _later(self, action: Callable[[], None]) -> None:
        self._edge.timeline.after(PIECE_US, lambda: self._edge.owner.attend(action))


class ThreadFile(WaitedFile):
    """A thread does it, step by step, beside the node."""

    def __init__(self, edge: DataEdge, path: str) -> None:
        self._waiting: deque[tuple[Micros, Callable[[], None]]] = deque()
        self._busy = False
        self._failed = ""
        """As the thread knows it."""
        super().__init__(edge, path)

    def full(self) -> bool:
        return len(self._waiting) >= WAITING

    def commit(self) -> None:
        self._end_run()
        self._plan(self._files.latency_us, lambda: self._files.fsync(self._inode, self._path))
        self._plan(PIECE_US, lambda: self._files.rename(self._beside, self._path))
        self._plan(self._files.latency_us, lambda: self._files.fsync_folder(self._path))
        self._plan(0, lambda: self._edge.owner.attend(self._end))

    def abandon(self) -> None:
        self._waiting.clear()
        self._plan(0, lambda: self._files.unlink(self._beside))

    def _try(self, step: Callable[[], None]) -> None:
        self._plan(PIECE_US, step)

    def _plan(self, takes_us: Micros, step: Callable[[], None]) -> None:
        self._waiting.append((takes_us, step))
        if not self._busy:
            self._busy = True
            self._next()

    def _next(self) -> None:
        self._edge.timeline.after(self._waiting[0][0], lambda: self._edge.owner.guard(self._take))

    def _take(self) -> None:
        if not self._waiting:  # it was abandoned
            self._busy = False
            return
        was_full = self.full()
        _, step = self._waiting.popleft()
        try:
            step()
        except OSError as error:
            self._failed = f"{self._path}: {error.strerror}"
            self._waiting.clear()
            self._edge.owner.attend(self._end)
        if was_full and not self.full():
            self._edge.owner.attend(self._progress)
        self._busy = bool(self._waiting)
        if self._busy:
            self._next()

    def _end(self) -> None:
        self.failure = self._failed
        if not self.failure:
            self._done()
        self._progress()

    def _progress(self) -> None:
        if self.on_progress is not None:
            self.on_progress()
