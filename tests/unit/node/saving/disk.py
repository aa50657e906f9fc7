"""A disk in memory: what was written, what of it a power cut leaves, and faults at each step."""

from collections.abc import Iterator
from random import Random

from gossamer.node.engine.edge import AppendFile, Edge, NewFile
from gossamer.node.engine.server import Server, default_config
from gossamer.node.machine import Machine
from tests.unit.node.commands.one import One

START = 1_700_000_000_000


class PowerCut(Exception):
    """The machine has no power any more."""


class Disk(Edge):
    """``files``: durable, by path; ``appended``: those that grow, some of it not durable yet.

    ``fails_at``: open, write, commit, append, sync, or folder (its fsync, behind a rename). ``forgets``: what an fsync
    that has failed was to write never gets to the disk, as with Linux. ``cut_in``: the power is cut before so many
    steps more are done.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.appended: dict[str, GrowingFile] = {}
        self.begun: list[MemoryFile] = []
        self.fails_at = ""
        self.forgets = False
        self.is_slow = False
        self.cut_in = -1
        self.steps = 0
        self.logged: list[str] = []
        self.stopped = False

    def step(self) -> None:
        self.steps += 1
        if self.cut_in == 0:
            raise PowerCut
        self.cut_in -= 1

    def left(self, rng: Random) -> "Disk":
        """What there is after a power cut: of what was not durable any part, from its beginning on."""
        disk = Disk()
        disk.files = dict(self.files)
        for path, file in self.appended.items():
            disk.files[path] = file.data[: file.synced if file.hole else rng.randint(file.synced, len(file.data))]
        return disk

    def content(self, path: str) -> bytes:
        return self.appended[path].data if path in self.appended else self.files[path]

    # --- what the node asks for

    def new_file(self, path: str, background: bool) -> NewFile:
        return MemoryFile(self, path)

    def append_file(self, path: str, size: int) -> AppendFile:
        self.step()
        if self.fails_at == "open":
            raise OSError(28, "No space left on device", path)
        file = GrowingFile(self, path, self.files.pop(path, b"")[:size])
        self.appended[path] = file
        return file

    def replace_file(self, path: str, data: bytes) -> None:
        self.step()
        self.files[path] = data
        if self.fails_at == "folder":
            raise OSError(5, "Input/output error", path)

    def rename_file(self, path: str, new: str) -> None:
        self.step()
        self.appended[new] = self.appended.pop(path)

    def read_file(self, path: str) -> Iterator[bytes]:
        yield self.content(path)

    def remove_file(self, path: str) -> None:
        self.step()
        self.files.pop(path, None)
        self.appended.pop(path, None)

    def fail(self, reason: str) -> None:
        self.logged.append(reason)
        raise PowerCut

    def log(self, level: str, text: str) -> None:
        self.logged.append(text)

    def stop(self) -> None:
        self.stopped = True


class MemoryFile(NewFile):
    def __init__(self, disk: Disk, path: str) -> None:
        super().__init__()
        self.disk = disk
        self.path = path
        self.data = b""
        self.abandoned = False
        disk.begun.append(self)
        self._do("open")

    def _do(self, step: str) -> None:
        self.disk.step()
        if self.disk.fails_at == step:
            self.failure = f"{self.path}: No space left on device"

    def full(self) -> bool:
        return self.disk.is_slow

    def write(self, data: bytes) -> None:
        super().write(data)
        self._do("write")
        self.data += data

    def commit(self) -> None:
        self._do("commit")
        if not self.failure:
            self.disk.appended.pop(self.path, None)
            self.disk.files[self.path] = self.data
            self.done = True

    def abandon(self) -> None:
        self.abandoned = True


class GrowingFile(AppendFile):
    def __init__(self, disk: Disk, path: str, data: bytes) -> None:
        super().__init__()
        self.disk = disk
        self.path = path
        self.data = data
        self.size = self.synced = len(data)
        self.hole = False

    def append(self, data: bytes | bytearray) -> bool:
        self.disk.step()
        if self.disk.fails_at == "append":
            self.failure = f"{self.path}: No space left on device"
            return False
        self.failure = ""
        self.data += data
        self.size += len(data)
        return True

    def sync(self) -> bool:
        self.disk.step()
        self.failure = f"{self.path}: Input/output error" if self.disk.fails_at == "sync" else ""
        self.hole |= bool(self.failure) and self.disk.forgets
        if not self.failure and not self.hole:
            self.synced = len(self.data)
        return not self.failure

    def drop_unsynced(self) -> None:
        self.data = self.data[: self.synced]
        self.size = self.synced
        self.hole = False

    def sync_soon(self) -> None:
        self.syncing = True

    def synchronize(self) -> None:
        """What was begun in the background is done."""
        self.sync()
        self.syncing = False
        assert self.on_synced is not None
        self.on_synced()


class Keeper(One):
    """A node with a disk, under a clock that the test sets. ``options``: directives and their values."""

    def __init__(self, save: str = "", disk: Disk | None = None, **options: str) -> None:
        self.disk = disk if disk is not None else Disk()
        config = default_config(16, clustered=False)
        config.load("save", save.split())
        config.load("enable-debug-command", ["yes"])
        for name, value in options.items():
            config.load(name.replace("_", "-"), [value])
        self.server = Server(edge=self.disk, config=config)
        self.machine = Machine(self.server)
        self.session = self.machine.accept("127.0.0.1:1", "127.0.0.1:2")
        self.now = START
        self.at(0)

    def at(self, seconds: float) -> None:
        """So long after the start."""
        self.now = START + int(seconds * 1000)
        self.server.begin_batch(self.now)
        self.machine.attend(self.now)
        self.machine.drain()
        self.settle()

    def settle(self) -> None:
        """What the disk has begun in the background is done, unless it is slow."""
        for file in list(self.disk.appended.values()):
            if file.syncing and not self.disk.is_slow:
                file.synchronize()

    def ask(self, *words: bytes | str | int) -> bytes:
        """A batch of one request."""
        self.server.begin_batch(self.now)
        self.say_nothing(*words)
        self.machine.drain()
        self.settle()
        return self.session.take_output()

    def say_nothing(self, *words: bytes | str | int) -> None:
        parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        request = b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
        self.session.feed(request)

    def work(self) -> int:
        """All that is to be done between the batches; in how many steps."""
        steps = 0
        while self.machine.has_work:
            self.machine.work()
            self.machine.drain()
            steps += 1
        self.settle()
        return steps

    def info(self, name: str) -> str:
        lines = self.say("INFO", "persistence").decode().splitlines()
        return next(line.partition(":")[2] for line in lines if line.startswith(f"{name}:"))
