"""Does a value of a million elements hold up other clients, and how long do commands take that go through all of it?"""

import time
from contextlib import closing
from random import Random
from typing import Final

from gossamer.deploy.blocking_client import encode
from gossamer.deploy.servers import Node
from gossamer.deploy.user_error import UserError
from gossamer.node.io.dial import dial_blocking
from tests.perf.contenders import COMPILED
from tests.perf.figures import Figures, Goal
from tests.perf.fullsync import Pinger
from tests.perf.growth import FILL, Words, batches, send
from tests.perf.question import Bench, Question

ELEMENTS: Final = 1_000_000
PATIENCE_S: Final = 120.0
WHOLE: Final[tuple[Words, ...]] = (
    ("LRANGE", "list", 0, -1),
    ("SMEMBERS", "set"),
    ("HGETALL", "hash"),
    ("SUNION", "set", "set"),
    ("ZUNIONSTORE", "other", 1, "zset"),
    ("SORT", "list", "ALPHA", "LIMIT", 0, 10),
)
"""Redis makes each of these in one go."""
FREEING: Final[tuple[Words, ...]] = (
    ("DEL", "zset"),
    ("UNLINK", "hash"),
    ("PEXPIRE", "set", 1),
    ("SET", "list", "overwritten"),
    ("FLUSHALL",),
)


def measure(bench: Bench) -> list[Figures]:
    goals = (Goal(COMPILED, 2.0, at_least=False),)
    took = Figures("Time of a command on a value of a million elements", "ms", goals, digits=1)
    gap = Figures("Longest wait of another client meanwhile", "ms", digits=1)
    size = bench.amount(ELEMENTS)
    for turn in range(bench.rounds):
        bench.tell(f"big: round {turn + 1} of {bench.rounds}")
        for kind in bench.judged:
            with Node(kind) as node, closing(node.client()) as client:
                rng = Random(size)
                for make in FILL.values():
                    send(client, batches(make(n, rng) for n in range(size)))
                for words in (*WHOLE, *FREEING):
                    case = " ".join(map(str, words))
                    with Pinger(node) as pinger:
                        seconds = answered(node, words)
                    gap.add(case, kind.name, pinger.longest_s * 1e3)
                    if words in WHOLE:
                        took.add(case, kind.name, seconds * 1e3)
    return [took, gap]


def answered(node: Node, words: Words) -> float:
    """Seconds until the whole reply has come. It is not looked at, for that takes Python longer than the server."""
    with closing(dial_blocking(*node.address, timeout_s=PATIENCE_S)) as sock:
        before = time.perf_counter()
        sock.sendall(encode(words) + encode(("PING",)))
        end = first = b""
        while not end.endswith(b"+PONG\r\n"):
            data = sock.recv(1 << 20)
            first = first or data
            if not data or first.startswith(b"-"):
                raise UserError(f"{words}: {first!r}")
            end = (end + data)[-7:]
        return time.perf_counter() - before


QUESTION = Question(
    "big",
    "A server with a sorted set, a list, a hash, a set and a stream of 1,000,000 elements of 17 bytes each. One client "
    "sends a command and reads the reply, another one does nothing but PING; what counts of that is the longest it "
    "waited. The last commands free what there is.",
    measure,
)
