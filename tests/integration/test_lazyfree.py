"""The lazyfree directives beside Redis: which word the stream and the append-only file have, and what INFO counts."""

from collections.abc import Sequence

import pytest

from gossamer.deploy.blocking_client import fields
from gossamer.node.resp.parser import Parser
from tests.compat.replies import Answer
from tests.integration.clusters import ask, demand, wait_until
from tests.integration.nodes import GOSSAMER, REDIS, Node, Nodes, Program
from tests.integration.test_rdb_file import persistence
from tests.integration.test_replication import follow

APPENDS = ("--appendonly", "yes", "--repl-diskless-sync-delay", "0")
DIRECTIVES = ("expire", "eviction", "server-del", "user-del", "user-flush")
LONGEST_S = 10.0
OBEYED = {
    b"PEXPIREAT": "expire",
    b"GETEX": "expire",
    b"expired": "expire",
    b"evicted": "eviction",
    b"SPOP": "server-del",
    b"RESTORE": "server-del",
    b"GETDEL": "",
    b"DEL": "",
}
NEWER = (b"GETDEL", b"RESTORE", b"SPOP")
"""In 7.0 the last two are always DEL, and GETDEL goes by user-del. Ours are those of 7.2."""

Deletion = tuple[bytes, ...]


def lazily(*names: str) -> list[str]:
    return [word for name in DIRECTIVES for word in (f"--lazyfree-lazy-{name}", "yes" if name in names else "no")]


def delete_in_every_way(node: Node) -> None:
    """A key each, named after how it goes."""
    for key in ("PEXPIREAT", "GETEX", "RESTORE", "GETDEL", "DEL", "UNLINK"):
        demand(node, "SET", key, "v")
    payload = node.ask("DUMP", "DEL").text
    for words in (
        ("PEXPIREAT", "PEXPIREAT", "1"),
        ("GETEX", "GETEX", "PXAT", "1"),
        ("RESTORE", "RESTORE", "1", payload, "ABSTTL", "REPLACE"),
        ("GETDEL", "GETDEL"),
        ("DEL", "DEL"),
        ("UNLINK", "UNLINK"),
        ("SADD", "SPOP", "a", "b"),
        ("SPOP", "SPOP", "5"),
        ("PSETEX", "expired", "1", "v"),
    ):
        assert node.ask(*words).kind != "error", words
    wait_until(lambda: node.ask("EXISTS", "expired").content == 0, "the key is expired", LONGEST_S)
    demand(node, "SET", "evicted", "v" * 3_000_000)
    demand(node, "CONFIG", "SET", "maxmemory-policy", "allkeys-random")
    demand(node, "CONFIG", "SET", "maxmemory", "2500000")
    wait_until(
        lambda: node.ask("PING").kind == "status" and node.ask("DBSIZE").content == 0, "it is evicted", LONGEST_S
    )
    demand(node, "CONFIG", "SET", "maxmemory", "0")
    demand(node, "SET", "end", "v")


def deletions(node: Node) -> list[Deletion]:
    """What the append-only file tells of keys that went, up to the end of ``delete_in_every_way``."""
    (file,) = (node.home / "appendonlydir").glob("*.incr.aof")
    end = b"$3\r\nend\r\n$1\r\nv\r\n"
    wait_until(lambda: end in file.read_bytes(), "all is in the file, which waits for an fsync", LONGEST_S)
    parser = Parser()
    parser.feed(file.read_bytes())
    found: list[Deletion] = []
    while (argv := parser.next()) is not None:
        if argv[0].upper() in {b"DEL", b"UNLINK"}:
            found.append((argv[0].upper(), *argv[1:]))
    return found


def all_told(nodes: Nodes, program: Program, follower: Program, options: Sequence[str]) -> list[list[Deletion]]:
    """The deletions in the file of a primary, and in that of its replica, where they came by the stream."""
    primary = nodes.start(*APPENDS, *options, program=program)
    replica = nodes.start(*APPENDS, program=follower)
    follow(replica, primary)
    wait_until(lambda: persistence(replica)["aof_rewrite_in_progress"] == "0", "the replica's file is new", LONGEST_S)
    delete_in_every_way(primary)
    end = Answer("bulk", b"v")
    wait_until(lambda: replica.ask("GET", "end") == end, "the replica has all", LONGEST_S)
    return [deletions(primary), deletions(replica)]


