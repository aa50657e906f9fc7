"""What does it cost that a write is answered only when a replica has it, and what would WAIT after each write cost?"""

import selectors
import socket
import time
from contextlib import ExitStack, closing
from typing import Final

from gossamer.deploy.blocking_client import fields
from gossamer.deploy.load import Load, load
from gossamer.deploy.servers import HOST, Kind, Node, wait_for
from tests.perf.contenders import COMPILED
from tests.perf.figures import Figures, Goal
from tests.perf.question import Bench, Question

CLIENTS: Final = 50
SET: Final = b"*3\r\n$3\r\nSET\r\n$7\r\nkey:%03d\r\n$3\r\nxyz\r\n"
GOALS: Final = (
    Goal(COMPILED, 0.8, at_least=True, cases=("SET, 0 replicas",)),
    Goal(COMPILED, 0.65, at_least=True, cases=("SET -P 16, 0 replicas",)),
)
"""Of what a replica may cost its primary, where nobody waits for it."""
WAIT: Final = b"*3\r\n$4\r\nWAIT\r\n$1\r\n1\r\n$1\r\n0\r\n"


def measure(bench: Bench) -> list[Figures]:
    title = f"Acknowledged writes, redis-benchmark, {CLIENTS} clients, one replica"
    benchmark = Figures(title, "requests/s", GOALS, digits=0)
    plain = Figures(f"Acknowledged writes, {CLIENTS} clients in one loop, one replica", "writes/s", digits=0)
    with ExitStack() as stack:
        primaries = [pair(stack, kind) for kind in bench.kinds]
        for turn in range(bench.rounds):
            bench.tell(f"acknowledged: round {turn + 1} of {bench.rounds}")
            for node in primaries:
                name = node.kind.name
                for replicas in (0, 1) if node.kind.ours else (0,):
                    demand(node, replicas)
                    for pipeline, requests in ((1, 100_000), (16, 500_000)):
                        case = f"SET{'' if pipeline == 1 else f' -P {pipeline}'}, {replicas} replicas"
                        work = Load("set", bench.amount(requests), pipeline=pipeline)
                        benchmark.add(case, name, load(node.port, work, []).rate)
                    plain.add(f"SET, {replicas} replicas", name, loop(node.port, bench.amount(30_000), wait=False))
                demand(node, 0)
                plain.add("SET, then WAIT 1", name, loop(node.port, bench.amount(30_000), wait=True))
    return [benchmark, plain]


def pair(stack: ExitStack, kind: Kind) -> Node:
    """A primary of ``kind`` and, somewhere, its replica."""
    primary = stack.enter_context(Node(kind))
    replica = stack.enter_context(Node(kind, "--replicaof", f"{HOST} {primary.port}"))
    with closing(replica.client()) as client:
        wait_for(lambda: fields(client.text("INFO", "replication"))["master_link_status"] == "up", 30.0, "no replica")
    return primary


def demand(node: Node, replicas: int) -> None:
    if node.kind.ours:
        with closing(node.client()) as client:
            client.ask("CONFIG", "SET", "write-ack-replicas", replicas)


def loop(port: int, writes: int, wait: bool) -> float:
    """Writes a second of clients that send the next one, with a WAIT behind it or not, when they are answered."""
    lines = 2 if wait else 1
    requests: dict[socket.socket, bytes] = {}
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        for number in range(CLIENTS):
            connection = stack.enter_context(socket.create_connection((HOST, port), 10.0))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            requests[connection] = SET % number + (WAIT if wait else b"")
            selector.register(connection, selectors.EVENT_READ)
        heard = dict.fromkeys(requests, 0)
        began = time.perf_counter()
        for connection, request in requests.items():
            connection.sendall(request)
        done = 0
        while done < writes:
            for key, _ in selector.select():
                ready = key.fileobj
                assert isinstance(ready, socket.socket)
                data = ready.recv(4096)
                assert data, "the server has closed the connection"
                assert not data.startswith(b"-"), data
                heard[ready] += data.count(b"\n")
                if heard[ready] == lines:
                    heard[ready] = 0
                    done += 1
                    ready.sendall(requests[ready])
        return done / (time.perf_counter() - began)


QUESTION = Question(
    "acknowledged",
    "A primary with one replica of its kind. SET as in throughput (100,000 requests a run, 500,000 in pipelines of "
    "16), with `write-ack-replicas` 0 and 1; then 30,000 SETs by 50 clients that one Python loop plays, once more with "
    "0 and 1, and with 0 while each client sends `WAIT 1 0` behind every SET, which is what other servers offer.",
    measure,
)
