"""What is true of the table in C alone: it is there, it gives memory back, and nothing shakes it."""

import functools
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Final

import psutil
import pytest

from gossamer.cluster import build
from gossamer.cluster.slots import key_slot
from gossamer.node.io import serve
from gossamer.node.store import plain, table
from gossamer.node.store.plain import NEVER, Table, Value
from tests.tidy.floors import TOP
from tests.unit.node.store import prove
from tests.unit.node.store.native import FLAGS, INCLUDE, NAME, SOURCE, WARNINGS
from tests.unit.node.store.walks import contents

MB: Final = 1 << 20


def fill(table: Table, first: int, behind: int, size: int = 16) -> None:
    for number in range(first, behind):
        table.put(b"%08d" % number, b"v" * size)


# --- the build


def test_the_build_has_its_table() -> None:
    """A compiled build without the extension would work, and nobody would notice."""
    expected = NAME if build.name() == "compiled" else plain.__name__
    assert table.Table.__module__ == expected


def test_the_pure_build_does_not_find_the_extension(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "native.so").touch()
    (tmp_path / "plain.py").touch()
    finder = build.SourceOnly()
    assert finder.find_spec("gossamer.node.store.plain", [str(tmp_path)]) is not None
    with pytest.raises(ModuleNotFoundError, match="native"):
        finder.find_spec(NAME, [str(tmp_path)])
    if build.name() == "interpreted":
        with pytest.raises(ModuleNotFoundError):
            find_spec(NAME)


def test_it_compiles_without_a_warning() -> None:
    if not shutil.which("cc") or not (INCLUDE / "Python.h").exists():
        pytest.skip("no C compiler: apt-get install gcc libc6-dev python3-dev")
    words = ("cc", "-fsyntax-only", "-O2", *WARNINGS, f"-I{INCLUDE}", str(SOURCE))
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# --- memory


def test_memory_returns_when_all_keys_go(own: ModuleType) -> None:
    table: Table = own.Table()
    fill(table, 0, 100_000)
    assert own.in_use() >= 100_000 * 32
    for number in range(100_000):
        table.remove(b"%08d" % number)
    assert own.in_use() == 0
    assert own.resident() <= 2 * MB


def test_memory_returns_when_most_keys_go(own: ModuleType) -> None:
    """Those that stay are scattered over all memory; they move together."""
    table: Table = own.Table()
    fill(table, 0, 200_000)
    full = own.resident()
    for number in range(200_000):
        if number % 20:
            table.remove(b"%08d" % number)
    assert own.resident() < full / 4 + 2 * MB, "two MB of free pages are kept"


def test_an_empty_table_takes_next_to_nothing(own: ModuleType) -> None:
    tables = [own.Table() for _ in range(16_384)]
    assert own.in_use() == own.resident() == 0
    assert tables[0].used() < 100


def test_overhead_is_what_a_key_takes_beside_its_bytes(own: ModuleType) -> None:
    """On an average over how full a table is, and over sizes."""
    table: Table = own.Table()
    seen = []
    for number in range(60_000):
        table.put(b"%08d" % number, b"v" * (number % 64))
        if number >= 30_000 and number % 1000 == 0:
            strings = sum(8 + earlier % 64 for earlier in range(number + 1))
            seen.append((table.used() - strings) / (number + 1))
    assert FLAGS or sum(seen) / len(seen) == pytest.approx(own.OVERHEAD, abs=2)


def test_huge_pages_change_nothing_but_pages(own: ModuleType) -> None:
    table: Table = own.Table()
    for wanted in (True, False, True):
        own.use_huge_pages(wanted)
        fill(table, 0, 30_000)
        assert table.get(b"%08d" % 7) == b"v" * 16


def test_the_seed_moves_the_keys(own: ModuleType) -> None:
    positions = set()
    for number in range(20):
        own.seed(bytes([number]) * 16)
        positions.add(own.Table().position(b"k"))
    assert len(positions) == 20
    with pytest.raises(ValueError, match="16 bytes"):
        own.seed(b"short")


