"""The heap beneath the table in C, in a world where the kernel or Python's memory is another than here."""

import ctypes
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

from gossamer.node.store.plain import Table
from tests.unit.node.store.native import FLAGS, compile_in, load
from tests.unit.node.store.walks import contents

KB: Final = 1 << 10
WARM: Final = 64
"""Free pages that it keeps."""
of_the_heap = pytest.mark.skipif("-DGOSSAMER_PLAIN_HEAP" in FLAGS, reason="the heap under test is left out")

COUNTED_FETCHES: Final = """
long fetches;
#define __builtin_prefetch(at) ((void)(at), (void)fetches++)
"""

SHORT_LISTS: Final = """
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static int append_if_short(PyObject *list, PyObject *item)
{
    if (PyList_GET_SIZE(list) < MOST_IN_LISTS)
        return PyList_Append(list, item);
    PyErr_NoMemory();
    return -1;
}
#define PyList_Append append_if_short
"""
"""Python has no memory for longer lists than ``MOST_IN_LISTS``."""

LARGE_PAGES: Final = """
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static inline int madvise_large(void *at, size_t size, int advice)
{
    size_t page = 64 << 10;
    return (uintptr_t)at % page ? -1 : madvise(at, (size + page - 1) / page * page, advice);
}
#define madvise madvise_large
#define sysconf(name) (64 << 10)
"""
"""A kernel whose pages have 64 KB: it refuses what is not aligned to them, and rounds sizes up, as madvise(2) says."""


def fill_pages(table: Table, count: int) -> list[bytes]:
    """Keys that take a page of the heap each, about one after the other."""
    keys = [b"%020000d" % number for number in range(count)]
    for key in keys:
        table.put(key, b"v")
    return keys


@of_the_heap
def test_a_page_takes_no_neighbour_with_it_where_those_of_the_kernel_are_larger(tmp_path: Path) -> None:
    store = load(compile_in(tmp_path, LARGE_PAGES))
    table: Table = store.Table()
    keys = fill_pages(table, 500)
    full = store.resident()
    for number, key in enumerate(keys):
        if number % 2:
            table.remove(key)
    assert sorted(contents(table)) == keys[::2]
    assert store.resident() == full, "the pages of 32 KB stay, and nothing says that they went"


@of_the_heap
def test_warm_pages_are_used_first(own: ModuleType) -> None:
    """With as many warm pages as are kept, the next page that came back was cooled, and taken again by the next key."""
    table: Table = own.Table()
    gone = fill_pages(table, 300)[::2]
    for key in gone:
        table.remove(key)
    before = own.resident()
    for key in gone[: WARM - 2]:
        table.put(key, b"v")
        assert own.resident() == before, "the page had its memory"
    for key in gone:
        table.put(key, b"v")
    assert own.resident() > before


@pytest.mark.parametrize("most", [1, 7])
def test_drop_gives_what_it_has_taken_out_when_memory_ends(tmp_path: Path, most: int) -> None:
    store = load(compile_in(tmp_path, f"#define MOST_IN_LISTS {most}\n{SHORT_LISTS}"))
    table: Table = store.Table()
    values = [[b"%d" % number] for number in range(20)]
    for number, value in enumerate(values):
        table.put(b"o%d" % number, value)
        table.put(b"s%d" % number, b"string")
    found = []
    while len(table):
        found += table.drop(100)
        assert len(found) <= len(values)
    assert sorted(found, key=repr) == sorted(values)


def test_drop_without_any_memory_takes_nothing_out(tmp_path: Path) -> None:
    store = load(compile_in(tmp_path, f"#define MOST_IN_LISTS 0\n{SHORT_LISTS}"))
    table: Table = store.Table()
    table.put(b"k", [b"a"], 5)
    with pytest.raises(MemoryError):
        table.drop(100)
    assert (len(table), table.expiring, table.get(b"k")) == (1, 1, [b"a"])


@pytest.mark.parametrize("size", [16, 500, 5000, 1 << 20])
def test_a_batch_has_no_more_than_a_kilobyte_of_each_entry_fetched(tmp_path: Path, size: int) -> None:
    built = compile_in(tmp_path, COUNTED_FETCHES)
    store = load(built)
    fetches = ctypes.c_long.in_dll(ctypes.CDLL(str(built)), "fetches")
    table: Table = store.Table()
    table.put(b"k" * size, b"v")
    before = fetches.value
    store.route([b"k" * size], [table] * 16384, 0)
    lines = min(size, KB) // 64
    assert lines < fetches.value - before <= lines + 4, "the bucket, the entry, and its end"


def advised_against() -> int:
    """Bytes of this process that shall be no huge pages."""
    found = size = 0
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if line.startswith("Size:"):
            size = int(line.split()[1])
        elif line.startswith("VmFlags:") and " nh" in line:
            found += size * KB
    return found


@of_the_heap
def test_an_arena_with_holes_is_no_huge_page_until_it_is_full_again(own: ModuleType) -> None:
    if not Path("/sys/kernel/mm/transparent_hugepage").exists():
        pytest.skip("this kernel has no huge pages")
    before = advised_against()
    own.use_huge_pages(True)
    table: Table = own.Table()
    keys = fill_pages(table, 400)
    assert advised_against() == before
    gone = [key for number, key in enumerate(keys) if number % 2]
    for key in gone:
        table.remove(key)
    assert advised_against() > before
    for key in keys + fill_pages(table, 500)[400:]:
        table.put(key, b"v")
    assert advised_against() == before
