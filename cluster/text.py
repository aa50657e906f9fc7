"""Bytes from outside as text, and back: the one pair, used everywhere.

What clients, peers and files send may be any bytes. As text it is UTF-8, with each byte that is none kept as a lone
surrogate (PEP 383). So good names are good text, for which printing and lower case mean what they should (Latin-1
would make two letters of one), nothing is refused or lost on the way, and what came in goes out as the same bytes.

Rules kept here:
- Neither function ever raises; ``bytes_of(text_of(data)) == data`` for all data.
- Nothing else in the product converts: ``tests/tidy/test_conversions.py`` forbids ``encode`` and ``decode``, whose
  failures are exceptions that nobody expects.
- That a text can be converted does not make it fit to be kept: see ``cluster/names.py``.
"""


def text_of(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def bytes_of(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        # Half of a pair, which no bytes ever become: it was made by a program, and is shown rather than lost.
        return text.encode("utf-8", "backslashreplace")


def printable(text: str) -> str:
    """``text`` for terminals and titles, which take no lone surrogates: each is shown as U+FFFD."""
    return "".join(["\ufffd" if 0xD800 <= ord(letter) <= 0xDFFF else letter for letter in text])