MASK: Final = (1 << 64) - 1


def siphash(seed: bytes, key: bytes) -> int:
    """SipHash-1-3, as Aumasson and Bernstein define SipHash-c-d."""
    keys: tuple[int, int] = struct.unpack("<2Q", seed)
    first, second = keys
    a, b = first ^ 0x736F6D6570736575, second ^ 0x646F72616E646F6D
    c, d = first ^ 0x6C7967656E657261, second ^ 0x7465646279746573
    padded = key + bytes(7 - len(key) % 8) + bytes([len(key) % 256])
    words: tuple[int, ...] = struct.unpack(f"<{len(padded) // 8}Q", padded)
    for word in words:
        a, b, c, d = sip_round(a, b, c, d ^ word)
        a ^= word
    c ^= 0xFF
    for _ in range(3):
        a, b, c, d = sip_round(a, b, c, d)
    return a ^ b ^ c ^ d


def sip_round(a: int, b: int, c: int, d: int) -> tuple[int, int, int, int]:
    a, c = a + b & MASK, c + d & MASK
    b, d, a = rotated(b, 13) ^ a, rotated(d, 16) ^ c, rotated(a, 32)
    c, a = c + b & MASK, a + d & MASK
    return a, rotated(b, 17) ^ c, rotated(c, 32), rotated(d, 21) ^ a


def rotated(word: int, bits: int) -> int:
    return (word << bits | word >> 64 - bits) & MASK


def test_the_hash_is_siphash(own: ModuleType) -> None:
    """Positions are its upper bits. All sizes of rests, before and behind whole words."""
    rng = Random(7)
    for seed in (bytes(16), bytes(range(16)), rng.randbytes(16)):
        own.seed(seed)
        for size in (*range(65), 255, 256, 1000):
            key = rng.randbytes(size)
            assert own.Table().position(key) == siphash(seed, key) >> 15


def test_a_node_that_starts_seeds_the_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """With other bytes each time, and before anything is put into a table."""
    seeds: list[bytes] = []
    monkeypatch.setattr(serve, "seed", seeds.append)
    monkeypatch.setattr(serve, "serve", lambda *_: len(seeds))
    assert [serve.main(["--port", "0"]) for _ in range(3)] == [1, 2, 3], "seeded before it serves"
    assert len({*seeds}) == 3
    assert {len(seed) for seed in seeds} == {16}


# --- no memory


Model = dict[bytes, tuple[Value, int]]
"""What a table holds: values and expire times."""

FEW: Final = 10
"""Keys of a table that is compared as a whole whatever was refused; a larger one only if it had begun to grow."""


def scenario(table: Table) -> list[tuple[Callable[[], object], Model]]:
    """Operations that change a table in every way, with what it holds of their keys afterwards."""
    value = [b"a"]
    longer = b"longer than it was before"
    return [
        (lambda: table.put(b"k", b"v"), {b"k": (b"v", NEVER)}),
        (lambda: table.put(b"k", longer), {b"k": (longer, NEVER)}),
        (lambda: table.set_expire(b"k", 5), {b"k": (longer, 5)}),
        (lambda: table.set_expire(b"k", NEVER), {b"k": (longer, NEVER)}),
        (lambda: table.put(b"k", value), {b"k": (value, NEVER)}),
        (lambda: table.put(b"l", b"v" * 500, 5), {b"l": (b"v" * 500, 5)}),
        (lambda: table.put(b"k" * 300, b"v"), {b"k" * 300: (b"v", NEVER)}),
    ]


def try_until_done(
    fail: Callable[[int], None], table: Table, model: Model, step: Callable[[], object], after: Model
) -> int:
    """Do ``step`` while no request for memory, or the first, or the second … is refused by ``fail``: how many of them.

    A refused one leaves the table as ``model`` says, and the other one leaves ``after`` of the step's keys.
    """
    for granted in range(100):
        fail(granted)
        try:
            step()
        except MemoryError:
            fail(-1)
            assert len(table) == len(model)
            assert [table.get(key) for key in after] == [model.get(key, (None,))[0] for key in after]
            assert not (granted or len(model) < FEW) or contents(table) == model
        else:
            fail(-1)
            model |= after
            return granted
    raise AssertionError("it wants ever more memory")


