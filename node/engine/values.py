"""What generic commands must know of a value: the name of its type, how it is held, and how to copy it."""

from typing import Final

from gossamer.node.engine.keyspace import Value

EMBEDDED: Final = 44
"""Longest string that Redis holds in one piece with its header."""

SHARED: Final = 10_000
"""Integers from 0 below this are one shared object in Redis."""

FOREVER: Final = 2**31 - 1
"""The reference count of a shared object."""


def type_name(value: Value) -> bytes:
    """As TYPE says it."""
    assert isinstance(value, (bytes, bytearray))
    return b"string"


def encoding(value: Value) -> bytes:
    """As OBJECT ENCODING of Redis 7.0 says it."""
    assert isinstance(value, (bytes, bytearray))
    if isinstance(value, bytearray):
        return b"raw"
    if is_integer(value):
        return b"int"
    return b"embstr" if len(value) <= EMBEDDED else b"raw"


def references(value: Value) -> int:
    """As OBJECT REFCOUNT says it: one, but the small integers, which all keys share."""
    if isinstance(value, bytes) and len(value) <= 4 and is_integer(value) and 0 <= int(value) < SHARED:
        return FOREVER
    return 1


def duplicate(value: Value) -> Value:
    """A copy that no change of ``value`` reaches."""
    assert isinstance(value, (bytes, bytearray))
    return bytearray(value) if isinstance(value, bytearray) else value


def is_integer(text: bytes) -> bool:
    """Is ``text`` a 64-bit signed integer in its shortest form?"""
    if not 0 < len(text) <= 20 or not text[-1:].isdigit():
        return False
    try:
        number = int(text)
    except ValueError:
        return False
    return -(1 << 63) <= number < 1 << 63 and b"%d" % number == text
