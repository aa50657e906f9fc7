"""Requests as RESP has them, in Python: what ``request.h`` does in C, and what both promise.

Replicas, append-only files and other servers are told of writes in these bytes.
"""

from typing import Final

SMALL: Final = 1024
HEADS: Final[list[bytes]] = [b"\r\n$%d\r\n" % size for size in range(SMALL)]
"""What stands between two arguments in a request: the end of one, the size of the next."""
COUNTS: Final[list[bytes]] = [b"*%d" % count for count in range(SMALL)]


def encoded(argv: list[bytes]) -> bytes:
    """A request as RESP array of bulk strings."""
    count = len(argv)
    if count == 3 and len(argv[0]) < SMALL and len(argv[1]) < SMALL and len(argv[2]) < SMALL:  # half the time
        name, key, value = argv
        heads = HEADS
        return b"".join([b"*3", heads[len(name)], name, heads[len(key)], key, heads[len(value)], value, b"\r\n"])
    pieces = [COUNTS[count] if count < SMALL else b"*%d" % count]
    for arg in argv:
        size = len(arg)
        pieces.append(HEADS[size] if size < SMALL else b"\r\n$%d\r\n" % size)
        pieces.append(arg)
    pieces.append(b"\r\n")
    return b"".join(pieces)
