"""The kernel is asked for huge pages of our own memory, where it lets a process ask and where that costs little."""

import ctypes
import errno
import mmap
from pathlib import Path

import pytest

from gossamer.node.io.thp import MADV_COLLAPSE, MADV_HUGEPAGE, Kernel

MB = 1 << 20
PAGES = 512
"""Small ones in one huge one."""
OURS = b"\0\0\0\0\0\0\0\x81"
SHARED = b"\0\0\0\0\0\0\0\x80"
ABSENT = bytes(8)

MAPS = """\
{heap} rw-p 00000000 00:00 0 {pad}[heap]
{file} rw-p 00000000 08:01 77 {pad}/usr/lib/libpython3.so
{data} rw-p 00000000 00:00 0
{named} rw-p 00000000 00:00 0 {pad}[anon:obstack]
{text} r-xp 00000000 00:00 0
{small} rw-p 00000000 00:00 0
{stack} rw-p 00000000 00:00 0 {pad}[stack]
"""


def area(start: int, end: int) -> str:
    return f"{start:x}-{end:x}"


def make(
    folder: Path, pagemap: bytes = b"", answers: dict[int, int] | None = None, release: str = "6.1.0"
) -> tuple[Kernel, list[int]]:
    """A kernel of files; what it is advised. ``answers`` are its errors by advice."""
    (folder / "enabled").write_text("always [madvise] never\n")
    (folder / "hpage_pmd_size").write_text(f"{2 * MB}\n")
    (folder / "pagemap").write_bytes(pagemap)
    (folder / "maps").write_text(
        MAPS.format(
            pad=" " * 20,
            heap=area(0x1000, 5 * MB),
            file=area(6 * MB, 10 * MB),
            data=area(20 * MB, 24 * MB),
            named=area(30 * MB, 32 * MB),
            text=area(40 * MB, 44 * MB),
            small=area(51 * MB, 53 * MB),
            stack=area(60 * MB, 68 * MB),
        )
    )
    advised: list[int] = []

    def madvise(address: int, size: int, advice: int) -> int:
        assert (address, size) == (0, 2 * MB)
        advised.append(advice)
        return (answers or {}).get(advice, 0)

    return Kernel(str(folder), str(folder), madvise, release), advised


@pytest.mark.parametrize("offered", ["always", "madvise", "never"])
def test_what_is_offered_stands_in_brackets(tmp_path: Path, offered: str) -> None:
    kernel, _ = make(tmp_path)
    (tmp_path / "enabled").write_text("always madvise never\n".replace(offered, f"[{offered}]"))
    assert kernel.offers() == offered


def test_a_kernel_without_huge_pages_offers_none(tmp_path: Path) -> None:
    assert Kernel(str(tmp_path / "nowhere")).offers() == "never"


def test_pieces_are_whole_and_lie_in_anonymous_memory_that_may_be_written(tmp_path: Path) -> None:
    kernel, _ = make(tmp_path)
    assert kernel.pieces() == [(at * MB, 2 * MB) for at in (2, 20, 22, 30)]


@pytest.mark.parametrize("name", [b"caf\xe9.so", b"one\rtwo.so", b"\xff\xed\xa0\x80", b"a b"])
def test_the_name_of_a_mapped_file_is_any_bytes(tmp_path: Path, name: bytes) -> None:
    kernel, _ = make(tmp_path)
    whole = kernel.pieces()
    with (tmp_path / "maps").open("r+b") as file:
        lines = file.read()
        file.seek(0)
        file.write(b"%x-%x r-xp 00000000 08:01 77   /%b\n" % (70 * MB, 74 * MB, name) + lines)
    assert kernel.pieces() == whole != []


@pytest.mark.parametrize("rest", [SHARED, ABSENT])
def test_a_piece_is_left_alone_that_is_shared_or_hardly_used(tmp_path: Path, rest: bytes) -> None:
    kernel, advised = make(tmp_path, OURS * 383 + rest * (PAGES - 383))
    assert not kernel.collapse((0, 2 * MB))
    assert advised == []


def test_a_piece_that_is_mostly_used_becomes_a_huge_page(tmp_path: Path) -> None:
    kernel, advised = make(tmp_path, OURS * 384 + ABSENT * (PAGES - 384))
    assert kernel.collapse((0, 2 * MB))
    assert advised == [MADV_COLLAPSE]


@pytest.mark.parametrize("release", ["5.14.0-70.el9.x86_64", "6.0.19", "4.4", "unknown"])
@pytest.mark.parametrize(
    ("error", "asked"),
    [(errno.EINVAL, [MADV_COLLAPSE, MADV_HUGEPAGE]), (errno.ENOMEM, [MADV_COLLAPSE]), (errno.EAGAIN, [MADV_COLLAPSE])],
)
def test_a_kernel_before_6_1_is_asked_for_it_by_and_by(
    tmp_path: Path, release: str, error: int, asked: list[int]
) -> None:
    kernel, advised = make(tmp_path, OURS * PAGES, {MADV_COLLAPSE: error}, release)
    assert kernel.collapse((0, 2 * MB))
    assert advised == asked


@pytest.mark.parametrize("release", ["6.1.0-18-amd64", "6.18.44", "6.10-rc1", "10.0"])
def test_a_newer_kernel_that_refuses_knows_why(tmp_path: Path, release: str) -> None:
    """The table has advised against huge pages where it gave memory back: that shall not be undone."""
    kernel, advised = make(tmp_path, OURS * PAGES, {MADV_COLLAPSE: errno.EINVAL}, release)
    assert kernel.collapse((0, 2 * MB))
    assert advised == [MADV_COLLAPSE]


def test_the_kernel_of_this_machine_makes_huge_pages_of_full_memory() -> None:
    kernel = Kernel()
    if kernel.offers() not in ("always", "madvise"):
        pytest.skip("this kernel has no huge pages for those who ask: see /sys/kernel/mm/transparent_hugepage/enabled")
    with mmap.mmap(-1, 16 * MB, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as area:
        area.write(b"x" * len(area))
        start = ctypes.addressof(ctypes.c_char.from_buffer(area))
        within = [(at, size) for at, size in kernel.pieces() if start <= at and at + size <= start + len(area)]
        assert len(within) >= 7
        assert all(kernel.collapse(piece) for piece in within)
        assert area[:] == b"x" * len(area)
