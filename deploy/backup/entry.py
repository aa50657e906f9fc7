"""A key on its way: the RESTORE command that makes it again anywhere."""

from typing import Final

from gossamer.cluster.slots import key_slot
from gossamer.cluster.text import printable, text_of
from gossamer.deploy.blocking_client import Word, encode
from gossamer.node.engine.data.kinds import kind_of
from gossamer.node.persist.dump import dump
from gossamer.node.persist.events import Key

SHOWN: Final = 128


class Entry:
    """``since``: when sending it first went wrong for the time being, by ``time.monotonic``; 0 if it never did."""

    __slots__ = ("command", "db", "key", "maybe_there", "moves", "payload_size", "since", "slot", "volatile")

    def __init__(self, key: Key, db: int, replace: bool) -> None:
        payload = dump(key.value)
        words: list[Word] = [b"RESTORE", key.key, max(key.end, 0), payload]
        if key.end >= 0:
            words.append(b"ABSTTL")
        if replace:
            words.append(b"REPLACE")
        if key.idle_s >= 0:
            words += [b"IDLETIME", key.idle_s]
        elif key.freq >= 0:
            words += [b"FREQ", key.freq]
        self.key = key.key
        self.db = db
        self.slot = key_slot(key.key)
        self.command = encode(words)
        self.payload_size = len(payload)
        self.volatile = key.end >= 0 or kind_of(key.value).soonest(key.value) >= 0
        """It may end by itself."""
        self.maybe_there = False
        """It was sent, and the connection ended before the reply came."""
        self.moves = 0
        """How often a node has sent it on to another."""
        self.since = 0.0

    def __str__(self) -> str:
        return key_text(self.key)


def key_text(key: bytes) -> str:
    """A key as it stands in texts."""
    dots = "..." if len(key) > SHOWN else ""
    return f"key {printable(text_of(key[:SHOWN]))!r}{dots}"