@pytest.mark.parametrize("how", ["fail_after", "fail_once"])
def test_without_memory_the_table_stays_as_it_was(own: ModuleType, how: str) -> None:
    """All requests from one on are refused, or that one alone."""
    fail = getattr(own, how)
    table: Table = own.Table()
    model: Model = {}
    for step, after in scenario(table):
        try_until_done(fail, table, model, step, after)
        assert contents(table) == model
    needed = set()
    for number in range(7000):
        key = b"%d" % number
        put = functools.partial(table.put, key, b"v")
        needed.add(try_until_done(fail, table, model, put, {key: (b"v", NEVER)}))
    assert needed == {1, 3, 5}, "an entry; with a larger segment, which is two pieces; with two segments"
    assert contents(table) == model


@pytest.mark.parametrize("refused", range(8))
def test_one_refusal_while_a_table_shrinks_costs_nothing(own: ModuleType, refused: int) -> None:
    """Segments that become one, and entries that move, take memory; what is refused in between stays where it is."""
    table: Table = own.Table()
    fill(table, 0, 12_000)
    for number in range(12_000):
        own.fail_once(refused)
        assert table.remove(b"%08d" % number) == b"v" * 16
        if number % 1000 == 0:
            assert contents(table) == {b"%08d" % left: (b"v" * 16, NEVER) for left in range(number + 1, 12_000)}
    own.fail_once(-1)
    assert len(table) == 0
    del table
    assert own.in_use() == 0


@pytest.mark.parametrize("granted", [0, 1, 2, 3, 5])
def test_without_memory_keys_can_be_removed(own: ModuleType, granted: int) -> None:
    table: Table = own.Table()
    fill(table, 0, 12_000)
    for number in range(12_000):
        own.fail_after(granted)
        assert table.remove(b"%08d" % number) == b"v" * 16
        if number % 2000 == 0:
            own.fail_after(-1)
            assert len(contents(table)) == 11_999 - number
    own.fail_after(-1)
    assert (len(table), table.random(5)) == (0, None)
    fill(table, 0, 12_000)
    table.drop(12_000)
    del table
    assert own.in_use() == 0


def test_a_sparse_table_that_could_not_shrink_still_draws(own: ModuleType) -> None:
    table: Table = own.Table()
    fill(table, 0, 20_000)
    own.fail_after(0)
    for number in range(1, 20_000):
        table.remove(b"%08d" % number)
    assert {table.random(number << 40) for number in range(300)} == {b"%08d" % 0}
    own.fail_after(-1)


# --- odd arguments


def test_what_is_no_key_is_refused(native: ModuleType) -> None:
    table = native.Table()
    for key in ("k", 5, None, bytearray(b"k"), memoryview(b"k")):
        for method in (table.get, table.expire, table.remove, table.position, table.__contains__):
            with pytest.raises(TypeError):
                method(key)
        with pytest.raises(TypeError):
            table.put(key, b"v")


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("put", ()),
        ("put", (b"k",)),
        ("put", (b"k", b"v", "soon")),
        ("put", (b"k", b"v", 1, 2)),
        ("put", (b"k", b"v", 1, None, 5)),
        ("use", (b"k",)),
        ("sample", (0, 5)),
        ("sample", (0, "5", 1)),
        ("set_stamp", (b"k", "now")),
        ("set_expire", (b"k",)),
        ("set_expire", (b"k", None)),
        ("keys", (0,)),
        ("keys", ("0", 10)),
        ("items", (0, "10")),
        ("drop", ("all",)),
        ("random", (1.5,)),
    ],
)
def test_other_arguments_are_refused(native: ModuleType, method: str, arguments: tuple[object, ...]) -> None:
    table = native.Table()
    with pytest.raises(TypeError):
        getattr(table, method)(*arguments)
    with pytest.raises(TypeError):
        native.Table(5)
    with pytest.raises(TypeError):
        table.put(b"k", b"v", until=5)


