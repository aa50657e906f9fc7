"""What SORT knows of the types of values: those that it sorts, the one it makes, and the one it finds fields in."""

from gossamer.node.engine.serving.call import Call
from gossamer.node.resp.errors import WRONGTYPE, Refusal
from gossamer.node.types.hashes.hash import Hash
from gossamer.node.types.kind import Value
from gossamer.node.types.limits import EncodingLimits
from gossamer.node.types.lists.list import List
from gossamer.node.types.sets.set import Set
from gossamer.node.types.zsets.zset import ZSet


def elements_of(value: Value | None) -> list[bytes]:
    """In their order, if they have one; WRONGTYPE."""
    if value is None:
        return []
    if isinstance(value, Set):
        return value.members()
    if isinstance(value, ZSet):
        return value.members(0, value.length())
    if isinstance(value, List):
        return value.elements(0, value.length)
    raise Refusal(WRONGTYPE)


def list_of(elements: list[bytes], limits: EncodingLimits) -> List:
    value = List()
    for element in elements:
        value.push_right(element)
    value.settle(1, limits)
    return value


def field_of(c: Call, value: Value | None, field: bytes) -> bytes | None:
    """The value of a field; None if there is none, or ``value`` is no hash."""
    return value.get(field, c.now) if isinstance(value, Hash) else None
