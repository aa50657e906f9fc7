"""``vm-enabled`` in real processes: three times the memory is readable and right, and nothing else changes.

Data are as large as it takes for the resident set to tell something. Where it is not looked at, ``vm-max-memory 0``
makes every value leave that may.
"""

import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Final

import pytest

from gossamer.deploy.blocking_client import fields
from tests.compat.pair import Wire, encode
from tests.integration.clusters import OK, ask, demand, form, start_together, wait_until
from tests.integration.every_type import difference, fill, put
from tests.integration.migrating import migrate, wait_end
from tests.integration.nodes import REDIS, Node, Nodes
from tests.integration.test_atomic_migration import OPTIONS as CLUSTERED
from tests.integration.test_every_type import key_names
from tests.integration.test_full_disk import fill as fill_disk
from tests.integration.test_full_disk import small_disk
from tests.integration.test_migrate import move
from tests.integration.test_replication import follow

DEBUG = ("--enable-debug-command", "yes")
ALL_AWAY: Final = (*DEBUG, "--vm-enabled", "yes", "--vm-max-memory", "0")
LIMIT: Final = 80 << 20
LIMITED: Final = (*DEBUG, "--vm-enabled", "yes", "--vm-max-memory", str(LIMIT))
MOST: Final = LIMIT * 13 // 10
KEYS: Final = 20_000
ROOM: Final = 12_500
"""Bytes of a value, about: three times the limit in all."""
PART: Final = 1250
"""Bytes of an element."""
PIPELINE: Final = 40
LONG_S: Final = 60.0


def request(number: int) -> list[bytes]:
    """What makes the key of this number: a string, a hash, a list, a set or a sorted set, always the same."""
    text = Random(number).randbytes(ROOM)
    parts = [text[at : at + PART] for at in range(0, ROOM, PART)]
    key = b"key:%d" % number
    match number % 8:
        case 0:
            return [b"HSET", key, *parts]
        case 1:
            return [b"RPUSH", key, *parts]
        case 2:
            return [b"SADD", key, *parts]
        case 3:
            return [b"ZADD", key, *(word for at, part in enumerate(parts) for word in (b"%d" % at, part))]
        case _:
            return [b"SET", key, text]


def question(number: int) -> tuple[list[bytes], list[bytes] | bytes]:
    """What shows the key of this number, and the answer, in order."""
    made = request(number)
    key, parts = made[1], made[2:]
    match number % 8:
        case 0:
            return [b"HGETALL", key], sorted(parts)
        case 1:
            return [b"LRANGE", key, b"0", b"-1"], sorted(parts)
        case 2:
            return [b"SMEMBERS", key], sorted(parts)
        case 3:
            return [b"ZRANGE", key, b"0", b"-1"], sorted(parts[1::2])
        case _:
            return [b"GET", key], parts[0]


def load(node: Node, numbers: range) -> None:
    with closing(Wire(node.address)) as wire:
        for first in range(numbers.start, numbers.stop, PIPELINE):
            some = range(first, min(first + PIPELINE, numbers.stop))
            wire.send(b"".join(encode(request(number)) for number in some))
            for _ in some:
                assert wire.receive().kind != "error"


def check(node: Node, numbers: list[int]) -> None:
    with closing(Wire(node.address)) as wire:
        for first in range(0, len(numbers), PIPELINE):
            asked = [question(number) for number in numbers[first : first + PIPELINE]]
            wire.send(b"".join(encode(words) for words, _ in asked))
            for words, right in asked:
                answer = wire.receive()
                found = answer.content if isinstance(right, bytes) else sorted(item.text for item in answer.items)
                assert found == right, words


