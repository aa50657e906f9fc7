"""The cursor and the options that SCAN, HSCAN, SSCAN and ZSCAN have in common (db.c of Redis 7.2).

For a collection the order of the checks is: ``read_cursor``, the key and its type (``nothing_to_scan`` if there is no
key), ``ScanOptions``. A small form is returned whole, whatever COUNT says, with cursor 0. A cursor that was never given
out is no error.
"""

from typing import Final

from gossamer.node.commands.numbers import integer
from gossamer.node.resp.errors import INVALID_CURSOR, SYNTAX, Refusal
from gossamer.node.resp.reply import Reply

DEFAULT_COUNT: Final = 10
CURSOR_MAX: Final = 2**64 - 1

# Words that not every command of the family knows.
TYPE: Final = 1
NOVALUES: Final = 2


class ScanOptions:
    """``argv`` from ``start`` on; Refusal if it is not understood. ``words``: which of TYPE and NOVALUES may occur.

    ``pattern`` and ``kind`` None want everything.
    """

    def __init__(self, argv: list[bytes], start: int, words: int = 0) -> None:
        self.count: int = DEFAULT_COUNT
        self.pattern: bytes | None = None
        self.kind: bytes | None = None
        self.novalues: bool = False
        at = start
        while at < len(argv):
            word = argv[at].upper()
            if word == b"NOVALUES" and words & NOVALUES:
                self.novalues = True
                at += 1
                continue
            if at + 1 == len(argv):
                raise Refusal(SYNTAX)
            self._read_pair(word, argv[at + 1], words)
            at += 2

    def _read_pair(self, word: bytes, value: bytes, words: int) -> None:
        if word == b"COUNT":
            self.count = integer(value)
            if self.count < 1:
                raise Refusal(SYNTAX)
        elif word == b"MATCH":
            self.pattern = None if value == b"*" else value
        elif word == b"TYPE" and words & TYPE:
            self.kind = value.lower()
        else:
            raise Refusal(SYNTAX)


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


def scanned(cursor: int, elements: list[bytes]) -> Reply:
    """The reply: where to go on (0: it was the end), and what was found."""
    return [b"%d" % cursor, elements]


def nothing_to_scan() -> Reply:
    """The reply where there is no key."""
    return scanned(0, [])
