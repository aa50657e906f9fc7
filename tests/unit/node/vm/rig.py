"""A node in memory whose values leave it, with a store that does what a test wants."""

import time
from collections.abc import Callable

from gossamer.node.config import Config
from gossamer.node.engine.edge import Edge, NewFile, SpillStore
from gossamer.node.engine.server import Server, serve
from gossamer.node.engine.serving.session import Session
from gossamer.node.machine import Machine
from tests.compat.pair import encode

Done = Callable[[], None]


class Store(SpillStore):
    """``late``: what is asked for is done when ``catch_up`` is called. ``full``: writes are refused."""

    def __init__(self) -> None:
        super().__init__()
        self.path = "the store"
        self.late = False
        self.full = False
        self.broken = ""
        """Why nothing can be read,"""
        self.broken_from = 0
        """from this read on."""
        self.reads = 0
        self.waiting: list[Done] = []

    def write(self, payloads: list[bytes], at_once: bool, done: Callable[[list[int], str], None]) -> None:
        def work() -> None:
            if self.full:
                done([], "No space left on device")
            else:
                SpillStore.write(self, payloads, at_once, done)

        self._do(work, at_once)

    def read(self, place: int) -> bytes:
        self.reads += 1
        if self.broken and self.reads > self.broken_from:
            raise OSError(5, self.broken)
        return super().read(place)

    def read_soon(self, place: int, done: Callable[[bytes, str], None]) -> None:
        self._do(lambda: SpillStore.read_soon(self, place, done), False)

    def catch_up(self) -> None:
        waiting, self.waiting = self.waiting, []
        for work in waiting:
            work()

    def _do(self, work: Done, at_once: bool) -> None:
        if self.late and not at_once:
            self.waiting.append(work)
        else:
            work()


class File(NewFile):
    def __init__(self) -> None:
        super().__init__()
        self.data = bytearray()

    def write(self, data: bytes) -> None:
        super().write(data)
        self.data += data


class Memory(Edge):
    def __init__(self) -> None:
        self.store = Store()
        self.file = File()
        self.said: list[str] = []
        self.resident = 0

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def resident_memory(self) -> int:
        return self.resident

    def spill_store(self, path: str) -> SpillStore:
        return self.store

    def new_file(self, path: str, background: bool) -> NewFile:
        self.file = File()
        return self.file

    def log(self, level: str, text: str) -> None:
        self.said.append(f"{level}: {text}")


class Spilling:
    """``limit`` 0: every value leaves the memory that may. ``least``: bytes of the smallest one."""

    def __init__(self, limit: int = 0, least: int = 0, **directives: str) -> None:
        config = Config()
        for name, value in {"vm-enabled": "yes", "vm-max-memory": str(limit), "save": "", **directives}.items():
            config.load(name.replace("_", "-"), [value])
        self.edge = Memory()
        self.store = self.edge.store
        self.server: Server = serve(config, self.edge)
        self.server.access.debug = "yes"
        self.machine = Machine(self.server)
        self.vm = self.machine.vm
        self.vm.coldest.least = least
        self.now = 1_000_000
        self.server.begin_batch(self.now)
        self.session = self.client()

    def client(self) -> Session:
        return self.machine.accept("127.0.0.1:1", "127.0.0.1:2")

    def turn(self, ms: int = 1) -> None:
        """What is done between two batches, so much later."""
        self.now += ms
        self.server.begin_batch(self.now)
        self.machine.work()
        self.machine.drain()

    def send(self, client: Session, *words: bytes | str | int) -> bytes:
        """What is answered in this batch."""
        more = client.feed(encode([word if isinstance(word, bytes) else str(word).encode() for word in words]))
        while more:
            more = client.resume()
        self.machine.drain()
        return client.take_output()

    def say(self, *words: bytes | str | int) -> bytes:
        """The reply, whenever it comes."""
        out = self.send(self.session, *words)
        for _ in range(100):
            if out:
                break
            self.turn()
            out = self.session.take_output()
        self.vm.resting_until_ms = 0
        self.turn(2000)
        return out

    def is_away(self, key: bytes) -> bool:
        return self.server.keyspace.database(0).get_raw(key).__class__.__name__.startswith("Spilled")

    def told(self, name: str) -> int:
        """A number of INFO."""
        lines = self.say("INFO", "vm").decode().split("\r\n")
        return int(next(line for line in lines if line.startswith(f"{name}:")).partition(":")[2])
