"""What stands in the table for a value that is not in memory: a stub, which knows the place that the value has.

A place lives as long as its stub. Whoever holds the stub (the table, a snapshot, a slot that has left) can have the
value read, whatever becomes of the key meanwhile; and when the last one lets go of it the place is free, so nobody who
deletes, overwrites, flushes or moves keys has to think of places. That needs a finalizer, and so a module that is not
compiled.

A type of data has a stub class of its own, so that a table of classes tells what the value is (``data/kinds.py``).
"""

from typing import Final, Protocol

NOWHERE: Final = -1


class Vault(Protocol):
    """Who has the values of stubs."""

    gone: list[int]
    """Places that nobody needs any more."""

    def load(self, spilled: "Spilled") -> object:
        """The value itself, made anew. Unreadable (``data/spilled.py``)."""

    def payload(self, spilled: "Spilled") -> bytes:
        """The value as it stands in an RDB, its type first. Unreadable."""


class Spilled:
    """``payload``: what is to be put away, until it has a ``place``. ``encoding`` and ``soonest`` are the value's."""

    __slots__ = ("encoding", "payload", "place", "soonest", "vault")

    def __init__(self, vault: Vault, payload: bytes, encoding: bytes, soonest: int) -> None:
        self.vault: Vault = vault
        self.payload: bytes = payload
        self.place: int = NOWHERE
        self.encoding: bytes = encoding
        self.soonest: int = soonest

    def __del__(self) -> None:
        if self.place != NOWHERE:
            self.vault.gone.append(self.place)


class SpilledString(Spilled):
    __slots__ = ()


class SpilledList(Spilled):
    __slots__ = ()


class SpilledSet(Spilled):
    __slots__ = ()


class SpilledZSet(Spilled):
    __slots__ = ()


class SpilledHash(Spilled):
    __slots__ = ()


class SpilledStream(Spilled):
    __slots__ = ()
