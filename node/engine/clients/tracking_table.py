"""Which clients may have which keys in their caches: the invalidation table of client tracking.

It knows names and ids, and no database: as in Redis, a name is the same key in all of them. The keys are kept by slot,
outside of a cluster too: a slot that leaves the node is found at once, and a key that has to go without a search.
Ids of clients that have left stay until their keys change, or all are forgotten.
"""

from typing import Final, TypeAlias

from gossamer.cluster.slots import key_slot

Holders: TypeAlias = int | set[int]
"""Ids of clients. Most keys are read by one: a set of their own would cost each of them 200 bytes."""

PIECE: Final = 1000
"""Keys that are freed at once."""


class TrackingTable:
    def __init__(self) -> None:
        self.slots: dict[int, dict[bytes, Holders]] = {}
        self.keys: int = 0
        self.items: int = 0
        """Pairs of a key and a client."""
        self.garbage: list[dict[bytes, Holders]] = []
        """What was forgotten as a whole, and is freed in pieces."""

    def add(self, key: bytes, client_id: int) -> None:
        slot = key_slot(key)
        held = self.slots.get(slot)
        if held is None:
            held = self.slots[slot] = {}
        holders = held.get(key)
        if holders is None:
            held[key] = client_id
            self.keys += 1
        elif isinstance(holders, int):
            if holders == client_id:
                return
            held[key] = {holders, client_id}
        elif client_id in holders:
            return
        else:
            holders.add(client_id)
        self.items += 1

    def take(self, key: bytes) -> list[int]:
        """Who has ``key``; it is forgotten."""
        slot = key_slot(key)
        held = self.slots.get(slot)
        if held is None:
            return []
        holders = held.pop(key, None)
        if holders is None:
            return []
        if not held:
            del self.slots[slot]
        return self._forgotten(holders)

    def evict(self) -> tuple[bytes, list[int]]:
        """Forget some key, and who has it. The slots take turns."""
        slot = next(iter(self.slots))
        held = self.slots.pop(slot)
        key, holders = held.popitem()
        if held:
            self.slots[slot] = held
        return key, self._forgotten(holders)

    def keys_of(self, slot: int) -> list[bytes]:
        held = self.slots.get(slot)
        return [] if held is None else list(held)

    def clear(self) -> None:
        self.garbage += self.slots.values()
        self.slots = {}
        self.keys = 0
        self.items = 0

    def free(self) -> None:
        """A piece of the garbage."""
        last = self.garbage[-1]
        for _ in range(min(PIECE, len(last))):
            last.popitem()
        if not last:
            self.garbage.pop()

    def _forgotten(self, holders: Holders) -> list[int]:
        ids = [holders] if isinstance(holders, int) else list(holders)
        self.keys -= 1
        self.items -= len(ids)
        return ids
