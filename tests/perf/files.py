"""How long do loading and saving an RDB file take, and what does a save in the background cost others?"""

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from attrs import frozen

from gossamer.deploy.blocking_client import BlockingClient, fields
from gossamer.deploy.load import Load
from gossamer.deploy.servers import Kind, Node, cpu_seconds, wait_for
from tests.perf import memory
from tests.perf.contenders import COMPILED
from tests.perf.elements import PUTS
from tests.perf.figures import Figures, Goal
from tests.perf.fullsync import Pinger
from tests.perf.growth import Words, batches, send
from tests.perf.question import Bench, Question

STRINGS: Final = 1_000_000
SMALL: Final = 50_000
"""Small values of each type."""
LARGE: Final = 100_000
"""Elements of the large value of each type."""
TEXTS: Final = 200_000
PATIENCE_S: Final = 300.0
SAMPLE_S: Final = 0.05
FILE: Final = "dump.rdb"


@frozen
class DataSet:
    """A ``file`` of one server for all to load, so that all have the same work; ``options`` are theirs."""

    name: str
    file: Path
    options: tuple[str, ...] = ()


def measure(bench: Bench) -> list[Figures]:
    load = Figures("From the start of a server with an RDB file to its first PONG", "s", goal(3.0))
    save = Figures("SAVE", "s", goal(4.0))
    gap = Figures("Longest wait of another client during BGSAVE", "ms", (Goal(COMPILED, 20.0, False, absolute=True),))
    took = Figures("BGSAVE", "s")
    growth = Figures("Memory that BGSAVE takes, at most", "MB", digits=1)
    with tempfile.TemporaryDirectory(prefix="gossamer-files-") as home:
        sets = made(bench, Path(home))
        for turn in range(bench.rounds):
            bench.tell(f"files: round {turn + 1} of {bench.rounds}")
            for data in sets:
                for kind in bench.judged:
                    load_and_save(kind, data, load, save)
            for kind in bench.judged:
                background(kind, sets[0], gap, took)
                growth.add(f"{sets[0].name}, written to by 50 clients", kind.name, most_memory(kind, sets[0]))
    return [load, save, gap, took, growth]


def goal(factor: float) -> tuple[Goal]:
    return (Goal(COMPILED, factor, at_least=False),)


# --- the data


def made(bench: Bench, home: Path) -> list[DataSet]:
    """The files, of Redis if it is here: everybody else reads them."""
    kind = (*bench.peers, bench.judged[0])[0]
    strings, small, large, texts = map(bench.amount, (STRINGS, SMALL, LARGE, TEXTS))
    with Node(kind, "--dir", str(home)) as node, closing(node.client()) as client:
        client.patience(PATIENCE_S)

        def kept(name: str) -> Path:
            client.ask("SAVE")
            client.ask("FLUSHALL")
            return (home / FILE).rename(home / name)

        memory.fill(client, strings, 16)
        plain = kept("strings.rdb")
        send(client, batches(values_of_all_types(small, large)))
        mixed = kept("mixed.rdb")
        send(client, batches(("SET", f"key:{n:012}", record(n)) for n in range(texts)))
        packed = kept("texts.rdb")
    return [
        DataSet(f"{strings:,} strings", plain),
        DataSet(f"{5 * small:,} small values and 5 of {large:,} elements", mixed),
        DataSet(f"{texts:,} strings of 200 bytes, compressed", packed),
        DataSet(f"{texts:,} strings of 200 bytes, saved as they are", packed, ("--rdbcompression", "no")),
    ]


def values_of_all_types(small: int, large: int) -> Iterator[Words]:
    """``small`` values of 10 elements of each type, and one of ``large`` elements."""
    for name, put in PUTS.items():
        step = 1 if name == "stream" else 10
        for n in range(0, small * 10, step):
            yield put(f"{name}:{n // 10}", [f"e{number:09}" for number in range(n, n + step)])
        for n in range(0, large, step):
            yield put(f"large {name}", [f"e{number:09}" for number in range(n, n + step)])


