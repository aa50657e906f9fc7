"""A disk in memory: files that take the place of others, and faults at each step."""

from gossamer.node.engine.edge import Edge, NewFile
from gossamer.node.engine.server import Server, default_config
from gossamer.node.machine import Machine
from tests.unit.node.commands.one import One

START = 1_700_000_000_000


class MemoryFile(NewFile):
    def __init__(self, disk: "Disk", path: str) -> None:
        super().__init__()
        self.disk = disk
        self.path = path
        self.data = b""
        self.abandoned = False
        self._fail("open")

    def _fail(self, step: str) -> None:
        if self.disk.fails_at == step:
            self.failure = f"{self.path}: No space left on device"

    def full(self) -> bool:
        return self.disk.is_slow

    def write(self, data: bytes) -> None:
        super().write(data)
        self._fail("write")
        self.data += data

    def commit(self) -> None:
        self._fail("commit")
        if not self.failure:
            self.disk.files[self.path] = self.data
            self.done = True

    def abandon(self) -> None:
        self.abandoned = True


class Disk(Edge):
    """``files``: what a power cut leaves. ``fails_at``: open, write or commit."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.begun: list[MemoryFile] = []
        self.fails_at = ""
        self.is_slow = False
        self.logged: list[str] = []
        self.stopped = False

    def new_file(self, path: str, background: bool) -> NewFile:
        file = MemoryFile(self, path)
        self.begun.append(file)
        return file

    def log(self, level: str, text: str) -> None:
        self.logged.append(text)

    def stop(self) -> None:
        self.stopped = True


class Keeper(One):
    """A node with a disk, under a clock that the test sets."""

    def __init__(self, save: str = "") -> None:
        self.disk = Disk()
        config = default_config(16, clustered=False)
        config.load("save", save.split())
        config.load("enable-debug-command", ["yes"])
        self.server = Server(edge=self.disk, config=config)
        self.machine = Machine(self.server)
        self.session = self.machine.accept("127.0.0.1:1", "127.0.0.1:2")
        self.now = START
        self.at(0)

    def at(self, seconds: int) -> None:
        """So long after the start."""
        self.now = START + seconds * 1000
        self.server.begin_batch(self.now)
        self.machine.attend(self.now)
        self.machine.drain()

    def work(self) -> int:
        """All that is to be done between the batches; in how many steps."""
        steps = 0
        while self.machine.has_work:
            self.machine.work()
            self.machine.drain()
            steps += 1
        return steps

    def info(self, name: str) -> str:
        lines = self.say("INFO", "persistence").decode().splitlines()
        return next(line.partition(":")[2] for line in lines if line.startswith(f"{name}:"))
