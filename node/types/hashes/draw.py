"""Fields of a hash drawn at random, each with the same chance."""

from random import Random
from typing import Final

from gossamer.node.types.hashes.hash import Hash

FEW: Final = 3
"""If a draw of different fields wants more than one in so many, all are looked at; else they are drawn one by one."""
TRIES: Final = 100
"""Draws in a row that hit a field which is over, before those that are not are looked for."""


class Draw:
    """From ``value``, which must not change meanwhile. Fields that are over at ``now`` are not drawn."""

    def __init__(self, value: Hash, rng: Random, now: int) -> None:
        self.value: Hash = value
        self.rng: Random = rng
        self.now: int = now
        self.names: list[bytes] | None = None
        """All that can be drawn, if they have been looked at."""
        if value.fields is None:
            self.look()

    def look(self) -> list[bytes]:
        self.names = self.value.all_pairs(self.now)[::2]
        return self.names

    def times(self, count: int) -> list[bytes]:
        """``count`` draws, none of which changes the chances of the others; nothing if there is nothing to draw."""
        found: list[bytes] = []
        while len(found) < count:
            field = self.draw()
            if field is None:
                break
            found.append(field)
        return found

    def different(self, count: int) -> list[bytes]:
        """``count`` fields, or all if there are no more."""
        names = self.names
        if names is None and (self.value.expires or count * FEW > self.value.length):
            names = self.look()
        if names is not None:
            return names if count >= len(names) else self.rng.sample(names, count)
        found: dict[bytes, None] = {}
        while len(found) < count:
            field = self.draw()
            assert field is not None
            found[field] = None
        return list(found)

    def draw(self) -> bytes | None:
        names, fields = self.names, self.value.fields
        if names is None:
            assert fields is not None
            for _ in range(TRIES):
                field = fields.draw(self.rng)
                if fields.get(field, self.now) is not None:
                    return field
            names = self.look()
        return names[int(self.rng.random() * len(names))] if names else None
