"""What keys of one part were when a snapshot was opened: of those that have changed before their turn came."""

from heapq import heappop, heappush

from gossamer.node.engine.data.kinds import copy_of
from gossamer.node.store.table import Table
from gossamer.node.types.kind import Value


class Note:
    """What a key was: its value, None if it was not there, and its expire time."""

    def __init__(self, value: Value | None, expire: int) -> None:
        self.value: Value | None = value
        self.expire: int = expire


class Notes:
    """``table``: the part itself, which knows where walks come across a key."""

    def __init__(self, table: Table) -> None:
        self.table: Table = table
        self.by_key: dict[bytes, Note] = {}
        self.order: list[tuple[int, bytes]] = []
        """A heap: the keys by the positions at which a walk would come across them."""

    def add(self, key: bytes) -> None:
        """Remember what ``key`` is, unless something is remembered already."""
        if key in self.by_key:
            return
        table = self.table
        value = table.get(key)
        held = None if value is None else copy_of(value)
        self.by_key[key] = Note(held, table.expire(key))
        heappush(self.order, (table.position(key), key))

    def take_below(self, position: int) -> list[tuple[bytes, Note]]:
        """Take out the notes of the keys below ``position``."""
        taken: list[tuple[bytes, Note]] = []
        order = self.order
        while order and order[0][0] < position:
            key = heappop(order)[1]
            taken.append((key, self.by_key.pop(key)))
        return taken