@pytest.mark.parametrize(
    "names",
    [(), ("expire",), ("eviction",), ("server-del",), ("user-del", "user-flush"), DIRECTIVES],
    ids=lambda names: "+".join(names) or "none",
)
def test_the_stream_and_the_file_have_the_words_of_redis(nodes: Nodes, names: tuple[str, ...]) -> None:
    options = lazily(*names)
    ours = all_told(nodes, GOSSAMER, REDIS, options)
    theirs = all_told(nodes, REDIS, GOSSAMER, options)
    assert [others(found) for found in ours] == [others(found) for found in theirs]
    assert ours[0] == ours[1], "the file and the stream"
    words = {key: word for word, key in ours[0]}
    assert len(words) == 9
    assert all(words[key] == (b"UNLINK" if name in names else b"DEL") for key, name in OBEYED.items())


def others(found: list[Deletion]) -> list[Deletion]:
    return [words for words in found if words[1] not in NEWER]


# --- what INFO counts

MEMBERS = [f"member-{number}" for number in range(3000)]
PAIRS = [word for number, member in enumerate(MEMBERS) for word in (f"{number}", member)]
GROUPS = [("XGROUP", "CREATE", "s", f"group{number}", "0") for number in range(70)]
STEPS: dict[str, tuple[tuple[str, ...], ...]] = {
    "a string": (("SET", "s", "v" * 100_000), ("UNLINK", "s")),
    "a small hash": (("HSET", "s", *PAIRS[:200]), ("UNLINK", "s")),
    "64 members": (("SADD", "s", "v" * 100, *MEMBERS[:63]), ("UNLINK", "s")),
    "65 members": (("SADD", "s", "v" * 100, *MEMBERS[:64]), ("UNLINK", "s")),
    "65 fields": (("HSET", "s", "f", "v" * 100, *PAIRS[:128]), ("UNLINK", "s")),
    "65 scores": (("ZADD", "s", "1", "v" * 100, *PAIRS[:128]), ("UNLINK", "s")),
    "a listpack of 100 scores": (("ZADD", "s", *PAIRS[:200]), ("UNLINK", "s")),
    "a large set": (("SADD", "s", *MEMBERS), ("UNLINK", "s")),
    "two large sets": (("SADD", "s", *MEMBERS), ("COPY", "s", "t"), ("UNLINK", "s", "t", "none")),
    "a short list": (("RPUSH", "s", *MEMBERS[:500]), ("UNLINK", "s")),
    "a list of many nodes": (("RPUSH", "s", *[f"{number:>5000}" for number in range(150)]), ("UNLINK", "s")),
    "a stream of few nodes": (*[("XADD", "s", f"{n}-1", "f", "v") for n in range(1, 100)], ("UNLINK", "s")),
    "a stream of many groups": (("XADD", "s", "1-1", "f", "v"), *GROUPS, ("UNLINK", "s")),
    "DEL": (("SADD", "s", *MEMBERS), ("DEL", "s")),
    "an overwritten set": (("SADD", "s", *MEMBERS), ("SET", "s", "v")),
    "a renamed key": (("SADD", "s", *MEMBERS), ("SET", "t", "v"), ("RENAME", "t", "s")),
    "members one by one": (("SADD", "s", *MEMBERS), ("SREM", "s", *MEMBERS)),
    "an end in the past": (("SADD", "s", *MEMBERS), ("PEXPIREAT", "s", "1")),
    "FLUSHALL": (("MSET", *PAIRS[:400]), ("SADD", "s", *MEMBERS), ("FLUSHALL",)),
    "FLUSHDB ASYNC": (("MSET", *PAIRS[:400]), ("FLUSHDB", "ASYNC")),
    "FLUSHALL of nothing": (("FLUSHALL", "ASYNC"),),
}


def count(node: Node, name: str) -> int:
    return int(fields(ask(node, "INFO", "memory"))[name])


def freed(node: Node, steps: tuple[tuple[str, ...], ...]) -> int:
    demand(node, "FLUSHALL", "SYNC")
    wait_until(lambda: count(node, "lazyfree_pending_objects") == 0, f"{node} has freed what was there", LONGEST_S)
    demand(node, "CONFIG", "RESETSTAT")
    assert count(node, "lazyfreed_objects") == 0
    for words in steps:
        assert node.ask(*words).kind != "error", words[:3]
    wait_until(lambda: count(node, "lazyfree_pending_objects") == 0, f"{node} has freed all", LONGEST_S)
    return count(node, "lazyfreed_objects")


def test_as_many_objects_are_freed_lazily_as_in_redis(nodes: Nodes) -> None:
    options = lazily(*DIRECTIVES)
    ours, theirs = nodes.start(*options), nodes.start(*options, program=REDIS)
    found = {name: (freed(ours, steps), freed(theirs, steps)) for name, steps in STEPS.items()}
    assert {name: pair for name, pair in found.items() if pair[0] != pair[1]} == {}
    assert found["FLUSHALL"] == (201, 201)
    assert found["two large sets"] == (2, 2)
    assert found["a small hash"] == (0, 0)
