"""Those who are given the writes of this node: replicas, slots on their way to other nodes, the append-only file."""

from typing import Final

from mypy_extensions import mypyc_attr

from gossamer.node.resp.requests import encoded

encode: Final = encoded
"""Compiled, what is ``Final`` here is at hand; a name that was imported is looked up each time."""


class Write:
    """One command that changes data, for database ``db``."""

    __slots__ = ("data", "db", "slot")

    def __init__(self, db: int, data: bytes, slot: int) -> None:
        self.db: int = db
        self.data: bytes = data
        """The request as RESP array of bulk strings."""
        self.slot: int = slot
        """Of its keys; -1 if it has none, or no sink wants to know."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Sink:
    """Is given every write once, in the order in which they happened; ``Journal.attach`` registers it.

    The database of a write is told beside it: whoever needs a SELECT makes it. ``by_slot``: it wants to know the slots.
    """

    def __init__(self, by_slot: bool = False) -> None:
        self.by_slot: bool = by_slot

    def write(self, db: int, data: bytes, slot: int) -> None:
        """One write that stands alone. ``data``, ``slot``: see ``Write``."""

    def request(self, db: int, argv: list[bytes], slot: int) -> None:
        """As ``write``, of a request that nobody else is told: whoever has a place for its bytes saves a copy."""
        self.write(db, encode(argv), slot)

    def group(self, writes: list[Write]) -> None:
        """Two writes or more that happen together."""
        for write in writes:
            self.write(write.db, write.data, write.slot)
