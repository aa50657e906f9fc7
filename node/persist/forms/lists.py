"""Lists in RDB (rdb.c of Redis 7.2): nodes, each a listpack or a single long element.

Old forms are read as well: elements one by one, a ziplist, and nodes that are ziplists.
"""

from typing import Final

from gossamer.node.persist.codes import RdbError
from gossamer.node.persist.form import Elements, Style
from gossamer.node.persist.packed import listpack, ziplist
from gossamer.node.persist.primitives import put_length, put_string
from gossamer.node.persist.source import Source
from gossamer.node.types.kind import DONE, STEP, Value
from gossamer.node.types.lists.items import elements_of
from gossamer.node.types.lists.list import List

SINGLES: Final = 1
ZIPLIST: Final = 10
ZIPLISTS: Final = 14
NODES: Final = 18

PLAIN: Final = 1
PACKED: Final = 2
"""What a node holds: an element, or a listpack."""


# --- writing


def write(out: bytearray, key: bytes | bytearray, value: Value, style: Style, at: int) -> int:
    """A step; ``at`` counts nodes."""
    assert isinstance(value, List)
    runs = value.runs()
    if at == 0:
        out.append(NODES)
        out += key
        put_length(out, len(runs))
    written = 0
    while at < len(runs) and written < STEP:
        elements = elements_of(runs[at])
        put_length(out, PACKED)
        put_string(out, listpack.encode(elements), style.compress)
        written += len(elements)
        at += 1
    return at if at < len(runs) else DONE


# --- reading


class ListElements(Elements):
    """``left`` counts elements or nodes, whatever the form consists of."""

    def __init__(self, source: Source) -> None:
        left = source.length()
        if left == 0:
            raise RdbError("a list without elements")
        self.list: List = List()
        self.list.quicklist = True
        self.nodes: int = 0
        super().__init__(self.list, left)

    def add(self, elements: list[bytes], source: Source) -> None:
        """``elements`` are what was read as one. A node may be empty, the list may not."""
        self.list.extend(elements)
        self.nodes += bool(elements)
        if self.left == 1:
            if self.list.length == 0:
                raise RdbError("a list without elements")
            self.list.settle(self.nodes, source.limits)


class Singles(ListElements):
    def read(self, source: Source) -> None:
        element = source.string()
        self.nodes = 0  # that is up to us
        self.add([element], source)


class Ziplists(ListElements):
    def read(self, source: Source) -> None:
        self.add(ziplist.decode(source.string()), source)


class Nodes(ListElements):
    def read(self, source: Source) -> None:
        holds = source.length()
        data = source.string()
        if holds == PACKED:
            self.add(listpack.decode(data), source)
        elif holds == PLAIN:
            self.nodes += 1  # such a list is no listpack
            self.add([data], source)
        else:
            raise RdbError(f"a node of a list holds {holds}")


def read_ziplist(source: Source) -> Value:
    elements = ziplist.decode(source.string())
    if not elements:
        raise RdbError("a list without elements")
    value = List()
    value.quicklist = True
    for element in elements:
        value.push_right(element)
    value.settle(1, source.limits)
    return value
