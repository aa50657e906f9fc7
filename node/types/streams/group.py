"""A consumer group: how far it has read, who reads, and what is pending."""

from gossamer.node.types.streams.node import Mark
from gossamer.node.types.streams.pending import Nack, Pending

NEVER: int = -1
"""The time of something that has not happened yet."""
UNKNOWN: int = -1
"""``entries_read`` where it cannot be told."""


class Extent:
    """What the groups of one stream hold together."""

    def __init__(self, pending: int = 0, consumers: int = 0) -> None:
        self.pending: int = pending
        self.consumers: int = consumers


class Consumer:
    """``seen_ms``: when it asked for something last; ``active_ms``: when it was given something (unix milliseconds)."""

    def __init__(self, mark: Mark, name: bytes, seen_ms: int, active_ms: int = NEVER) -> None:
        self.mark: Mark = mark
        self.name: bytes = name
        self.seen_ms: int = seen_ms
        self.active_ms: int = active_ms
        self.pending: int = 0
        """Entries of its own that are pending."""

    def copy(self, mark: Mark) -> "Consumer":
        other = Consumer(mark, self.name, self.seen_ms, self.active_ms)
        other.pending = self.pending
        return other


class Group:
    """``entries_read``: how many entries were ever added up to ``last_id``, or ``UNKNOWN``."""

    def __init__(self, mark: Mark, extent: Extent, name: bytes, last_id: int, entries_read: int) -> None:
        self.mark: Mark = mark
        self.extent: Extent = extent
        self.name: bytes = name
        self.last_id: int = last_id
        self.entries_read: int = entries_read
        self.consumers: dict[bytes, Consumer] = {}
        self.pending: Pending = Pending(mark)

    def copy(self, mark: Mark, extent: Extent) -> "Group":
        other = Group(mark, extent, self.name, self.last_id, self.entries_read)
        other.consumers = self.consumers.copy()
        other.pending = self.pending.copy(mark)
        return other

    # --- consumers

    def add_consumer(self, name: bytes, now: int) -> Consumer:
        assert name not in self.consumers
        consumer = self.consumers[name] = Consumer(self.mark, name, now)
        self.extent.consumers += 1
        return consumer

    def consumer(self, name: bytes) -> Consumer | None:
        """To be changed; None if there is none."""
        found = self.consumers.get(name)
        if found is not None and found.mark is not self.mark:
            found = self.consumers[name] = found.copy(self.mark)
        return found

    def remove_consumer(self, name: bytes) -> int:
        """With what it has pending: how many entries that was."""
        consumer = self.consumers[name]
        count = consumer.pending
        if count:
            self.pending.remove_of(name)
            self.extent.pending -= count
        del self.consumers[name]
        self.extent.consumers -= 1
        return count

    # --- pending entries

    def assign(self, entry_id: int, owner: Consumer, delivered_ms: int, deliveries: int) -> None:
        """The entry is pending with ``owner`` now, whoever had it before."""
        assert owner.mark is self.mark
        old = self.pending.get(entry_id)
        self.pending.put(entry_id, Nack(owner.name, delivered_ms, deliveries))
        if old is not None and old.owner == owner.name:
            return
        owner.pending += 1
        if old is None:
            self.extent.pending += 1
        else:
            self._lose(old.owner)

    def own(self, entry_id: int, owner: Consumer, delivered_ms: int, deliveries: int) -> None:
        """``owner`` is the first to have the entry, which has been put among the pending ones for nobody."""
        self.pending.put(entry_id, Nack(owner.name, delivered_ms, deliveries))
        owner.pending += 1
        self.extent.pending += 1

    def acknowledge(self, entry_id: int) -> bool:
        """The entry is no longer pending; was it?"""
        nack = self.pending.remove(entry_id)
        if nack is None:
            return False
        self.extent.pending -= 1
        self._lose(nack.owner)
        return True

    def _lose(self, name: bytes) -> None:
        consumer = self.consumer(name)
        assert consumer is not None
        consumer.pending -= 1
