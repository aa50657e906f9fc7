"""Lists of byte strings and the forms in which they stand in one: the twin of ``texts.h`` but for listpacks.

A pack has each text behind one byte that is its length. A run has each as a bulk string of RESP.
"""

from typing import Final

CR: Final = 13
ZERO: Final = 48
LONGEST: Final = 255
LENGTHS: Final[list[bytes]] = [bytes((size,)) for size in range(LONGEST + 1)]


def from_pack(pack: bytes) -> list[bytes]:
    texts: list[bytes] = []
    at = 0
    while at < len(pack):
        end = at + 1 + pack[at]
        texts.append(pack[at + 1 : end])
        at = end
    return texts


def to_pack(texts: list[bytes]) -> bytes:
    """``texts`` have at most ``LONGEST`` bytes each."""
    parts: list[bytes] = []
    for text in texts:
        parts.append(LENGTHS[len(text)])
        parts.append(text)
    return b"".join(parts)


def from_run(run: bytes) -> list[bytes]:
    texts: list[bytes] = []
    at = 0
    while at < len(run):
        head = run.index(CR, at)
        begin = head + 2
        end = begin + int(run[at + 1 : head])
        texts.append(run[begin:end])
        at = end + 2
    return texts


def to_run(texts: list[bytes]) -> bytes:
    return b"".join([b"$%d\r\n%b\r\n" % (len(text), text) for text in texts])


def to_scored(elements: list[bytes]) -> bytes | None:
    """The small form (``zsets/packed.py``) of members and scores in turn. None is for the caller to make it, or to say
    why that cannot be: a score is no plain number, a member too long or out of order, or there are too many. Whether a
    member stands there twice is not looked at."""
    return None


def from_scored(packed: bytes) -> list[bytes] | None:
    """Members and scores of a small sorted set in turn. None, which may be always, is for the caller to make them."""
    return None