@pytest.mark.parametrize("key", [b"", b"a", b"{user}1", b"a{}b", b"{", b"}{x}", b"{a}{b}", bytes(range(256)) * 9])
def test_the_slot_of_a_key_is_that_of_the_cluster(native: ModuleType, key: bytes) -> None:
    assert native.key_slot(key) == key_slot(key)
    with pytest.raises(TypeError):
        native.key_slot("text")


def test_route_skips_what_is_odd(native: ModuleType) -> None:
    requests = [[], [b"GET"], [b"GET", 5], [b"GET", "k"], (b"GET", b"k"), None, [None, b"k"], [b"GET", b"k"]]
    for tables in ([], [None], [5] * 16384, [native.Table()] * 16384, [plain.Table()] * 16384):
        assert native.route(requests, tables, 0) == [-1] * 6 + [7629, 7629]
    wrong: list[tuple[object, ...]] = [(requests, []), ((), [], 0), ([], (), 0), ([], [], "0"), (None, None, None)]
    for arguments in wrong:
        with pytest.raises(TypeError):
            native.route(*arguments)
    for shift in (-1, 15, 1 << 40):
        with pytest.raises(ValueError, match="shift"):
            native.route(requests, [], shift)


# --- long proofs, made short


def test_random_operations_agree_with_a_dictionary(own: ModuleType, crowded: ModuleType) -> None:
    prove.agree(own, 60_000)
    prove.agree(crowded, 10_000)


def test_nothing_leaks(own: ModuleType) -> None:
    assert len(prove.leak(own, 120_000)) == 10


@pytest.mark.skipif(bool(FLAGS), reason="with sanitizers times say nothing")
def test_no_call_is_a_pause(own: ModuleType) -> None:
    """The bounds are loose, for a busy machine: a step that moved all 300,000 keys would take 50 ms or more."""
    longest = prove.pauses(own, 300_000)
    assert max(longest.put, longest.remove, longest.keys, longest.drop) < 20e6, longest.milliseconds()


@pytest.mark.once
def test_half_a_gigabyte_is_a_value_and_a_key(own: ModuleType) -> None:
    if psutil.virtual_memory().available < 4096 * MB:
        pytest.skip("half a gigabyte thrice needs 4 GB of free memory: end other programs, or take a larger machine")
    table: Table = own.Table()
    large = bytes(512 * MB)
    table.put(b"k", large)
    assert table.get(b"k") is large
    table.put(large, b"v")
    assert table.get(large) == b"v"
    assert table.used() > 1024 * MB
    assert table.remove(large) == b"v"
    assert own.in_use() < MB


SANITIZE: Final = "-g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -DGOSSAMER_PLAIN_HEAP"


@pytest.mark.once
@pytest.mark.skipif(bool(FLAGS), reason="this is the run under the sanitizers")
def test_the_sanitizers_find_nothing(tmp_path: Path) -> None:
    """All tests of what is in C again, with AddressSanitizer and UndefinedBehaviorSanitizer; each piece by malloc."""
    asan = subprocess.run(
        ("cc", "-print-file-name=libasan.so"), capture_output=True, text=True, timeout=20, check=False
    )
    library = Path(asan.stdout.strip())
    if not library.is_absolute():
        pytest.skip("no sanitizers for this compiler: apt-get install gcc libc6-dev")
    options = {"LD_PRELOAD": str(library), "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1"}
    python = {"PYTHONMALLOC": "malloc", "GOSSAMER_PURE": "1", "GOSSAMER_NATIVE_FLAGS": SANITIZE}
    environment = {**os.environ, **options, **python}
    environment.pop("GOSSAMER_EXPECT_BUILD", None)
    tests = ("tests/unit/node/store", "tests/unit/node/resp", "tests/unit/node/io/test_sockets.py")
    words = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "not once", "-k", "not plain", *tests)
    done = subprocess.run(
        words,
        cwd=TOP,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]  # -s shows what made it end
    assert "ERROR: AddressSanitizer" not in done.stdout