def record(n: int) -> str:
    """200 bytes as applications keep them; a third of them can be saved."""
    user = {"id": n, "name": f"user {n}", "mail": f"user{n}@example.com", "created_at": 1_700_000_000 + n * 61}
    more = {"updated_at": 1_700_000_000 + n * 97, "active": True, "roles": ["user", "editor"], "country": "de"}
    return json.dumps({**user, **more}).ljust(200, ".")


# --- measuring


class Loaded(Node):
    """A server that has begun with the file of ``data``, in a directory of its own."""

    def __init__(self, kind: Kind, data: DataSet) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="gossamer-files-")
        shutil.copyfile(data.file, Path(self._folder.name, FILE))
        self._started = time.monotonic()
        super().__init__(kind, "--dir", self._folder.name, *data.options)
        self.start_s = 0.0

    def __enter__(self) -> "Loaded":
        super().__enter__()
        return self

    def wait_until_ready(self) -> None:
        wait_for(self._answers, PATIENCE_S, f"{self.kind.name} does not load its file")
        self.start_s = time.monotonic() - self._started

    def stop(self) -> None:
        super().stop()
        self._folder.cleanup()

    def patient(self) -> BlockingClient:
        client = self.client()
        client.patience(PATIENCE_S)
        return client

    def cpu_s(self) -> float:
        return cpu_seconds(self.pid) or 0.0


def load_and_save(kind: Kind, data: DataSet, load: Figures, save: Figures) -> None:
    with Loaded(kind, data) as node, closing(node.patient()) as client:
        spent = node.cpu_s()
        load.add(data.name, kind.name, node.start_s)
        load.add(f"{data.name}: processor", kind.name, spent)
        started = time.monotonic()
        client.ask("SAVE")
        save.add(data.name, kind.name, time.monotonic() - started)
        save.add(f"{data.name}: processor", kind.name, node.cpu_s() - spent)


def background(kind: Kind, data: DataSet, gap: Figures, took: Figures) -> None:
    with Loaded(kind, data) as node, closing(node.patient()) as client:
        with Pinger(node) as pinger:
            started = time.monotonic()
            client.ask("BGSAVE")
            wait_for(lambda: is_saved(client), PATIENCE_S, "BGSAVE does not end")
            took.add(data.name, kind.name, time.monotonic() - started)
        gap.add(data.name, kind.name, pinger.longest_s * 1e3)


def most_memory(kind: Kind, data: DataSet) -> float:
    """Megabytes above what it was before BGSAVE, while redis-benchmark overwrites the keys."""
    with Loaded(kind, data) as node, closing(node.patient()) as client:
        writes = Load("set", 1_000_000_000, size=16, keys=client_keys(client), pipeline=16).command(node.port)
        with subprocess.Popen(writes, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as load:
            try:
                time.sleep(1.0)
                before = most = footprint(node.pid)
                client.ask("BGSAVE")
                while not is_saved(client):
                    most = max(most, footprint(node.pid))
                    time.sleep(SAMPLE_S)
            finally:
                load.kill()
        return (most - before) / 1e6


def client_keys(client: BlockingClient) -> int:
    keys = client.ask("DBSIZE")
    assert isinstance(keys, int)
    return keys


def is_saved(client: BlockingClient) -> bool:
    return fields(client.text("INFO", "persistence"))["rdb_bgsave_in_progress"] == "0"


def footprint(pid: int) -> int:
    """Bytes of a process and its children, a page that several have counted once (Pss of proc(5))."""
    total = 0
    for one in [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]:
        try:
            text = Path(f"/proc/{one}/smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # a child that has just ended
        total += int(next(line for line in text.splitlines() if line.startswith("Pss:")).split()[1]) * 1024
    return total


QUESTION = Question(
    "files",
    "An RDB file with 1,000,000 strings (16-byte keys, 16-byte values), one with 50,000 values of 10 elements of each "
    "of the five types and one value of 100,000 elements of each, and one with 200,000 strings of 200 bytes, of which "
    "LZF saves a third. Redis makes the files, all load them at start. Processor time is that of the server "
    "process. During BGSAVE one client does nothing but PING. Memory is that of the server and its child, with shared "
    "pages counted once, while redis-benchmark sends SET (-P 16) of all keys.",
    measure,
)
