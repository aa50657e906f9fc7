"""Keys as plain commands that make them again elsewhere, a piece at a time between the requests of others.

To add a type of data: one line in ``WORDS`` for its kind.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from gossamer.node.engine.data.kinds import STRING, kind_of
from gossamer.node.engine.data.snapshot import Snapshot
from gossamer.node.engine.data.spilled import in_memory
from gossamer.node.engine.stream.rewrite import hashes, lists, sets, streams, zsets
from gossamer.node.engine.stream.stream import NOT_SELECTED
from gossamer.node.resp.requests import encoded
from gossamer.node.types.hashes.kind import HASH
from gossamer.node.types.kind import DONE, Kind, Value
from gossamer.node.types.lists.kind import LIST
from gossamer.node.types.sets.set import SET
from gossamer.node.types.streams.kind import STREAM
from gossamer.node.types.zsets.zset import ZSET

Words: TypeAlias = Callable[[bytes, Value, int, int], tuple[bytes, int]]
"""Key, value, its expire time in unix milliseconds (-1: never) and a position, to requests and the next position."""


def string(key: bytes, value: Value, expire: int, at: int) -> tuple[bytes, int]:
    if not isinstance(value, bytes):
        assert isinstance(value, bytearray)
        value = bytes(value)
    if expire < 0:
        return b"*3\r\n$3\r\nSET\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (len(key), key, len(value), value), DONE
    return encoded([b"SET", key, value, b"PXAT", b"%d" % expire]), DONE


WORDS: Final[dict[Kind, Words]] = {
    STRING: string,
    LIST: lists.words,
    ZSET: zsets.words,
    SET: sets.words,
    STREAM: streams.words,
    HASH: hashes.words,
}


class AsCommands:
    """All of ``snapshot``, which is its to close. ``done`` when everything has been given out.

    ``selects``: tell of which database the keys are.
    """

    def __init__(self, snapshot: Snapshot, selects: bool = False) -> None:
        self.snapshot: Snapshot = snapshot
        self.selects: bool = selects
        self.keys: int = 0
        """How many have been begun."""
        self.done: bool = False
        self.left: int = len(snapshot.views)
        self.key: bytes = b""
        self.value: Value = b""
        self.at: int = DONE
        """Where to go on in ``value``, which takes several steps."""
        self._selected: int = NOT_SELECTED

    def next(self, size: int) -> bytes:
        """About ``size`` bytes more; fewer at the end, and more for a large string. Unreadable."""
        out: list[bytes] = []
        made = 0
        while made < size:
            if self.left == 0:
                self.close()
                break
            view = self.snapshot.views[self.left - 1]
            if self.at == DONE:
                if not view.pending and not view.begin_piece():
                    self.left -= 1
                    continue
                if self.selects and self._selected != view.index:
                    self._selected = view.index
                    out.append(encoded([b"SELECT", b"%d" % view.index]))
                self.key, value = view.take()
                self.value = in_memory(value)
                self.keys += 1
                self.at = 0
            write = WORDS[kind_of(self.value)]
            words, self.at = write(self.key, self.value, view.expire_of(self.key), self.at)
            out.append(words)
            made += len(words)
        if self.at == DONE:
            self.value = b""
        return b"".join(out)

    def close(self) -> None:
        self.done = True
        self.snapshot.close()
