"""Elements are taken from the ends of a list: LPOP, RPOP, LMPOP."""

from typing import Final

from gossamer.node.commands.numbers import integer_or_none
from gossamer.node.engine.data.changes import LPOP, RPOP
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import FAST, LIST, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, DELETE, RW, KeySpec, first
from gossamer.node.resp.errors import (
    COUNT_NOT_POSITIVE,
    NOT_POSITIVE,
    NUMKEYS_NOT_POSITIVE,
    SYNTAX,
    Refusal,
    wrong_arity,
)
from gossamer.node.resp.reply import NULL_ARRAY, Reply
from gossamer.node.types.lists.list import List

POPPED: Final = first(RW, ACCESS, DELETE)


@command("LPOP", arity=-2, flags=WRITE | FAST, keys=POPPED, acl=LIST)
def lpop(c: Call, argv: list[bytes]) -> Reply:
    return pop(c, argv, True)


@command("RPOP", arity=-2, flags=WRITE | FAST, keys=POPPED, acl=LIST)
def rpop(c: Call, argv: list[bytes]) -> Reply:
    return pop(c, argv, False)


def pop(c: Call, argv: list[bytes], left: bool) -> Reply:
    if len(argv) > 3:
        raise Refusal(wrong_arity("lpop" if left else "rpop"))
    key = argv[1]
    if len(argv) == 2:
        value = c.change(key, List)
        return None if value is None else pop_one(c, key, value, left)
    count = integer_or_none(argv[2])
    if count is None or count < 0:
        raise Refusal(NOT_POSITIVE)
    value = c.change(key, List)
    if value is None:
        return NULL_ARRAY
    return pop_many(c, key, value, left, count) if count else []


def pop_one(c: Call, key: bytes, value: List, left: bool) -> bytes:
    """Take the element at an end of ``value``, which ``c.change`` has given out."""
    element = value.pop_left() if left else value.pop_right()
    if value.quicklist:
        value.has_shrunk(c.server.encodings)
    c.changed(key, value, LPOP if left else RPOP)
    return element


def pop_many(c: Call, key: bytes, value: List, left: bool, count: int) -> list[bytes]:
    """Take up to ``count`` elements from an end; the outermost first."""
    count = min(count, value.length)
    start = 0 if left else value.length - count
    elements = value.elements(start, start + count)
    if not left:
        elements.reverse()
    value.delete(start, start + count)
    value.has_shrunk(c.server.encodings)
    c.changed(key, value, LPOP if left else RPOP, count)
    return elements


# --- from the first of several lists

LMPOP_KEYS: Final = (KeySpec((RW, ACCESS, DELETE), count_at=0),)


@command("LMPOP", arity=-4, flags=WRITE, keys=LMPOP_KEYS, acl=LIST)
def lmpop(c: Call, argv: list[bytes]) -> Reply:
    wanted = PopWish(argv, 1)
    popped = wanted.fulfil(c)
    return NULL_ARRAY if popped is None else popped


class PopWish:
    """What LMPOP and BLMPOP ask for: ``numkeys`` stands at ``at`` of the request. Refusal."""

    def __init__(self, argv: list[bytes], at: int) -> None:
        numkeys = integer_or_none(argv[at])
        if numkeys is None or numkeys <= 0:
            raise Refusal(NUMKEYS_NOT_POSITIVE)
        end = at + 1 + numkeys
        if end >= len(argv):
            raise Refusal(SYNTAX)
        self.keys: list[bytes] = argv[at + 1 : end]
        self.left: bool = is_left(argv[end])
        self.count: int = pop_count(argv, end + 1)

    def fulfil(self, c: Call) -> list[Reply] | None:
        """The key of the first list and what was taken from it; None if there is none."""
        for key in self.keys:
            value = c.change(key, List)
            if value is not None:
                elements = pop_many(c, key, value, self.left, self.count)
                c.propagate(b"LPOP" if self.left else b"RPOP", key, b"%d" % len(elements))
                return [key, elements]
        return None


def pop_count(argv: list[bytes], at: int) -> int:
    """COUNT, which may stand at ``at``, and nothing behind it; 1 if it is not given."""
    if at == len(argv):
        return 1
    if argv[at].upper() != b"COUNT" or at + 1 == len(argv):
        raise Refusal(SYNTAX)
    count = integer_or_none(argv[at + 1])
    if count is None or count <= 0:
        raise Refusal(COUNT_NOT_POSITIVE)
    if at + 2 < len(argv):
        raise Refusal(SYNTAX)
    return count


def is_left(word: bytes) -> bool:
    """LEFT or RIGHT."""
    end = word.upper()
    if end != b"LEFT" and end != b"RIGHT":
        raise Refusal(SYNTAX)
    return end == b"LEFT"
