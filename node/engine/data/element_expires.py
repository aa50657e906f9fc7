"""Values of which elements expire, by when the first of each does: so nobody need look for those that are due."""

from heapq import heapify, heappop, heappush
from typing import Final

from gossamer.cluster.slots import key_slot

ROOM: Final = 64
"""So many notes in vain are kept, and as many as there are others."""


class ElementExpires:
    """Of one database. Times are unix milliseconds. A time that is noted may be too early, never too late."""

    def __init__(self) -> None:
        self.of_key: dict[bytes, int] = {}
        self._order: list[tuple[int, bytes]] = []
        """A heap. A note that ``of_key`` does not confirm is in vain."""

    def note(self, key: bytes, at: int) -> None:
        """An element of the value of ``key`` ends ``at``, and none before."""
        present = self.of_key.get(key)
        if present is not None and present <= at:
            return
        self.of_key[key] = at
        heappush(self._order, (at, key))
        if len(self._order) > 2 * len(self.of_key) + ROOM:
            self._order = [(at, key) for key, at in self.of_key.items()]
            heapify(self._order)

    def forget(self, key: bytes) -> None:
        """There is no such key any more."""
        self.of_key.pop(key, None)

    def within(self, parts: list[int], shift: int) -> dict[bytes, int]:
        """The notes on keys of these parts."""
        wanted = set(parts)
        return {key: at for key, at in self.of_key.items() if key_slot(key) >> shift in wanted}

    def first(self) -> int | None:
        """When the next element may end; None if none does."""
        order = self._order
        while order and self.of_key.get(order[0][1]) != order[0][0]:
            heappop(order)
        return order[0][0] if order else None

    def take_due(self, now: int) -> bytes | None:
        """A key of which an element may be over, once; None if there is none."""
        at = self.first()
        if at is None or at >= now:
            return None
        key = heappop(self._order)[1]
        del self.of_key[key]
        return key