def peak(node: Node) -> int:
    """Bytes of the largest resident set so far."""
    lines = Path(f"/proc/{node.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024


def told(node: Node) -> dict[str, str]:
    lines = node.ask("INFO", "vm").text.decode().splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def starts(node: Node, key: str, text: str) -> bool:
    """Is there a string at ``key`` that begins so?"""
    return node.ask("GET", key).text.startswith(text.encode())


def number_in(node: Node, section: str, name: str) -> int:
    return int(fields(ask(node, "INFO", section))[name])


def settled(node: Node) -> bool:
    return told(node)["vm_stats_unwritten_bytes"] == "0"


@pytest.fixture
def plain(nodes: Nodes) -> Node:
    return nodes.start(*DEBUG)


# --- more data than memory


@pytest.mark.once
def test_three_times_the_limit_is_readable_and_right(nodes: Nodes) -> None:
    """Before and after a restart."""
    node = nodes.start(*LIMITED, "--appendonly", "yes", "--auto-aof-rewrite-percentage", "0")
    load(node, range(KEYS))
    assert peak(node) <= MOST
    assert int(told(node)["vm_stats_used_bytes"]) > 2 * LIMIT
    order = Random(7).sample(range(KEYS), 3000)
    check(node, order)
    assert peak(node) <= MOST
    facts = told(node)
    assert int(facts["vm_stats_faults"]) > 1000
    assert int(facts["vm_stats_hits"]) > 50
    assert int(facts["vm_stats_blocking_faults"]) < 30, "others are served, but for what is just on its way out"
    digest = node.ask("DEBUG", "DIGEST")
    node.stop()
    node.launch()
    node.wait_log("Ready to accept connections", LONG_S)
    assert peak(node) <= MOST
    assert node.ask("DEBUG", "DIGEST") == digest
    check(node, order[:500])
    assert list((node.home / "vm").iterdir()) == []


@pytest.mark.once
def test_a_replica_and_a_file_of_three_times_the_limit(nodes: Nodes) -> None:
    """The replica has as little memory, and a real server loads the file."""
    node, replica = nodes.start(*LIMITED), nodes.start(*LIMITED)
    demand(node, "CONFIG", "SET", "repl-diskless-sync-delay", "0")
    load(node, range(KEYS))
    follow(replica, node)
    load(node, range(KEYS, KEYS + 100))
    digest = node.ask("DEBUG", "DIGEST")
    wait_until(lambda: replica.ask("DEBUG", "DIGEST") == digest, "the replica has the same", LONG_S)
    assert peak(node) <= MOST
    assert peak(replica) <= MOST
    demand(replica, "SAVE")
    assert peak(replica) <= MOST
    reader = nodes.make(*DEBUG, program=REDIS)
    shutil.copy(replica.home / "dump.rdb", reader.home / "dump.rdb")
    reader.start()
    assert reader.ask("DEBUG", "DIGEST") == digest


def test_every_type_is_as_without_it(nodes: Nodes, plain: Node) -> None:
    node = nodes.start(*ALL_AWAY)
    for each in (node, plain):
        put(each, fill())
    wait_until(lambda: int(told(node)["vm_stats_swapped_objects"]) > 4, "values leave")
    assert node.ask("DEBUG", "DIGEST") == plain.ask("DEBUG", "DIGEST")
    assert difference(node, plain, key_names(node)) is None
    demand(node, "DEBUG", "RELOAD")
    assert node.ask("DEBUG", "DIGEST") == plain.ask("DEBUG", "DIGEST")


# --- with all else that a node does


def test_keys_are_evicted_when_what_stays_is_too_much(nodes: Nodes) -> None:
    """Till that is so all values leave. From then on it is a matter of time how many do, and so how many keys stay."""
    node = nodes.start(*ALL_AWAY, "--maxmemory", "3mb", "--maxmemory-policy", "allkeys-lru")
    most = 0

    def write(first: int, last: int) -> None:
        nonlocal most
        with closing(Wire(node.address)) as wire:
            for at in range(first, last, 100):
                wire.send(b"".join(encode(["SET", f"k{n}", f"{n}:" + "v" * 1000]) for n in range(at, at + 100)))
                for _ in range(100):
                    assert wire.receive() == OK
                most = max(most, node.ask("DBSIZE").number)

    write(0, 19_000)
    second = number_in(node, "server", "lru_clock")
    wait_until(lambda: number_in(node, "server", "lru_clock") != second, "what follows is newer")
    write(19_000, 20_000)
    wait_until(
        lambda: node.ask("DBSIZE").number + number_in(node, "stats", "evicted_keys") == 20_000,
        "each key is there, or was evicted",
    )
    assert 3000 < most < 20_000, "more than would fit, and not all"
    names = [f"k{n}" for n in range(19_000, 20_000)]
    found = {name: answer.text for name in names if (answer := node.ask("GET", name)).content is not None}
    assert [name for name, text in found.items() if not text.startswith(f"{name[1:]}:v".encode())] == []
    assert len(found) > 980, "samples show older ones; by mere chance some 900 would be left"


def test_keys_move_to_other_nodes(nodes: Nodes, plain: Node) -> None:
    source = nodes.start(*ALL_AWAY)
    put(source, fill())
    digest = source.ask("DEBUG", "DIGEST")
    names = key_names(source)
    wait_until(lambda: settled(source), "values leave")
    assert move(source, plain, *names) == OK
    assert source.ask("DBSIZE").number == 0
    assert plain.ask("DEBUG", "DIGEST") == digest
    assert move(plain, source, *names) == OK
    wait_until(lambda: int(told(source)["vm_stats_swapped_objects"]) > 4, "values leave again")
    assert source.ask("DEBUG", "DIGEST") == digest


def test_slots_move_with_values_that_are_away(nodes: Nodes) -> None:
    both = [nodes.make(*CLUSTERED, *ALL_AWAY[2:]) for _ in range(2)]
    start_together(both)
    form(both)
    slot = both[0].ask("CLUSTER", "KEYSLOT", "a").number
    source, target = both if both[0].ask("GET", "{a}text").kind != "error" else both[::-1]
    some = [words for words in fill() if words[0] in ("SET", "SADD", "RPUSH")]
    put(source, ([words[0], f"{{a}}{words[1]}", *words[2:]] for words in some))
    digest = source.ask("DEBUG", "DIGEST")
    wait_until(lambda: int(told(source)["vm_stats_swapped_objects"]) >= 2, "values leave")
    migrate(source, target, slot, slot)
    assert wait_end(source)["state"] == "success"
    assert target.ask("DEBUG", "DIGEST") == digest
    wait_until(lambda: told(source)["vm_stats_used_bytes"] == "0", "their places are free")


@pytest.mark.once
def test_a_node_that_is_killed_while_values_leave_has_all_that_was_acknowledged(nodes: Nodes) -> None:
    node = nodes.start(*ALL_AWAY, "--appendonly", "yes", "--appendfsync", "always")
    acknowledged: list[int] = []

    def write() -> None:
        with closing(Wire(node.address)) as wire:
            number = 0
            while True:
                try:
                    wire.send(encode(["SET", f"k{number}", f"{number}:" + "v" * 2000]))
                    if wire.receive() != OK:
                        return
                except (OSError, EOFError):
                    return
                acknowledged.append(number)
                number += 1

    writer = threading.Thread(target=write)
    writer.start()
    wait_until(lambda: len(acknowledged) > 300, "it is written")
    assert int(told(node)["vm_stats_swappout_count"]) > 100
    node.stop(signal.SIGKILL)
    writer.join()
    assert list((node.home / "vm").iterdir()) == []
    node.start()
    for number in acknowledged:
        assert starts(node, f"k{number}", f"{number}:v")


# --- a disk that is full


@pytest.fixture
def on_small_disk(nodes: Nodes) -> Iterator[Node]:
    node = nodes.make(*ALL_AWAY)
    folder = node.home / "vm"
    folder.mkdir()
    with small_disk(folder):
        node.start()
        yield node
        node.stop()


@pytest.mark.once
def test_a_full_disk_keeps_values_in_memory_until_there_is_room(on_small_disk: Node) -> None:
    node = on_small_disk
    filler = fill_disk(node.home / "vm")
    for number in range(50):
        demand(node, "SET", f"k{number}", f"{number}:" + "v" * 2000)
    node.wait_log("Values stay in memory, which they should leave")
    assert int(told(node)["vm_stats_write_errors"]) > 0
    assert "No space left on device" in told(node)["vm_last_error"]
    for number in range(50):
        assert starts(node, f"k{number}", f"{number}:v")
    demand(node, "CONFIG", "SET", "maxmemory", str((1 << 20) + 1000))
    assert node.ask("SET", "more", "v").text.startswith(b"OOM ")
    filler.unlink()
    wait_until(lambda: int(told(node)["vm_stats_swapped_objects"]) == 50, "there is room again")
    demand(node, "CONFIG", "SET", "maxmemory", "0")
    for number in range(50):
        assert starts(node, f"k{number}", f"{number}:v")


def test_a_folder_that_cannot_be_used_ends_the_start(nodes: Nodes) -> None:
    node = nodes.make(*ALL_AWAY, "--vm-dir", "/proc/none")
    node.launch()
    assert node.wait_end() == 1
    assert "vm-dir /proc/none: No such file or directory" in node.log()
