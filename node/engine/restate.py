"""Keys as plain commands that make them again elsewhere, a piece at a time between the requests of others.

To add a type of data: one line in ``WORDS`` for its class.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from gossamer.node.engine.feed import encoded
from gossamer.node.engine.keyspace import Value
from gossamer.node.engine.snapshot import Snapshot

Words: TypeAlias = Callable[[bytes, Value, int], bytes]
"""Key, value, and its end in unix milliseconds (-1: never), as requests."""


def string(key: bytes, value: Value, end: int) -> bytes:
    if not isinstance(value, bytes):
        assert isinstance(value, bytearray)
        value = bytes(value)
    if end < 0:
        return b"*3\r\n$3\r\nSET\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (len(key), key, len(value), value)
    return encoded([b"SET", key, value, b"PXAT", b"%d" % end])


WORDS: Final[dict[type, Words]] = {
    bytes: string,
    bytearray: string,
}


class Restatement:
    """All of ``snapshot``, which is its to close. ``done`` when everything has been given out."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot: Snapshot = snapshot
        self.done: bool = False
        self.left: int = len(snapshot.views)

    def next(self, size: int) -> bytes:
        """About ``size`` bytes more; fewer at the end, and more for a large value."""
        out: list[bytes] = []
        made = 0
        while made < size:
            if self.left == 0:
                self.close()
                break
            view = self.snapshot.views[self.left - 1]
            if not view.pending and not view.begin_part():
                self.left -= 1
                continue
            pending, ends = view.pending, view.ends
            while pending and made < size:
                key, value = pending.popitem()
                words = WORDS[type(value)](key, value, ends.get(key, -1) if ends else -1)
                out.append(words)
                made += len(words)
        return b"".join(out)

    def close(self) -> None:
        self.done = True
        self.snapshot.close()
