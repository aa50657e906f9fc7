"""SCAN: the keys of a database, a piece at a time. The guarantees are ``traverse.piece``'s."""

from typing import Final

from gossamer.node.commands.numbers import integer
from gossamer.node.engine.data.kinds import kind_of
from gossamer.node.engine.data.traverse import piece
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import KEYSPACE, READONLY, command
from gossamer.node.glob import glob_match
from gossamer.node.resp.errors import INVALID_CURSOR, SYNTAX, Refusal
from gossamer.node.resp.reply import Reply

DEFAULT_COUNT: Final = 10
CURSOR_MAX: Final = 2**64 - 1


@command("SCAN", arity=-2, flags=READONLY, acl=KEYSPACE)
def scan(c: Call, argv: list[bytes]) -> Reply:
    cursor = read_cursor(argv[1])
    options = ScanOptions(argv, 2)
    cursor, keys = piece(c.db, cursor, options.count)
    return [b"%d" % cursor, [key for key in keys if wanted(c, key, options)]]


class ScanOptions:
    """``argv`` from ``start`` on; Refusal if it is not understood. ``pattern`` and ``kind`` None want everything."""

    def __init__(self, argv: list[bytes], start: int) -> None:
        self.count: int = DEFAULT_COUNT
        self.pattern: bytes | None = None
        self.kind: bytes | None = None
        for at in range(start, len(argv), 2):
            word = argv[at].upper()
            if at + 1 == len(argv):
                raise Refusal(SYNTAX)
            if word == b"COUNT":
                self.count = integer(argv[at + 1])
                if self.count < 1:
                    raise Refusal(SYNTAX)
            elif word == b"MATCH":
                self.pattern = None if argv[at + 1] == b"*" else argv[at + 1]
            elif word == b"TYPE":
                self.kind = argv[at + 1].lower()
            else:
                raise Refusal(SYNTAX)


def wanted(c: Call, key: bytes, options: ScanOptions) -> bool:
    """Does ``key`` pass the options and still exist? One whose time is over is deleted on the way."""
    if options.pattern is not None and not glob_match(options.pattern, key):
        return False
    value = c.get_raw(key)
    return value is not None and (options.kind is None or kind_of(value).name == options.kind)


def read_cursor(text: bytes) -> int:
    """A C string as strtoul reads it, with nothing before or behind: no text is 0, ``-1`` is the largest cursor."""
    text = text.partition(b"\0")[0]
    digits = text[1:] if text[:1] in (b"-", b"+") else text
    if not text:
        return 0
    if not digits.isdigit():
        raise Refusal(INVALID_CURSOR)
    value = int(digits) if len(digits) <= 4000 else CURSOR_MAX + 1
    if value > CURSOR_MAX:
        raise Refusal(INVALID_CURSOR)
    return -value & CURSOR_MAX if text[:1] == b"-" else value
