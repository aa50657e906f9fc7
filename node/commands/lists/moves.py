"""An element goes from one end of a list to one of another list, or of the same: LMOVE, RPOPLPUSH."""

from typing import Final

from gossamer.node.commands.lists.pops import is_left
from gossamer.node.engine.data.changes import LPOP, LPUSH, RPOP, RPUSH
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import DENYOOM, LIST, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, DELETE, INSERT, RW, KeySpec
from gossamer.node.resp.reply import Reply
from gossamer.node.types.lists.list import List
from gossamer.node.types.lists.listpack_size import is_integer

MOVED: Final = (KeySpec((RW, ACCESS, DELETE)), KeySpec((RW, INSERT), index=2))


@command("LMOVE", arity=5, flags=WRITE | DENYOOM, keys=MOVED, acl=LIST)
def lmove(c: Call, source: bytes, target: bytes, off: bytes, onto: bytes) -> Reply:
    from_left, to_left = is_left(off), is_left(onto)
    return move(c, source, target, from_left, to_left)


@command("RPOPLPUSH", arity=3, flags=WRITE | DENYOOM, keys=MOVED, acl=LIST)
def rpoplpush(c: Call, source: bytes, target: bytes) -> Reply:
    return move(c, source, target, False, True)


def move(c: Call, source: bytes, target: bytes, from_left: bool, to_left: bool) -> bytes | None:
    """The element that was moved; None if there is no list ``source``. All of it is one change."""
    if source == target:
        return turn(c, source, from_left, to_left)
    value = c.read(source, List)
    if value is None:
        return None
    c.read(target, List)  # first of all: both are lists
    element = value.element(0 if from_left else value.length - 1)
    put(c, target, element, to_left)
    value = c.change(source, List)
    assert value is not None
    take(c, source, value, from_left)
    return element


def take(c: Call, source: bytes, value: List, left: bool) -> None:
    if left:
        value.pop_left()
    else:
        value.pop_right()
    value.has_shrunk(c.server.encodings)
    c.changed(source, value, LPOP if left else RPOP, 0)


def put(c: Call, target: bytes, element: bytes, left: bool) -> None:
    present = c.change(target, List)
    value = List() if present is None else present
    value.will_grow(1, counted_size(element), c.server.encodings)
    if left:
        value.push_left(element)
    else:
        value.push_right(element)
    if present is None:
        c.store(target, value, LPUSH if left else RPUSH)
    else:
        c.changed(target, value, LPUSH if left else RPUSH)


def turn(c: Call, key: bytes, from_left: bool, to_left: bool) -> bytes | None:
    """Within one list."""
    value = c.change(key, List)
    if value is None:
        return None
    element = value.pop_left() if from_left else value.pop_right()
    value.will_grow(1, counted_size(element), c.server.encodings)
    if to_left:
        value.push_left(element)
    else:
        value.push_right(element)
    c.changed(key, value, LPUSH if to_left else RPUSH)
    value.has_shrunk(c.server.encodings)
    c.replace(key, value, LPOP if from_left else RPOP, 0)
    return element


def counted_size(element: bytes) -> int:
    """What Redis takes for the size of an element that comes from a list: nothing for an integer."""
    return 0 if is_integer(element) else len(element)
