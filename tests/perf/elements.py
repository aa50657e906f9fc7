"""How many bytes does an element of each type of data take?"""

from collections.abc import Callable
from contextlib import closing
from typing import Final, TypeAlias

from gossamer.deploy.servers import Node
from tests.perf.contenders import COMPILED
from tests.perf.figures import Figures, Goal
from tests.perf.growth import Words, batches, send
from tests.perf.memory import resident
from tests.perf.question import Bench, Question

ELEMENTS: Final = 1_000_000
FORMS: Final = (10, 100, ELEMENTS)
"""Elements of a value."""

Put: TypeAlias = Callable[[str, list[str]], Words]


def paired(words: list[str], other: list[str]) -> list[str]:
    return [word for pair in zip(words, other, strict=True) for word in pair]


PUTS: Final[dict[str, Put]] = {
    "list": lambda key, items: ("RPUSH", key, *items),
    "hash": lambda key, items: ("HSET", key, *paired(items, items)),
    "set": lambda key, items: ("SADD", key, *items),
    "zset": lambda key, items: ("ZADD", key, *paired([str(int(item[1:]) * 7 % 999_983) for item in items], items)),
    "stream": lambda key, items: ("XADD", key, "*", "field", items[0]),
}
"""The request that puts ``items`` into the value at ``key``; XADD takes one."""


def measure(bench: Bench) -> list[Figures]:
    size = Figures("Memory of an element of 10 bytes", "bytes", (Goal(COMPILED, 1.5, at_least=False),), digits=1)
    total = bench.amount(ELEMENTS)
    for turn in range(bench.rounds):
        bench.tell(f"elements: round {turn + 1} of {bench.rounds}")
        for name, put in PUTS.items():
            for form in FORMS:
                count = min(form, total)
                for kind in bench.judged:
                    with Node(kind) as node, closing(node.client()) as client:
                        before = resident(node.pid)
                        send(client, batches(request for request in fill(name, put, count, total)))
                        size.add(f"{name} of {form:,}", kind.name, (resident(node.pid) - before) / total)
    return [size]


def fill(name: str, put: Put, count: int, total: int) -> list[Words]:
    """Values of ``count`` elements each, ``total`` in all."""
    step = 1 if name == "stream" else min(count, 100)
    return [
        put(f"key:{start // count}", [f"e{number:09}" for number in range(start, start + step)])
        for start in range(0, total, step)
    ]


QUESTION = Question(
    "elements",
    "Growth of the resident set (VmRSS) of a fresh server that takes 1,000,000 elements of 10 bytes (hashes: field and "
    "value of 10 bytes each; streams: one field a entry), in values of 10, of 100 and of 1,000,000 elements. A value's "
    "key is among it.",
    measure,
)
