"""The entries that a group has delivered and nobody has acknowledged yet (in Redis: the PEL), in the order of ids.

They are in chunks of at most ``FULL``. An entry is found by the lowest id of its chunk, so no change costs more than a
chunk, and a list of references is all that a copy costs. What one consumer has is found by what each chunk counts.
"""

from bisect import bisect_right
from typing import Final

from mypy_extensions import mypyc_attr

from gossamer.node.types.streams.node import Mark

FULL: Final = 256


@mypyc_attr(acyclic=True)
class Nack:
    """The consumer that has an entry (its name), when it was delivered last (unix milliseconds), and how often.

    It is not changed but replaced: copies share it.
    """

    def __init__(self, owner: bytes, delivered_ms: int, deliveries: int) -> None:
        self.owner: bytes = owner
        self.delivered_ms: int = delivered_ms
        self.deliveries: int = deliveries


class Chunk:
    def __init__(self, mark: Mark, nacks: dict[int, Nack]) -> None:
        self.mark: Mark = mark
        self.nacks: dict[int, Nack] = nacks
        """In the order of ids."""
        self.high: int = -1
        """No id in here is larger."""
        self.owned: dict[bytes, int] = {}
        """How many entries each consumer has in here."""

    def copy(self, mark: Mark) -> "Chunk":
        other = Chunk(mark, self.nacks.copy())
        other.high = self.high
        other.owned = self.owned.copy()
        return other

    def put(self, entry_id: int, nack: Nack) -> None:
        """Add an entry that is not in here."""
        self.nacks[entry_id] = nack
        self.own(nack.owner, 1)
        if entry_id > self.high:
            self.high = entry_id
        else:
            self.nacks = {number: self.nacks[number] for number in sorted(self.nacks)}

    def own(self, owner: bytes, more: int) -> None:
        """``owner`` has so many entries more in here."""
        count = self.owned.get(owner, 0) + more
        if count:
            self.owned[owner] = count
        else:
            del self.owned[owner]

    def split(self) -> "Chunk":
        """The upper half of the entries goes into a chunk of its own."""
        numbers = list(self.nacks)
        upper = Chunk(self.mark, {})
        for number in numbers[len(numbers) // 2 :]:
            nack = self.nacks.pop(number)
            self.own(nack.owner, -1)
            upper.put(number, nack)
        self.high = numbers[len(numbers) // 2 - 1]
        return upper


class Pending:
    """``mark``: of the group that it belongs to."""

    def __init__(self, mark: Mark) -> None:
        self.mark: Mark = mark
        self.lows: list[int] = []
        """By chunk: no id in it is smaller, and none in the chunks before it is as large."""
        self.chunks: list[Chunk] = []
        self.count: int = 0

    def copy(self, mark: Mark) -> "Pending":
        other = Pending(mark)
        other.lows, other.chunks, other.count = self.lows.copy(), self.chunks.copy(), self.count
        return other

    def get(self, entry_id: int) -> Nack | None:
        index = bisect_right(self.lows, entry_id) - 1
        return self.chunks[index].nacks.get(entry_id) if index >= 0 else None

    def put(self, entry_id: int, nack: Nack) -> None:
        """Add an entry, or replace what is known of it."""
        index = max(bisect_right(self.lows, entry_id) - 1, 0)
        if not self.chunks:
            self._insert(0, entry_id, Chunk(self.mark, {}))
        chunk = self._writable(index)
        old = chunk.nacks.get(entry_id)
        if old is not None:
            chunk.nacks[entry_id] = nack
            chunk.own(nack.owner, 1)
            chunk.own(old.owner, -1)
            return
        if len(chunk.nacks) >= FULL:
            chunk = self._room(index, entry_id)
        elif entry_id < self.lows[index]:
            self.lows[index] = entry_id
        chunk.put(entry_id, nack)
        self.count += 1

    def remove(self, entry_id: int) -> Nack | None:
        """Take an entry out; what was known of it, None if it is not pending."""
        index = bisect_right(self.lows, entry_id) - 1
        if index < 0 or entry_id not in self.chunks[index].nacks:
            return None
        chunk = self._writable(index)
        nack = chunk.nacks.pop(entry_id)
        chunk.own(nack.owner, -1)
        self.count -= 1
        self._drop_if_empty(index)
        return nack

    def remove_of(self, owner: bytes) -> None:
        """Take out all that ``owner`` has."""
        for index in range(len(self.chunks) - 1, -1, -1):
            if owner in self.chunks[index].owned:
                chunk = self._writable(index)
                self.count -= chunk.owned.pop(owner)
                chunk.nacks = {number: nack for number, nack in chunk.nacks.items() if nack.owner != owner}
                self._drop_if_empty(index)

    def first(self) -> int:
        """The smallest id; there must be one."""
        return next(iter(self.chunks[0].nacks))

    def last(self) -> int:
        """The largest id; there must be one."""
        return next(reversed(self.chunks[-1].nacks))

    def _room(self, index: int, entry_id: int) -> Chunk:
        """A chunk with room for ``entry_id``, which belongs into the full one at ``index``."""
        chunk = self.chunks[index]
        if entry_id > chunk.high:
            fresh = Chunk(self.mark, {})
            self._insert(index + 1, entry_id, fresh)
            return fresh
        upper = chunk.split()
        low = next(iter(upper.nacks))
        self._insert(index + 1, low, upper)
        self.lows[index] = min(self.lows[index], entry_id)
        return upper if entry_id >= low else chunk

    def _insert(self, index: int, low: int, chunk: Chunk) -> None:
        self.chunks.insert(index, chunk)
        self.lows.insert(index, low)

    def _drop_if_empty(self, index: int) -> None:
        if not self.chunks[index].nacks:
            del self.chunks[index]
            del self.lows[index]

    def _writable(self, index: int) -> Chunk:
        """The chunk at ``index``, shared with no copy."""
        chunk = self.chunks[index]
        if chunk.mark is not self.mark:
            chunk = self.chunks[index] = chunk.copy(self.mark)
        return chunk


class PendingCursor:
    """Pending entries from ``first`` on, in the order of ids: ``next`` until it says False; ``id`` and ``nack``.

    ``owner``: of this consumer alone. The present entry may be removed or replaced meanwhile.
    """

    def __init__(self, pending: Pending, first: int, owner: bytes | None = None) -> None:
        self.pending: Pending = pending
        self.owner: bytes | None = owner
        self.id: int = first - 1
        self.nack: Nack = NONE
        self.ahead: list[int] = []
        """Ids of the present chunk that are still to come, the next one at the end."""

    def next(self) -> bool:
        while not self.ahead:
            if not self._open():
                return False
        self.id = self.ahead.pop()
        nack = self.pending.get(self.id)
        assert nack is not None, "only the present entry may go"
        self.nack = nack
        return True

    def _open(self) -> bool:
        """Read the ids of the next chunk that has one for us."""
        pending, owner, first = self.pending, self.owner, self.id + 1
        index = max(bisect_right(pending.lows, first) - 1, 0)
        while index < len(pending.chunks):
            chunk = pending.chunks[index]
            if chunk.high >= first and (owner is None or owner in chunk.owned):
                nacks = chunk.nacks
                self.ahead = [
                    number
                    for number, nack in nacks.items()
                    if number >= first and (owner is None or nack.owner == owner)
                ]
                if self.ahead:
                    self.ahead.reverse()
                    return True
            index += 1
        return False


NONE: Final = Nack(b"", 0, 0)
