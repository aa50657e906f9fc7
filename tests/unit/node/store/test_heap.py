"""The heap beneath the table in C, in a world where the kernel or Python's memory is another than here."""

from pathlib import Path
from typing import Final

import pytest

from gossamer.node.store.plain import Table
from tests.unit.node.store.native import FLAGS, compile_in, load
from tests.unit.node.store.walks import contents

KB: Final = 1 << 10
PAGE: Final = 32 * KB
"""Of the heap."""
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
