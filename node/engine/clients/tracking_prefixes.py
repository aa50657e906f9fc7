"""Client tracking with BCAST: which clients want to know of which prefixes, and what has changed in this turn."""

from typing import Final

NOBODY: Final = 0
"""No client has this id."""


class Prefix:
    """Those who are told of keys that begin with one ``prefix``."""

    def __init__(self) -> None:
        self.clients: list[int] = []
        self.changed: dict[bytes, int] = {}
        """Keys, with the id of the client that has changed each last."""

    def take(self) -> dict[bytes, int]:
        """The changed keys in order, which are told now."""
        changed, self.changed = self.changed, {}
        return {key: changed[key] for key in sorted(changed)}


class Prefixes:
    def __init__(self) -> None:
        self.by_name: dict[bytes, Prefix] = {}
        self.changed: bool = False
        """There is something to tell."""

    def __len__(self) -> int:
        return len(self.by_name)

    def add(self, name: bytes, client_id: int) -> None:
        found = self.by_name.get(name)
        if found is None:
            found = self.by_name[name] = Prefix()
        if client_id not in found.clients:
            found.clients.append(client_id)

    def remove(self, name: bytes, client_id: int) -> None:
        """``client_id`` is told no more; it was until now."""
        found = self.by_name[name]
        found.clients.remove(client_id)
        if not found.clients:
            del self.by_name[name]

    def note(self, key: bytes, client_id: int) -> None:
        """``key`` was changed by that client, or by ``NOBODY``."""
        for name, prefix in self.by_name.items():
            if key.startswith(name):
                prefix.changed[key] = client_id
                self.changed = True

    def take(self) -> list[Prefix]:
        """Those with keys to tell of, in the order of their names."""
        self.changed = False
        named = [self.by_name[name] for name in sorted(self.by_name)]
        return [prefix for prefix in named if prefix.changed]


def overlap(one: bytes, other: bytes) -> bool:
    """Could a key begin with both?"""
    return one.startswith(other) or other.startswith(one)
