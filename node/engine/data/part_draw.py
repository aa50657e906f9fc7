"""Parts of a database by chance, each with a chance by the number of its keys, so that all keys have the same.

A part is drawn evenly, and kept with a chance by its size beside the largest that was seen. That takes two tries where
the parts are alike. Where they are not, or there are few keys, all parts are looked at.
"""

from random import Random
from typing import Final

from gossamer.node.engine.data.database import Database

TRIES: Final = 50


class PartDraw:
    """Of one database. ``expiring``: only keys that expire count."""

    def __init__(self, expiring: bool) -> None:
        self.expiring: bool = expiring
        self.largest: int = 1

    def draw(self, db: Database, rng: Random) -> int:
        """A part. There are keys that count."""
        parts = db.part_count
        if (db.volatile if self.expiring else db.size) >= parts:
            for _ in range(TRIES):
                part = int(rng.random() * parts)
                size = self._size(db, part)
                if size > self.largest:
                    self.largest = size
                if rng.random() * self.largest < size:
                    return part
        return self._exact(db, rng)

    def _exact(self, db: Database, rng: Random) -> int:
        parts = db.expiring_parts() if self.expiring else db.open_parts()
        sizes = [self._size(db, part) for part in parts]
        self.largest = max(sizes)
        return rng.choices(parts, sizes)[0]

    def _size(self, db: Database, part: int) -> int:
        return db.volatile_of(part) if self.expiring else db.size_of(part)
