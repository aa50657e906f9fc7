"""The size of an element of a listpack, which stands at its end again, to be read backwards (listpack.c: backlen)."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_extensions import i64


def backlen_size(size: "i64") -> "i64":
    """Bytes of ``backlen``."""
    if size < 1 << 7:
        return 1
    if size < 1 << 14:
        return 2
    if size < 1 << 21:
        return 3
    return 4 if size < 1 << 28 else 5


def backlen(size: int) -> bytes:
    """``size`` in groups of seven bits, the largest first; all but the first have the upper bit set."""
    out = [size & 0x7F]
    while size >= 1 << 7:
        out[-1] |= 0x80
        size >>= 7
        out.append(size & 0x7F)
    return bytes(out[::-1])
