"""Is ``used_memory`` what the data really take? Its growth beside that of the resident set, for each type.

The figures of the objects are those of the compiled build, so only that is measured, each type in a process of its own.
"""

import subprocess
import sys
from typing import Final

import pytest

from gossamer.cluster import build
from tests.tidy.floors import TOP

SCRIPT: Final = """
import ctypes, gc, sys
import psutil
from tests.unit.node.commands.one import One

what, keys, elements = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
one = One()

def words_of(first, last):
    numbers = range(first, last)
    if what == "hash":
        return [word for n in numbers for word in (f"field{n}", f"value-{n:010}")]
    if what == "zset":
        return [word for n in numbers for word in (n * 1.5, f"member-{n:010}")]
    return [n * 1000 if what == "intset" else f"member-{n:010}" for n in numbers]

def fill(first, last):
    for number in range(first, last):
        key = f"key:{number:08}"
        if what == "string":
            one.say("SET", key, "v" * elements)
        elif what == "stream":
            for n in range(elements):
                one.say("XADD", key, "*", "f1", f"value-{n:010}", "f2", n)
        else:
            name = {"hash": "HSET", "set": "SADD", "intset": "SADD", "zset": "ZADD", "list": "RPUSH"}[what]
            for at in range(0, elements, 500):
                one.say(name, key, *words_of(at, min(at + 500, elements)))

def look():
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return psutil.Process().memory_info().rss, one.server.keyspace.tally.used()

fill(0, keys // 4)  # what the first requests cost belongs to no key
before = look()
fill(keys // 4, keys)
after = look()
print(after[0] - before[0], after[1] - before[1])
"""


@pytest.mark.once
@pytest.mark.skipif(build.name() != "compiled", reason="objects are smaller where the code is compiled")
@pytest.mark.parametrize(
    ("what", "keys", "elements"),
    [
        ("string", 80_000, 64),
        ("string", 30_000, 1000),
        ("hash", 40_000, 5),
        ("hash", 12, 60_000),
        ("set", 40_000, 5),
        ("set", 12, 60_000),
        ("intset", 40_000, 5),
        ("zset", 40_000, 5),
        ("zset", 12, 40_000),
        ("list", 40_000, 5),
        ("list", 12, 100_000),
        ("stream", 10_000, 5),
        ("stream", 12, 10_000),
    ],
)
def test_used_memory_grows_as_the_resident_set(what: str, keys: int, elements: int) -> None:
    words = (sys.executable, "-c", SCRIPT, what, str(keys), str(elements))
    done = subprocess.run(words, cwd=TOP, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    resident, counted = map(int, done.stdout.split())
    assert 0.85 <= counted / resident <= 1.15
