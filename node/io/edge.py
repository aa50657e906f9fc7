"""What the engine may ask of the process it runs in: clocks, memory, CPU, the log, the configuration file, the end."""

import contextlib
import errno
import fcntl
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Final

import trio

from gossamer.cluster import build
from gossamer.cluster.text import bytes_of
from gossamer.node.engine.edge import AppendFile, Edge, NewFile, ProcessFacts, SpillStore
from gossamer.node.io.append_file import DiskAppendFile
from gossamer.node.io.data_file import DataFile
from gossamer.node.io.disk import replace_file, sync_directory
from gossamer.node.io.keys import NO_KEYS, Keys
from gossamer.node.io.log import Log
from gossamer.node.io.new_file import BackgroundFile, DiskFile, begin_file
from gossamer.node.io.spare_memory import give_back
from gossamer.node.io.spill_file import SpillFile
from gossamer.node.io.supervise import Supervisor
from gossamer.node.io.write_over import note_begin, note_end
from gossamer.node.persist.sealed.form import SealError

PAGE: Final = os.sysconf("SC_PAGE_SIZE")
READ_BYTES: Final = 1 << 20
KILOBYTE: Final = 1024 if sys.platform != "darwin" else 1
"""The unit of ru_maxrss."""


class ProcessEdge(Edge):
    """``config_file`` is an absolute path, empty if there is none; ``stop`` ends the node once the batch is done.

    ``keys``: of the files that hold data. ``fsync_often``: large files go to the disk in steps.
    """

    def __init__(
        self, log: Log, supervisor: Supervisor, config_file: str, stop: Callable[[], None], keys: Keys = NO_KEYS
    ) -> None:
        self._log = log
        self._supervisor = supervisor
        self._config_file = config_file
        self._stop = stop
        self._keys = keys
        self.fsync_often = True
        self._held: dict[str, int] = {}
        """Descriptors of lock files, by path."""
        self._left: dict[str, bool] = {}
        """For each: did who held it before end in good order?"""
        self._facts = process_facts(config_file)
        self._facts.supervised = supervisor.mode

    def microseconds(self) -> int:
        return time.perf_counter_ns() // 1000

    def clock(self) -> Callable[[], int]:
        return time.perf_counter_ns

    def unix_microseconds(self) -> int:
        return time.time_ns() // 1000

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def resident_memory(self) -> int:
        try:
            with open("/proc/self/statm", "rb") as file:
                return int(file.read().split()[1]) * PAGE
        except OSError:
            return self.peak_memory()

    def give_back_memory(self) -> None:
        give_back()

    def peak_memory(self) -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KILOBYTE

    def cpu_seconds(self) -> tuple[float, float, float, float]:
        own = resource.getrusage(resource.RUSAGE_SELF)
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return own.ru_stime, own.ru_utime, children.ru_stime, children.ru_utime

    def process(self) -> ProcessFacts:
        return self._facts

    def read_config_file(self) -> str | None:
        if not self._config_file:
            return None
        try:
            with open(self._config_file, encoding="utf-8", errors="surrogateescape", newline="") as file:
                return file.read()
        except FileNotFoundError:
            return ""  # it may have been removed since: CONFIG REWRITE makes a new one

    def write_config_file(self, text: str) -> None:
        try:
            mode = os.stat(self._config_file).st_mode & 0o777
        except FileNotFoundError:
            mode = 0o644
        os.close(replace_file(self._config_file, bytes_of(text), mode))

    def new_file(self, path: str, background: bool) -> NewFile:
        path = os.path.abspath(path)  # CONFIG SET dir may take us elsewhere meanwhile
        key, often = self._keys.seals, self.fsync_often

        def begin(process: str) -> DiskFile:
            return begin_file(path, often, process, key)

        return BackgroundFile(begin, run_soon()) if background else begin(str(os.getpid()))

    def append_file(self, path: str, size: int) -> AppendFile:
        return DiskAppendFile(os.path.abspath(path), size, run_soon(), self._keys.seals)

    def spill_store(self, path: str) -> SpillStore:
        return SpillFile(path, run_soon, self._keys.seals)

    def make_directory(self, path: str, name: str) -> None:
        """This process holds a lock file until it ends; OSError if another one does."""
        os.makedirs(path, exist_ok=True)
        path = lock_path(path, name)
        if path in self._held:
            return
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(fd)
            raise OSError(error.errno, "another node writes to it", os.path.dirname(path)) from None
        self._held[path] = fd
        self._left[path] = note_begin(fd)

    def leave_directory(self, path: str, name: str) -> None:
        fd = self._held.get(lock_path(path, name))
        if fd is not None:  # CONFIG SET dir may have taken us elsewhere
            note_end(fd)

    def was_left(self, path: str, name: str) -> bool:
        return self._left.get(lock_path(path, name), True)

    def replace_file(self, path: str, data: bytes) -> None:
        try:
            os.close(replace_file(path, data))
        except OSError as error:
            raise OSError(error.errno, error.strerror, path) from None

    def rename_file(self, path: str, new: str) -> None:
        os.rename(path, new)
        sync_directory(os.path.dirname(new) or ".")

    def read_file(self, path: str) -> Iterator[bytes]:
        try:
            with DataFile(path, self._keys) as file:
                while data := file.read(READ_BYTES):
                    yield data
        except SealError as error:
            raise OSError(errno.EBADMSG, str(error), path) from None

    def remove_file(self, path: str) -> None:
        """Its name goes at once, what it holds in a thread: it takes long to free a large file."""
        with contextlib.suppress(OSError):
            fd = os.open(path, os.O_RDONLY)
            try:
                os.unlink(path)
            finally:
                Thread(target=os.close, args=(fd,), name="unlink", daemon=True).start()

    def fail(self, reason: str) -> None:
        self._log.write("warning", reason)
        os._exit(1)

    def log(self, level: str, text: str) -> None:
        self._log.write(level, text)

    def unexpected(self, what: str, error: Exception) -> None:
        self._log.write("warning", f"An exception that nobody expected, while serving {what}:")
        for line in "".join(traceback.format_exception(error)).splitlines():
            self._log.write("warning", line)

    def status(self, text: str) -> None:
        self._supervisor.status(text)

    def stop(self) -> None:
        self._stop()


def lock_path(path: str, name: str) -> str:
    return os.path.abspath(os.path.join(path, f"{name}.lock"))


def run_soon() -> Callable[[Callable[[], None]], None]:
    """What runs a function in this thread, where trio runs, from any other; nothing once the node has ended."""
    token = trio.lowlevel.current_trio_token()

    def tell(what: Callable[[], None]) -> None:
        with contextlib.suppress(trio.RunFinishedError):
            token.run_sync_soon(what)

    return tell


def process_facts(config_file: str) -> ProcessFacts:
    facts = ProcessFacts()
    uname = os.uname()
    facts.pid = os.getpid()
    facts.build = build.name()
    facts.run_id = os.urandom(20).hex()
    facts.os = f"{uname.sysname} {uname.release} {uname.machine}"
    facts.multiplexing = "epoll" if sys.platform == "linux" else "kqueue"
    facts.compiler = _version(sys.version.rpartition("[")[2].rstrip("]"))
    facts.executable = sys.executable
    facts.config_file = config_file
    facts.total_memory = os.sysconf("SC_PHYS_PAGES") * PAGE
    return facts


def _version(compiler: str) -> str:
    """``GCC 12.2.0`` and the like: the number alone."""
    for word in compiler.split():
        if word[0].isdigit():
            return word
    return "0.0.0"
