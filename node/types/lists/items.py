"""Items: the elements of a list as they are sent to clients, bulk strings, one behind the other in a run of bytes.

So a part of a list is a reply as it stands, and what a run holds is copied, cut and searched by C functions on bytes.
Positions in a run are byte offsets at which an item begins. The loops are written for a compiler; interpreted they
cost a fraction of a microsecond an item.
"""

from typing import TYPE_CHECKING, Final

from gossamer.node.store import texts

if TYPE_CHECKING:
    from mypy_extensions import i64

CR: Final = 13
ZERO: Final = 48
AROUND: Final = 2
"""Bytes of a line's end."""

item_of: Final = texts.to_item


def element_of(item: bytes) -> bytes:
    """The element of a single item."""
    at: i64 = 1
    while item[at] != CR:
        at += 1
    return item[at + AROUND : -AROUND]


def end_of(run: bytes, at: "i64") -> "i64":
    """Where the item at ``at`` ends."""
    at += 1
    size: i64 = 0
    digit: i64 = run[at]
    while digit != CR:
        size = size * 10 + (digit - ZERO)
        at += 1
        digit = run[at]
    return at + AROUND + size + AROUND


def skip(run: bytes, at: "i64", count: int) -> "i64":
    """Where the item stands that is ``count`` items behind the one at ``at``."""
    left: i64 = count
    while left > 0:
        at = end_of(run, at)
        left -= 1
    return at


def items_of(run: bytes) -> list[bytes]:
    items: list[bytes] = []
    at: i64 = 0
    size: i64 = len(run)
    while at < size:
        end = end_of(run, at)
        items.append(run[at:end])
        at = end
    return items


elements_of: Final = texts.from_run
run_of: Final = texts.to_run


def hits(run: bytes, item: bytes) -> list[int]:
    """The indices at which ``item`` stands in ``run``. One that C does not find costs no walk."""
    found: list[int] = []
    at: i64 = 0
    index: i64 = 0
    hit: i64 = run.find(item)
    while hit >= 0:
        while at < hit:  # an element may contain what looks like an item
            at = end_of(run, at)
            index += 1
        if at == hit:
            found.append(index)
            at = end_of(run, at)
            index += 1
        hit = run.find(item, at)
    return found


# --- changed copies


def replaced(run: bytes, index: int, item: bytes) -> bytes:
    at = skip(run, 0, index)
    return run[:at] + item + run[end_of(run, at) :]


def inserted(run: bytes, index: int, item: bytes) -> bytes:
    """``item`` gets ``index``."""
    at = skip(run, 0, index)
    return run[:at] + item + run[at:]


def between(run: bytes, start: int, stop: int) -> bytes:
    """The items from index ``start`` up to ``stop``, which is not included."""
    at = skip(run, 0, start)
    return run[at : skip(run, at, stop - start)]


def cut(run: bytes, start: int, stop: int) -> bytes:
    """The items but those from index ``start`` up to ``stop``."""
    at = skip(run, 0, start)
    return run[:at] + run[skip(run, at, stop - start) :]
