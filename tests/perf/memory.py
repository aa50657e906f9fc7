"""How many bytes does a key take?"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from gossamer.deploy.blocking_client import BlockingClient
from gossamer.deploy.servers import Node
from gossamer.deploy.user_error import UserError
from tests.perf.contenders import OURS
from tests.perf.figures import Figures, Goal
from tests.perf.question import Bench, Question

KEYS = 1_000_000
BATCH = 500
PAYLOAD = 16 + 64


def measure(bench: Bench) -> list[Figures]:
    goals = tuple(Goal(name, 2.0, at_least=False) for name in OURS)
    size = Figures("Memory of a key of 16 and a value of 64 bytes", "bytes", goals, digits=1)
    keys = bench.amount(KEYS)
    for turn in range(bench.rounds):
        bench.tell(f"memory: round {turn + 1} of {bench.rounds}")
        for kind in bench.kinds:
            with Node(kind) as node, closing(node.client()) as client:
                before = resident(node.pid)
                fill(client, keys)
                size.add(f"{keys:,} keys", kind.name, (resident(node.pid) - before) / keys)
    return [size]


def fill(client: BlockingClient, keys: int) -> None:
    for batch in batches(keys):
        client.ask_all(batch)
    if client.ask("DBSIZE") != keys:
        raise UserError("not all keys have arrived")


def batches(keys: int) -> Iterator[list[tuple[str, ...]]]:
    """SETs of keys and values that all differ."""
    for start in range(0, keys, BATCH):
        yield [("SET", f"key:{n:012}", f"{n:064}") for n in range(start, min(start + BATCH, keys))]


def resident(pid: int) -> int:
    """Resident set size in bytes."""
    return resident_in_status(Path(f"/proc/{pid}/status").read_text())


def resident_in_status(text: str) -> int:
    """VmRSS of /proc/PID/status, which tells it in kB."""
    found = next(line for line in text.splitlines() if line.startswith("VmRSS:"))
    return int(found.split()[1]) * 1024


QUESTION = Question(
    "memory",
    "Growth of the resident set (VmRSS) of a fresh server that takes 1,000,000 SETs of 16-byte keys and 64-byte "
    "values, all different; 80 of the bytes are payload.",
    measure,
)
