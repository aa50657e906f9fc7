"""Lists of byte strings and the forms in which they stand in one: the twin of ``texts.h`` but for listpacks.

A pack has each text behind one byte that is its length. A run has each as a bulk string of RESP.
"""

from typing import Final

CR: Final = 13
ZERO: Final = 48
LONGEST: Final = 255
END: Final = b"\r\n"
KNOWN: Final = 1024
HEADS: Final[list[bytes]] = [b"$%d\r\n" % size for size in range(KNOWN)]
"""What a bulk string begins with, by its size."""
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


def to_item(text: bytes) -> bytes:
    """A run of one."""
    size = len(text)
    return HEADS[size] + text + END if size < KNOWN else b"$%d\r\n%b\r\n" % (size, text)


def to_run(texts: list[bytes]) -> bytes:
    return b"".join([b"$%d\r\n%b\r\n" % (len(text), text) for text in texts])


def repack(listpack: bytes, step: int) -> tuple[bytes, int] | None:
    """The elements of a listpack as a pack, and how many groups of ``step`` they are; of the first elements of groups,
    no two are the same. ValueError if it is damaged. None, which may be always, is for the caller to look for himself:
    there are none or too many, one is too long or there twice, or a group is not whole."""
    return None


def to_scored(listpack: bytes) -> bytes | None:
    """The small form (``zsets/packed.py``) of a listpack of members and scores. ValueError if it is damaged. None,
    which may be always, is for the caller to look for himself: a score is no plain number, a member is too long, there
    twice or out of order, or there are none or too many."""
    return None


def from_scored(packed: bytes) -> list[bytes] | None:
    """Members and scores of a small sorted set in turn. None, which may be always, is for the caller to make them."""
    return None
