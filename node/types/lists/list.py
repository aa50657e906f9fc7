"""A list: one packed run of items while it is short, a chain of runs when it is long.

That is our own affair. Which encoding OBJECT ENCODING names is Redis 7.2's (t_list.c): ``listpack`` while the list fits
into one node by ``list-max-listpack-size``, ``quicklist`` when it has outgrown it, and ``listpack`` again when it has
shrunk to half of that. A node is told by its size in Redis' form, so ``listpack`` counts that as long as it matters.
"""

from typing import Final

from gossamer.node.types.limits import EncodingLimits
from gossamer.node.types.lists.chain import Chain
from gossamer.node.types.lists.items import (
    between,
    cut,
    element_of,
    elements_of,
    end_of,
    hits,
    inserted,
    item_of,
    items_of,
    replaced,
    run_of,
    skip,
)
from gossamer.node.types.lists.listpack_size import HEADER, size_of, size_of_elements, size_of_run

SHORT: Final = 128
"""Items up to which a list is one run, and ..."""
NARROW: Final = 8192
"""... bytes. One that has shrunk to half of both is one run again."""

NODE_SIZES: Final = (4096, 8192, 16384, 32768, 65536)
SAFE_SIZE: Final = 8192
"""Bytes that fit into a node whatever the number of elements it may have."""
UNKNOWN: Final = -1
DENSEST: Final = 5
"""The bytes of an item are at most so many times its bytes in a listpack."""
FORGETTABLE: Final = 1 << 19
"""Bytes of a quicklist that is far too large for a node of any size."""


