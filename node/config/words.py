"""redis.conf lines to words and back.

Text is what ``cluster/text.py`` makes of bytes, so that ``"\\xHH"`` survives: a password may be any bytes.
"""

from typing import Final

from gossamer.cluster.names import is_storable
from gossamer.cluster.text import bytes_of, text_of
from gossamer.node.resp.inline import split_words

_ESCAPES: Final = {0x5C: "\\\\", 0x22: '\\"', 0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t", 0x07: "\\a", 0x08: "\\b"}


def split(line: str) -> list[str] | None:
    """The words of one line, unquoted; None if its quotes do not balance."""
    words = split_words(bytes_of(line))
    return None if words is None else [text_of(word) for word in words]


def quote_if_needed(text: str) -> str:
    """``text`` as it is where ``split`` takes it for one word, else in quotes."""
    return text if text and is_storable(text) and text.isascii() else quote(text)


def quote(text: str) -> str:
    """``text`` in double quotes, so that ``split`` gives it back; bytes beyond printable ASCII become ``\\xHH``."""
    out = [_ESCAPES.get(ch) or (chr(ch) if 0x20 <= ch < 0x7F else f"\\x{ch:02x}") for ch in bytes_of(text)]
    return '"' + "".join(out) + '"'
