"""The sparse form: runs of equal registers (hyperloglog.c of Redis, "sparse representation").

    00nnnnnn            n+1 registers are 0
    01nnnnnn nnnnnnnn   n+1 registers are 0
    1vvvvvnn            n+1 registers are v+1

The same registers can be written in several ways, and servers compare bytes. So a register is raised just as Redis does
it: the run that it stands in is split, then neighbours of one value are joined within a window of five runs.
"""

from typing import Final

from gossamer.node.types.hyperloglogs.hashing import REGISTERS

EMPTY: Final = bytes((0x40 | REGISTERS - 1 >> 8, REGISTERS - 1 & 0xFF))
"""All registers are 0."""

HIGHEST: Final = 32
"""The largest value that a run can have."""
LONGEST: Final = 4
"""The longest run of a value."""
WINDOW: Final = 5
"""Runs that are looked at for neighbours to join."""
WINDOW_BYTES: Final = 16
"""More than so many runs and what follows them can take."""

UNCHANGED: Final = 0
RAISED: Final = 1
TOO_LARGE: Final = 2
"""It needs the dense form: the value is too high, or the runs would grow beyond their limit."""


class Corrupted(Exception):
    """The runs are not those of so many registers."""


def zeros(count: int) -> bytes:
    """A run of ``count`` registers that are 0."""
    count -= 1
    return bytes((count,)) if count < 64 else bytes((0x40 | count >> 8, count & 0xFF))


def values(value: int, count: int) -> bytes:
    """A run of ``count`` registers that are ``value``."""
    return bytes((0x80 | value - 1 << 2 | count - 1,))


class Runs:
    """The runs ``data``, in which registers are raised, either any of them or in ascending order.

    ``limit``: how many bytes they may grow to.
    """

    def __init__(self, data: bytes, limit: int) -> None:
        self.data: bytes = data
        self.limit: int = limit
        self._at: int = 0
        """Where the next search begins, and the first register there."""
        self._first: int = 0

    def rewind(self) -> None:
        """The next register may be lower than the last one."""
        self._at = 0
        self._first = 0

    def raise_to(self, index: int, value: int) -> int:
        """Register ``index`` becomes ``value`` if it is lower: ``UNCHANGED``, ``RAISED`` or ``TOO_LARGE``.

        Since the last ``rewind`` no higher register was raised. Corrupted if there is no such register.
        """
        if value > HIGHEST:
            return TOO_LARGE
        data = self.data
        end = len(data)
        at, first = self._at, self._first
        before, before_that = at, at  # the run before this one, which joining may change, and the one before that
        first_before_that = first_before = first
        code = span = 0
        while at < end:
            code = data[at]
            if code < 0x40:
                span, size = code + 1, 1
            elif code < 0x80:
                span, size = ((code & 0x3F) << 8 | (data[at + 1] if at + 1 < end else 0)) + 1, 2
            else:
                span, size = (code & 3) + 1, 1
            if index < first + span:
                break
            before_that, first_before_that = before, first_before
            before, first_before = at, first
            at += size
            first += span
        if at >= end:
            raise Corrupted
        known = before_that < before
        self._at, self._first = (before_that, first_before_that) if known else (0, 0)
        held = (code >> 2 & 0x1F) + 1 if code & 0x80 else 0
        if held >= value:
            return UNCHANGED
        return self._split(at, first, span, held, index, value, before)

    def _split(self, at: int, first: int, span: int, held: int, index: int, value: int, before: int) -> int:
        """Take register ``index`` out of the run at ``at``, which has ``span`` registers of ``held`` from ``first``."""
        lower, higher = index - first, first + span - 1 - index
        middle = values(value, 1)
        if lower:
            middle = (values(held, lower) if held else zeros(lower)) + middle
        if higher:
            middle += values(held, higher) if held else zeros(higher)
        data = self.data
        old = 2 if 0x40 <= data[at] < 0x80 else 1
        if len(middle) > old and len(data) + len(middle) - old > self.limit:
            return TOO_LARGE
        data = data[:at] + middle + data[at + old :]
        self.data = data[:before] + joined(data[before : before + WINDOW_BYTES]) + data[before + WINDOW_BYTES :]
        return RAISED


def joined(window: bytes) -> bytes:
    """Runs with those that have the same value as their neighbour joined, if that makes no run too long."""
    runs = bytearray(window)
    at = 0
    for _ in range(WINDOW):
        if at >= len(runs):
            break
        code = runs[at]
        if code < 0x80:
            at += 1 if code < 0x40 else 2
            continue
        if at + 1 < len(runs) and runs[at + 1] & 0xFC == code & 0xFC:
            count = (code & 3) + (runs[at + 1] & 3) + 2
            if count <= LONGEST:
                runs[at] = code & 0xFC | count - 1
                del runs[at + 1]
                continue
        at += 1
    return bytes(runs)


def registers_of(data: bytes) -> bytes:
    """All registers, a byte each. Corrupted if the runs are not of so many."""
    out = bytearray()
    at = 0
    while at < len(data) and len(out) <= REGISTERS:
        code = data[at]
        at += 1
        if code >= 0x80:
            out += bytes(((code >> 2 & 0x1F) + 1,)) * ((code & 3) + 1)
        elif code < 0x40:
            out += bytes(code + 1)
        else:
            out += bytes(((code & 0x3F) << 8 | (data[at] if at < len(data) else 0)) + 1)
            at += 1
    if len(out) != REGISTERS:
        raise Corrupted
    return bytes(out)


def described(data: bytes) -> bytes:
    """The runs as PFDEBUG DECODE shows them: ``z`` and ``Z`` zeros, ``v`` a value and how often."""
    words: list[bytes] = []
    at = 0
    while at < len(data):
        code = data[at]
        at += 1
        if code >= 0x80:
            words.append(b"v:%d,%d" % ((code >> 2 & 0x1F) + 1, (code & 3) + 1))
        elif code < 0x40:
            words.append(b"z:%d" % (code + 1))
        else:
            words.append(b"Z:%d" % (((code & 0x3F) << 8 | (data[at] if at < len(data) else 0)) + 1))
            at += 1
    return b" ".join(words)