class List:
    """``length``: of elements; never 0 between two commands. ``bytes``: of all items."""

    def __init__(self) -> None:
        self.length: int = 0
        self.bytes: int = 0
        self.run: bytes = b""
        self.chain: Chain | None = None
        """In place of ``run``."""
        self.quicklist: bool = False
        """So Redis would hold it."""
        self.listpack: int = 0
        """Bytes of the elements in a listpack; UNKNOWN for a quicklist that is far too large for one."""

    def copy(self) -> "List":
        other = List()
        other.length, other.bytes, other.run = self.length, self.bytes, self.run
        other.quicklist, other.listpack = self.quicklist, self.listpack
        if self.chain is not None:
            other.chain = self.chain.copy()
        return other

    # --- encodings

    def will_grow(self, count: int, size: int, limits: EncodingLimits) -> None:
        """``count`` elements of ``size`` bytes are about to be added, or at least to be looked for a place."""
        if not self.quicklist and exceeds(limits, HEADER + self.listpack + size, self.length + count):
            self.quicklist = True

    def has_shrunk(self, limits: EncodingLimits) -> None:
        if not self.quicklist:
            return
        most = limits.list_max_listpack_size
        if most >= 0:
            small = self.length <= max(most, 1) // 2
        else:
            half = node_size(most) // 2
            small = self.bytes <= half * DENSEST and HEADER + self._known_size() <= half
        if small:
            self._known_size()
            self.quicklist = False

    def settle(self, nodes: int, limits: EncodingLimits) -> None:
        """The list has been read whole; it stood in so many ``nodes``."""
        most = limits.list_max_listpack_size
        if most >= 0:
            self.quicklist = nodes > 1 or self.length > max(most, 1)
        else:
            self.quicklist = nodes > 1 or self.bytes > node_size(most) * DENSEST
            self.quicklist = self.quicklist or HEADER + self._known_size() > node_size(most)
        if not self.quicklist:
            self._known_size()

    def _known_size(self) -> int:
        if self.listpack == UNKNOWN:
            self.listpack = size_of_run(self.joined(0, self.length))
        return self.listpack

    def _gained(self, item: bytes, element: bytes) -> None:
        self.length += 1
        self.bytes += len(item)
        if self.listpack != UNKNOWN:
            if self.quicklist and self.bytes > FORGETTABLE:
                self.listpack = UNKNOWN
            else:
                self.listpack += size_of(element)

    def _lost(self, item: bytes) -> bytes:
        """The element of ``item``, which is gone."""
        element = element_of(item)
        self.length -= 1
        self.bytes -= len(item)
        if self.listpack != UNKNOWN:
            self.listpack -= size_of(element)
        return element

    # --- forms

    def _lengthened(self) -> None:
        """The list is one run and has grown."""
        if self.length > SHORT or self.bytes > NARROW:
            self.chain = Chain()
            self.chain.begin(self.run, self.length)
            self.run = b""

    def _shortened(self) -> None:
        chain = self.chain
        if chain is not None and self.length <= SHORT // 2 and self.bytes <= NARROW // 2:
            self.run = chain.joined(0, self.length) if self.length else b""
            self.chain = None

    # --- the ends

    def push_left(self, element: bytes) -> None:
        item = item_of(element)
        self._gained(item, element)
        if self.chain is not None:
            self.chain.push_left(item)
        else:
            self.run = item + self.run
            self._lengthened()

    def push_right(self, element: bytes) -> None:
        item = item_of(element)
        self._gained(item, element)
        if self.chain is not None:
            self.chain.push_right(item)
        else:
            self.run += item
            self._lengthened()

    def extend(self, elements: list[bytes]) -> None:
        """As ``push_right`` of each."""
        run = run_of(elements) if self.chain is None and self.length + len(elements) <= SHORT else b""
        if not run or self.bytes + len(run) > NARROW:
            for element in elements:
                self.push_right(element)
            return
        self.run += run
        self.length += len(elements)
        self.bytes += len(run)
        if self.listpack != UNKNOWN:
            self.listpack += size_of_elements(elements)

    def pop_left(self) -> bytes:
        assert self.length
        chain = self.chain
        if chain is not None:
            element = self._lost(chain.pop_left())
            self._shortened()
            return element
        run = self.run
        end = end_of(run, 0)
        self.run = run[end:]
        return self._lost(run[:end])

    def pop_right(self) -> bytes:
        assert self.length
        chain = self.chain
        if chain is not None:
            element = self._lost(chain.pop_right())
            self._shortened()
            return element
        run = self.run
        at = skip(run, 0, self.length - 1)
        self.run = run[:at]
        return self._lost(run[at:])

    # --- by index, from 0 up to ``length``

    def element(self, index: int) -> bytes:
        assert 0 <= index < self.length
        return element_of(self._item(index))

    def _item(self, index: int) -> bytes:
        return between(self.run, index, index + 1) if self.chain is None else self.chain.item(index)

    def elements(self, start: int, stop: int) -> list[bytes]:
        return elements_of(self.joined(start, stop))

    def joined(self, start: int, stop: int) -> bytes:
        """The items from ``start`` up to ``stop``, which is not included, as they are sent."""
        assert 0 <= start <= stop <= self.length
        if self.chain is not None:
            return self.chain.joined(start, stop)
        return self.run if stop - start == self.length else between(self.run, start, stop)

    def replace(self, index: int, element: bytes) -> None:
        assert 0 <= index < self.length
        self._lost(self._item(index))
        item = item_of(element)
        self._gained(item, element)
        if self.chain is None:
            self.run = replaced(self.run, index, item)
            self._lengthened()
        else:
            self.chain.replace(index, item)
            self._shortened()

    def insert(self, index: int, element: bytes) -> None:
        """``element`` gets ``index``; ``length`` means that it is the last."""
        assert 0 <= index <= self.length
        if index == self.length:
            self.push_right(element)
            return
        item = item_of(element)
        self._gained(item, element)
        if self.chain is not None:
            self.chain.insert(index, item)
        else:
            self.run = inserted(self.run, index, item)
            self._lengthened()

    def delete(self, start: int, stop: int) -> None:
        """Drop the elements from ``start`` up to ``stop``."""
        assert 0 <= start <= stop <= self.length
        if start == stop:
            return
        if self.listpack != UNKNOWN:
            self.listpack -= size_of_run(self.joined(start, stop))
        self.length -= stop - start
        if self.chain is not None:
            self.bytes -= self.chain.delete(start, stop)
            self._shortened()
        else:
            self.run = cut(self.run, start, stop)
            self.bytes = len(self.run)

    # --- by content

    def find(self, element: bytes) -> int:
        """The index of the first of its kind; -1 if there is none."""
        found = self.positions(element, 1, 1, 0, False)
        return found[0] if found else -1

    def positions(self, element: bytes, rank: int, count: int, within: int, backwards: bool) -> list[int]:
        """Where ``element`` stands: from its ``rank``-th place on, at most ``count`` (0: all) places.

        At most ``within`` elements are looked at (0: all), from the end if ``backwards``.
        """
        assert rank > 0
        item = item_of(element)
        places: list[int] = []
        seen = 0
        for part in self._parts(backwards):
            length = self._part_length(part)
            begin = self.length - seen - length if backwards else seen
            found = self._part_hits(part, item)
            for index in reversed(found) if backwards else found:
                passed = seen + (length - 1 - index if backwards else index)
                if within and passed >= within:
                    return places
                rank -= 1
                if rank <= 0:
                    places.append(begin + index)
                    if len(places) == count:
                        return places
            seen += length
            if within and seen >= within:
                break
        return places

    def remove(self, element: bytes, most: int, backwards: bool) -> int:
        """Drop the first ``most`` (0: all) elements like this, or the last if ``backwards``; how many there were."""
        item = item_of(element)
        gone = 0
        for part in self._parts(backwards):
            found = self._part_hits(part, item)
            if not found:
                continue
            if most and gone + len(found) > most:
                found = found[gone - most :] if backwards else found[: most - gone]
            self._drop(part, found)
            gone += len(found)
            if gone == most:
                break
        self.length -= gone
        self.bytes -= gone * len(item)
        if self.listpack != UNKNOWN:
            self.listpack -= gone * size_of(element)
        if gone and self.chain is not None:
            self.chain.tidy()
            self._shortened()
        return gone

    def runs(self) -> list[bytes]:
        """The list as nodes of Redis: a listpack is a single one."""
        if self.chain is None or not self.quicklist:
            return [self.joined(0, self.length)]
        return self.chain.all_runs()

    def _parts(self, backwards: bool) -> list[int]:
        parts = list(range(1 if self.chain is None else self.chain.parts()))
        return parts[::-1] if backwards else parts

    def _part_length(self, part: int) -> int:
        return self.length if self.chain is None else self.chain.part_length(part)

    def _part_hits(self, part: int, item: bytes) -> list[int]:
        return hits(self.run, item) if self.chain is None else self.chain.part_hits(part, item)

    def _drop(self, part: int, indices: list[int]) -> None:
        if self.chain is not None:
            self.chain.drop(part, indices)
            return
        items = items_of(self.run)
        for index in reversed(indices):
            del items[index]
        self.run = b"".join(items)


def node_size(most: int) -> int:
    """Bytes that ``list-max-listpack-size``, if it is negative, gives a node."""
    return NODE_SIZES[min(-most, len(NODE_SIZES)) - 1]


def exceeds(limits: EncodingLimits, size: int, count: int) -> bool:
    """Is a listpack of ``size`` bytes and ``count`` elements too large for a node?"""
    most = limits.list_max_listpack_size
    if most < 0:
        return size > node_size(most)
    return size > SAFE_SIZE or count > max(most, 1)
