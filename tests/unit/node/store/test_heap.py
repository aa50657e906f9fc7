"""The heap beneath the table in C, in a world where the kernel or Python's memory is another than here."""

from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

from gossamer.node.store.plain import Table
from tests.unit.node.store.native import FLAGS, compile_in, load
from tests.unit.node.store.walks import contents

KB: Final = 1 << 10
PAGE: Final = 32 * KB
"""Of the heap."""
WARM: Final = 64
"""Free pages that it keeps."""
pytestmark = pytest.mark.skipif("-DGOSSAMER_PLAIN_HEAP" in FLAGS, reason="the heap under test is left out")

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


def advised_against() -> int:
    """Bytes of this process that shall be no huge pages."""
    found = size = 0
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if line.startswith("Size:"):
            size = int(line.split()[1])
        elif line.startswith("VmFlags:") and " nh" in line:
            found += size * KB
    return found


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
