"""Which parts of a file are taken, and which are free: extents of whole units, none of them next to another free one.

A free extent that fits is found without a search, as in TLSF (Masmano and others, 2004): free extents are kept by size,
eight classes for each power of two, and any extent of a class above that of the wish is large enough. So up to an
eighth of an extent more may be passed over, and is left as a free extent of its own. What is free at the end of the
file is not part of it: the file shrinks when its last extents are given back.
"""

from typing import Final

FINE: Final = 3
"""Each power of two has ``1 << FINE`` classes."""


class Extents:
    """``end``: units that the file needs. ``used``: those of them that are taken."""

    def __init__(self) -> None:
        self.end: int = 0
        self.used: int = 0
        self._size_at: dict[int, int] = {}
        """The free extents: start and size."""
        self._start_to: dict[int, int] = {}
        """Their starts, by the first unit behind each."""
        self._classes: dict[int, dict[int, None]] = {}
        """Their starts, by their class."""
        self._there: int = 0
        """The classes that have one, as bits."""

    def take(self, size: int) -> int:
        """An extent of ``size`` units is taken; where it starts."""
        assert size > 0
        self.used += size
        above = self._there >> class_for(size)
        if not above:
            start = self.end
            self.end += size
            return start
        found = class_for(size) + (above & -above).bit_length() - 1
        start = next(iter(self._classes[found]))
        left = self._remove(start) - size
        if left:
            self._add(start + size, left)
        return start

    def give(self, start: int, size: int) -> None:
        """The ``size`` units from ``start`` on, which were taken together, are free again."""
        self.used -= size
        if start + size in self._size_at:
            size += self._remove(start + size)
        before = self._start_to.get(start)
        if before is not None:
            size += self._remove(before)
            start = before
        if start + size == self.end:
            self.end = start
        else:
            self._add(start, size)

    def free(self) -> list[tuple[int, int]]:
        """Start and size of all free extents, in order: for tests."""
        return sorted(self._size_at.items())

    def _add(self, start: int, size: int) -> None:
        number = class_of(size)
        self._size_at[start] = size
        self._start_to[start + size] = start
        self._classes.setdefault(number, {})[start] = None
        self._there |= 1 << number

    def _remove(self, start: int) -> int:
        size = self._size_at.pop(start)
        del self._start_to[start + size]
        number = class_of(size)
        present = self._classes[number]
        del present[start]
        if not present:
            del self._classes[number]
            self._there &= ~(1 << number)
        return size


def class_of(size: int) -> int:
    """The class of an extent of ``size`` units: the higher, the larger."""
    order = size.bit_length() - 1
    if order < FINE:
        return size
    return (order - FINE + 1 << FINE) + (size >> order - FINE & (1 << FINE) - 1)


def class_for(size: int) -> int:
    """The lowest class of which every extent has at least ``size`` units."""
    order = size.bit_length() - 1
    if order <= FINE:
        return size
    return class_of(size + (1 << order - FINE) - 1)
