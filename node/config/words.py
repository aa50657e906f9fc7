"""redis.conf lines to words and back.

Text is str with undecodable bytes as surrogates (PEP 383), so that ``"\\xHH"`` survives: a password may be any bytes.
"""

from typing import Final

from node.resp.inline import split_words

_ESCAPES: Final = {0x5C: "\\\\", 0x22: '\\"', 0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t", 0x07: "\\a", 0x08: "\\b"}


def to_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def to_text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def split(line: str) -> list[str] | None:
    """The words of one line, unquoted; None if its quotes do not balance."""
    words = split_words(to_bytes(line))
    return None if words is None else [to_text(word) for word in words]


def quote(text: str) -> str:
    """``text`` in double quotes, so that ``split`` gives it back; bytes beyond printable ASCII become ``\\xHH``."""
    out = [_ESCAPES.get(ch) or (chr(ch) if 0x20 <= ch < 0x7F else f"\\x{ch:02x}") for ch in to_bytes(text)]
    return '"' + "".join(out) + '"'
