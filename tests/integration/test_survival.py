"""Clients that count keys up go on counting when the primary hands over, and when it is killed."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from redis.cluster import RedisCluster
from redis.exceptions import RedisError

from tests.integration.clusters import demand, my_id, wait_state, wait_until
from tests.integration.nodes import GOSSAMER, ROOT, Node, Nodes
from tests.integration.test_clients import program, redis_cli
from tests.integration.test_election import shard, wait_primary

pytestmark = pytest.mark.once

PY, JS, SHELL = ("{06S}py", "{06S}js", "{06S}shell")
ENOUGH = 20
"""Counts after an event that show that the client goes on."""


class Counter:
    """redis-py."""

    def __init__(self, port: int) -> None:
        self.acknowledged = 0
        self._client = RedisCluster(host="127.0.0.1", port=port)
        self._stop = threading.Event()

    def count(self) -> None:
        while not self._stop.is_set():
            try:
                self._client.incr(PY)
                self.acknowledged += 1
            except (RedisError, OSError):  # of those, a program tries again
                self._stop.wait(0.01)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        task = threading.Thread(target=self.count)
        task.start()
        try:
            yield
        finally:
            self._stop.set()
            task.join()
            self._client.close()


@contextmanager
def counting_in_node_js(ports: list[int], told: dict[str, int]) -> Iterator[None]:
    """ioredis; ``told`` gets what it says at the end."""
    node = program("node", "apt-get install nodejs")
    modules = os.environ.get("GOSSAMER_NODE_MODULES") or str(ROOT / ".cache" / "npm" / "node_modules")
    if not (Path(modules) / "ioredis").is_dir():
        pytest.skip(f"no ioredis in {modules}: npm install --prefix {Path(modules).parent} ioredis@5")
    script = str(Path(__file__).with_name("ioredis-counter.js"))
    words = [node, script, JS, *map(str, ports)]
    environment = {**os.environ, "NODE_PATH": modules}
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield
            out, _ = process.communicate(timeout=30)
            told.update(json.loads(out))
        finally:
            process.kill()


@contextmanager
def counting_in_the_shell(port: int) -> Iterator[None]:
    words = [redis_cli(), "-c", "-p", str(port), "-r", "-1", "-i", "0.01", "INCR", SHELL]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.kill()


def value(node: Node, key: str) -> int:
    answer = node.ask("GET", key)
    return 0 if answer.kind == "nullbulk" else int(answer.text)


def wait_counting(node: Node, *keys: str) -> None:
    """Until ``node`` has seen each key counted up for a while."""
    begin = [value(node, key) for key in keys]

    def all_have_gone_on() -> bool:
        return all(value(node, key) >= before + ENOUGH for key, before in zip(keys, begin, strict=True))

    wait_until(all_have_gone_on, f"{keys} are counted up at {node}")


def test_clients_go_on_through_a_hand_over_and_a_kill(nodes: Nodes) -> None:
    primaries, replica = shard(nodes, (GOSSAMER, GOSSAMER))
    primary, others = primaries[0], primaries[1:]
    everyone = [*primaries, replica]
    ports = [node.port for node in everyone]
    counter, told = Counter(others[0].port), dict[str, int]()
    with ExitStack() as stack:
        stack.enter_context(counter.at_work())
        stack.enter_context(counting_in_node_js(ports, told))
        with counting_in_the_shell(others[1].port):
            wait_counting(primary, PY, JS, SHELL)
            demand(replica, "CLUSTER", "FAILOVER")
            wait_primary(everyone, replica, "-")
            wait_counting(replica, PY, JS, SHELL)
            acknowledged = counter.acknowledged
            assert value(replica, PY) >= acknowledged, "nothing was lost"
        wait_primary(everyone, primary, my_id(replica))
        wait_until(lambda: b"master_link_status:up" in primary.ask("INFO", "replication").text, "it is in sync")
        replica.kill()
        wait_primary([primary, *others], primary, "-")
        wait_state([primary, *others], "ok")
        wait_counting(primary, PY, JS)
    assert told["acknowledged"] > 2 * ENOUGH
