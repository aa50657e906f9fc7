"""Inline commands: one line of words, for people with telnet (redis.io, "RESP protocol specification").

Words may be quoted. In double quotes ``\\n \\r \\t \\b \\a \\xHH`` and ``\\`` before any other byte mean what they
mean in C; in single quotes only ``\\'`` is special. A closing quote must be followed by a space or the end of the
line. A vertical tab or form feed separates words only where it does not touch the end of an unquoted one (sdssplitargs,
Redis 7.0).
"""

from typing import Final

ESCAPES: Final[dict[int, int]] = {0x6E: 0x0A, 0x72: 0x0D, 0x74: 0x09, 0x62: 0x08, 0x61: 0x07}
SPACE: Final = b" \t\n\r\v\f"
WORD_END: Final = b" \t\n\r"
HEX: Final = b"0123456789abcdefABCDEF"


def split_words(line: bytes) -> list[bytes] | None:
    """The words of ``line``, which holds no NUL; None if its quotes do not balance."""
    if b'"' not in line and b"'" not in line and b"\v" not in line and b"\f" not in line:
        return line.split()
    words: list[bytes] = []
    pos = 0
    end = len(line)
    while True:
        while pos < end and line[pos] in SPACE:
            pos += 1
        if pos >= end:
            return words
        word = bytearray()
        pos = _read_word(line, pos, word)
        if pos < 0:
            return None
        words.append(bytes(word))


def _read_word(line: bytes, pos: int, word: bytearray) -> int:
    """Append one word that begins at ``pos`` to ``word``; the position behind it, -1 if a quote stays open."""
    end = len(line)
    while pos < end and line[pos] not in WORD_END:
        ch = line[pos]
        if ch == 0x22 or ch == 0x27:
            pos = _read_quoted(line, pos + 1, ch, word)
            if pos < 0 or (pos < end and line[pos] not in SPACE):
                return -1
            return pos
        word.append(ch)
        pos += 1
    return pos


def _read_quoted(line: bytes, pos: int, quote: int, word: bytearray) -> int:
    end = len(line)
    while pos < end:
        ch = line[pos]
        if ch == quote:
            return pos + 1
        if ch == 0x5C and pos + 1 < end:
            if quote == 0x22:
                if line[pos + 1] == 0x78 and pos + 3 < end and line[pos + 2] in HEX and line[pos + 3] in HEX:
                    word.append(int(line[pos + 2 : pos + 4], 16))
                    pos += 4
                    continue
                word.append(ESCAPES.get(line[pos + 1], line[pos + 1]))
                pos += 2
                continue
            if line[pos + 1] == 0x27:
                word.append(0x27)
                pos += 2
                continue
        word.append(ch)
        pos += 1
    return -1
