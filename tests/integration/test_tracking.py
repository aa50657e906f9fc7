"""Client tracking of real nodes: redis-py's cache is never wrong for long, and keys that move away leave no copies."""

import pytest
import redis
from redis.cache import CacheConfig
from redis.cluster import RedisCluster
from redis.connection import CacheProxyConnection

from tests.compat.pair import Wire, encode
from tests.compat.replies import Answer
from tests.integration.clusters import CLUSTER, OK, demand, form, my_id, start_together, wait_until
from tests.integration.migrating import migrate, wait_end
from tests.integration.nodes import Node, Nodes
from tests.integration.test_reshard import keys_in


@pytest.fixture
def version(monkeypatch: pytest.MonkeyPatch) -> None:
    """redis-py asks for the version 7.4 before it caches, of Redis 7.2 and Valkey as well; what it says is of 6.0."""
    monkeypatch.setattr(CacheProxyConnection, "MIN_ALLOWED_VERSION", "7.2.0")


def calls(client: redis.Redis, command: str) -> int:
    """How often ``command`` has come to the node."""
    stats = client.info("commandstats")
    return int(stats[f"cmdstat_{command}"]["calls"]) if f"cmdstat_{command}" in stats else 0


@pytest.mark.usefixtures("version")
def test_the_cache_of_redis_py_serves_and_forgets(nodes: Nodes) -> None:
    port = nodes.start().port
    reader = redis.Redis(port=port, protocol=3, cache_config=CacheConfig())
    writer = redis.Redis(port=port)
    with reader, writer:
        writer.mset({"k": "1", "l": "1"})
        assert [reader.get("k") for _ in range(5)] == [b"1"] * 5
        assert [reader.mget("k", "l") for _ in range(5)] == [[b"1", b"1"]] * 5
        assert (calls(writer, "get"), calls(writer, "mget")) == (1, 1)
        writer.set("k", "2")
        wait_until(lambda: reader.get("k") == b"2", "the change of one key is seen")
        wait_until(lambda: reader.mget("k", "l") == [b"2", b"1"], "and that of one of two")
        writer.pexpire("l", 1)
        wait_until(lambda: reader.mget("k", "l") == [b"2", None], "a key whose time is over is seen to be gone")
        writer.flushall()
        wait_until(lambda: reader.get("k") is None, "a flush is seen")
        reader.set("k", "own")
        wait_until(lambda: reader.get("k") == b"own", "and a change of its own")
        before = calls(writer, "get")
        assert [reader.get("k") for _ in range(5)] == [b"own"] * 5
        assert calls(writer, "get") <= before + 1, "which is cached again"


@pytest.mark.usefixtures("version")
def test_the_cache_of_redis_py_in_a_cluster(nodes: Nodes) -> None:
    made = pair_of(nodes)
    names = keys_in(0, 16383, 20)
    reader = RedisCluster(host="127.0.0.1", port=made[0].port, protocol=3, cache_config=CacheConfig())
    writer = RedisCluster(host="127.0.0.1", port=made[1].port)
    with reader, writer:
        for value in (b"1", b"2"):
            for name in names:
                writer.set(name, value)
            wait_until(lambda: {reader.get(name) for name in names} == {value}, "every change is seen")  # noqa: B023


def pair_of(nodes: Nodes) -> list[Node]:
    made = [nodes.make(*CLUSTER) for _ in range(2)]
    start_together(made)
    form(made)
    return made


def tracking(node: Node, *read: str) -> Wire:
    """A connection that has read these keys."""
    wire = Wire(node.address)
    for words in (["HELLO", "3"], ["CLIENT", "TRACKING", "ON"], *[["GET", key] for key in read]):
        wire.send(encode(words))
        assert wire.receive().kind != "error"
    return wire


def invalidated(wire: Wire) -> str:
    """The key that the next push is about."""
    push = wire.receive()
    assert push.kind == "push", push
    assert push.items[0] == Answer("bulk", b"invalidate")
    return push.items[1].items[0].text.decode()


def test_slots_that_move_at_one_stroke_leave_no_copies(nodes: Nodes) -> None:
    source, target = pair_of(nodes)
    moved, stays, absent = keys_in(0, 100, 1)[0], keys_in(200, 300, 1)[0], keys_in(101, 101, 1)[0]
    for key in (moved, stays):
        demand(source, "SET", key, "v")
    reader = tracking(source, moved, stays, absent)
    migrate(source, target, 0, 101)
    assert wait_end(source)["state"] == "success"
    assert {invalidated(reader), invalidated(reader)} == {moved, absent}
    demand(source, "SET", stays, "w")
    assert invalidated(reader) == stays, "and nothing but what moved"
    reader.close()


def test_keys_that_migrate_carries_leave_no_copies(nodes: Nodes) -> None:
    source, target = pair_of(nodes)
    tag = keys_in(0, 100, 1)[0]
    moved, stays = f"{{{tag}}}1", f"{{{tag}}}2"
    demand(source, "MSET", moved, "v", stays, "w")
    reader = tracking(source, moved, stays)
    slot = source.ask("CLUSTER", "KEYSLOT", tag).number
    demand(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", my_id(source))
    demand(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", my_id(target))
    assert source.ask("MIGRATE", "127.0.0.1", target.port, moved, 0, 5000) == OK
    assert invalidated(reader) == moved
    demand(source, "SET", stays, "x")
    assert invalidated(reader) == stays, "and nothing but what moved"
    reader.close()
