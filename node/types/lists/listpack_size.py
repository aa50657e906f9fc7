"""How many bytes an element takes in a listpack: Redis' encodings of a list, and their limits, are told by that.

Each element has its encoding, its data, and the size of these two once more, to be read backwards (listpack.c). What
is an integer in its shortest form is held as one.
"""

from typing import TYPE_CHECKING, Final

from gossamer.node.store import texts
from gossamer.node.types.backlen import backlen_size
from gossamer.node.types.lists.items import elements_of

if TYPE_CHECKING:
    from mypy_extensions import i64

HEADER: Final = 7
"""Bytes of a listpack without elements."""

LONGEST: Final = 20
"""Characters of the longest integer."""
PLAIN: Final = 18
"""Digits that surely fit 64 bits."""
MINUS: Final = 45
ZERO: Final = 48
NINE: Final = 57

size_of_elements: Final = texts.listpack_size


def size_of(element: bytes) -> "i64":
    size: i64 = len(element)
    if 0 < size <= LONGEST:
        first: i64 = element[0]
        if first <= NINE and (first >= ZERO or first == MINUS):
            data = integer_size(element)
            if data:
                return data + 1
    if size < 1 << 6:
        size += 1
    elif size < 1 << 12:
        size += 2
    else:
        size += 5
    return size + backlen_size(size)


def size_of_run(run: bytes) -> int:
    return size_of_elements(elements_of(run))


def is_integer(element: bytes) -> bool:
    """Is ``element`` held as an integer?"""
    return 0 < len(element) <= LONGEST and integer_size(element) > 0


def integer_size(text: bytes) -> "i64":
    """Bytes of encoding and data, if ``text`` is an integer of 64 bits in its shortest form; else 0."""
    size: i64 = len(text)
    at: i64 = 1 if text[0] == MINUS else 0
    if at == size or (text[at] == ZERO and (size > 1)):
        return 0
    if size > PLAIN:
        return long_integer_size(text)
    number: i64 = 0
    while at < size:
        digit: i64 = text[at]
        if digit < ZERO or digit > NINE:
            return 0
        number = number * 10 + (digit - ZERO)
        at += 1
    return width_of(-number if text[0] == MINUS else number)


def long_integer_size(text: bytes) -> "i64":
    digits = text[1:] if text[0] == MINUS else text
    if not digits.isdigit() or not -(1 << 63) <= int(text) < 1 << 63:
        return 0
    return 9


def width_of(number: "i64") -> "i64":
    if 0 <= number < 1 << 7:
        return 1
    if -(1 << 12) <= number < 1 << 12:
        return 2
    if -(1 << 15) <= number < 1 << 15:
        return 3
    if -(1 << 23) <= number < 1 << 23:
        return 4
    return 5 if -(1 << 31) <= number < 1 << 31 else 9
