"""Transparent huge pages, as Linux offers them: may a process ask, where is its memory, make this piece of it one page.

A page of 2 MB takes one entry of the processor's address cache, where 512 small ones do not fit: a look-up in much data
misses there less often. The kernel's documents: admin-guide/mm/transhuge.rst, admin-guide/mm/pagemap.rst, madvise(2).
"""

import ctypes
import errno
import os
import re
from collections.abc import Callable
from typing import Final

MADV_HUGEPAGE: Final = 14
MADV_COLLAPSE: Final = 25
"""Since Linux 6.1: at once, by the caller. An older kernel takes ``MADV_HUGEPAGE`` and does it by and by."""
FIRST_TO_COLLAPSE: Final = (6, 1)

ENTRY_BYTES: Final = 8
"""Of ``pagemap``, for a page."""
OURS: Final = 0x81
"""The upper byte of such an entry: the page is in memory (bit 63) and no other process has it (bit 56)."""
DENSE: Final = 0.75
"""A piece of which less is in memory stays as it is, for what is missing would be added."""

Piece = tuple[int, int]
"""Address and bytes of what can be one huge page."""

Madvise = Callable[[int, int, int], int]
"""Address, bytes, advice; 0, or a number of errno."""


def _madvise() -> Madvise:
    function = ctypes.CDLL(None, use_errno=True).madvise
    function.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)

    def madvise(address: int, size: int, advice: int) -> int:
        return ctypes.get_errno() if function(address, size, advice) else 0

    return madvise


def version(release: str) -> tuple[int, int]:
    """``6.1.0-18-amd64`` is 6.1; (0, 0) for what is no version."""
    found = re.match(r"(\d+)\.(\d+)", release)
    return (int(found[1]), int(found[2])) if found else (0, 0)


class Kernel:
    """``settings`` and ``process`` are directories; ``madvise`` and ``release`` are None for those of the system."""

    def __init__(
        self,
        settings: str = "/sys/kernel/mm/transparent_hugepage",
        process: str = "/proc/self",
        madvise: Madvise | None = None,
        release: str | None = None,
    ) -> None:
        self._settings = settings
        self._process = process
        self._madvise: Madvise = madvise or _madvise()
        self._page = os.sysconf("SC_PAGE_SIZE")
        self._knows_collapse: bool = version(release or os.uname().release) >= FIRST_TO_COLLAPSE

    def offers(self) -> str:
        """``always``, ``madvise`` or ``never``; ``never`` also where the kernel has none."""
        try:
            with open(f"{self._settings}/enabled") as file:
                return file.read().partition("[")[2].partition("]")[0]
        except OSError:
            return "never"

    def pieces(self) -> list[Piece]:
        """Where the process has anonymous memory of its own that could be a huge page. Raises OSError."""
        with open(f"{self._settings}/hpage_pmd_size") as file:
            size = int(file.read())
        found: list[Piece] = []
        with open(f"{self._process}/maps", "rb") as file:  # the names of mapped files are any bytes, also b"\r"
            for line in file:
                area, access, _, _, inode, *name = line.split(maxsplit=5)
                if access == b"rw-p" and inode == b"0" and (not name or name[0].startswith((b"[heap]", b"[anon"))):
                    start, end = (int(number, 16) for number in area.split(b"-"))
                    found += [(at, size) for at in range(-(-start // size) * size, end - size + 1, size)]
        return found

    def collapse(self, piece: Piece) -> bool:
        """Make a huge page of ``piece``, if that costs little memory; whether the kernel was asked. Raises OSError.

        Takes some milliseconds, most of them without the interpreter's lock. Where the table has given pages back
        to the kernel it wants none, and has said so: a kernel that knows the advice answers EINVAL there.
        """
        if self._resident(piece) < DENSE * piece[1]:
            return False
        if self._madvise(*piece, MADV_COLLAPSE) == errno.EINVAL and not self._knows_collapse:
            self._madvise(*piece, MADV_HUGEPAGE)
        return True

    def _resident(self, piece: Piece) -> int:
        """Bytes of it that are in memory, and that no other process has as well, as it would after a fork."""
        address, size = piece
        with open(f"{self._process}/pagemap", "rb", buffering=0) as file:
            file.seek(address // self._page * ENTRY_BYTES)
            entries = file.read(size // self._page * ENTRY_BYTES)
        return entries[ENTRY_BYTES - 1 :: ENTRY_BYTES].count(OURS) * self._page
