"""How many bytes does a key take?"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from gossamer.cluster.slots import SLOTS
from gossamer.deploy.blocking_client import BlockingClient
from gossamer.deploy.servers import Node
from gossamer.deploy.user_error import UserError
from tests.perf.clusters import wait_until_ok
from tests.perf.contenders import COMPILED, INTERPRETED, OURS, REDIS, VALKEY
from tests.perf.figures import Figures, Goal
from tests.perf.question import Bench, Question

KEYS = 1_000_000
BATCH = 500
CASES: Final = (
    ("value of 64 bytes", 64, ()),
    ("value of 16 bytes", 16, ()),
    ("value of 64 bytes, in a cluster", 64, ("--cluster-enabled", "yes")),
    ("value of 16 bytes, in a cluster", 16, ("--cluster-enabled", "yes")),
)
"""Name, bytes of the values, options of the node."""

KEY_GOALS: Final = (
    Goal(COMPILED, 0.7, at_least=False, beside=REDIS),
    Goal(COMPILED, 0.9, at_least=False, beside=VALKEY),
    Goal(INTERPRETED, 2.0, at_least=False),
)
EMPTY_GOALS: Final = tuple(Goal(name, 25, at_least=False, absolute=True) for name in OURS)


def measure(bench: Bench) -> list[Figures]:
    size = Figures("Memory of a key of 16 bytes and its value", "bytes", KEY_GOALS, digits=1)
    empty = Figures("Resident set of an empty node", "MB", EMPTY_GOALS, digits=1)
    keys = bench.amount(KEYS)
    for turn in range(bench.rounds):
        bench.tell(f"memory: round {turn + 1} of {bench.rounds}")
        for kind in bench.kinds:
            for case, length, options in CASES:
                with Node(kind, *options) as node, closing(node.client()) as client:
                    if options:
                        client.ask("CLUSTER", "ADDSLOTSRANGE", 0, SLOTS - 1)
                        wait_until_ok([node.address])
                    before = resident(node.pid)
                    empty.add("in a cluster" if options else "alone", kind.name, before / 1e6)
                    fill(client, keys, length)
                    size.add(case, kind.name, (resident(node.pid) - before) / keys)
    return [size, empty]


def fill(client: BlockingClient, keys: int, length: int) -> None:
    for batch in batches(keys, length):
        client.ask_all(batch)
    if client.ask("DBSIZE") != keys:
        raise UserError("not all keys have arrived")


def batches(keys: int, length: int) -> Iterator[list[tuple[str, ...]]]:
    """SETs of keys and values of ``length`` bytes, all different."""
    for start in range(0, keys, BATCH):
        yield [("SET", f"key:{n:012}", f"{n:0{length}}") for n in range(start, min(start + BATCH, keys))]


def resident(pid: int) -> int:
    """Resident set size in bytes."""
    return resident_in_status(Path(f"/proc/{pid}/status").read_text())


def resident_in_status(text: str) -> int:
    """VmRSS of /proc/PID/status, which tells it in kB."""
    found = next(line for line in text.splitlines() if line.startswith("VmRSS:"))
    return int(found.split()[1]) * 1024


QUESTION = Question(
    "memory",
    "Growth of the resident set (VmRSS) of a fresh server that takes 1,000,000 SETs of 16-byte keys and values of 64 "
    "or 16 bytes, all different, alone or as the only node of a cluster; and that set before the first.",
    measure,
)
