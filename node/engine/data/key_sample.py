"""Keys of a database by chance: what a choice by use looks at instead of all keys."""

from random import Random

from gossamer.node.engine.data.database import Database
from gossamer.node.engine.data.part_draw import PartDraw


class KeySample:
    """``rng``: chance that nothing else moves."""

    def __init__(self) -> None:
        self.rng: Random = Random(0)
        self.draws: dict[int, PartDraw] = {}
        """By the index of a database."""

    def of(self, db: Database, count: int, expiring: bool) -> list[tuple[bytes, int, int]]:
        """``count`` keys, or as many as there are, with stamp and expire time of each; one may come several times.

        ``expiring``: only of those that expire.
        """
        rng = self.rng
        draw = self.draws.get(db.index)
        if draw is None or draw.expiring != expiring:
            draw = self.draws[db.index] = PartDraw(expiring)
        count = min(count, db.volatile if expiring else db.size)
        found: list[tuple[bytes, int, int]] = []
        while len(found) < count:  # a part may have fewer keys
            found += db.sample(draw.draw(db, rng), rng.getrandbits(64), count - len(found), expiring)
        return found
