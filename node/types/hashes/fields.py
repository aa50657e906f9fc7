"""The large form of a hash: fields and values in many small dictionaries, the shards.

A shard has the fields of a range of hashes, and the shards stand in the order of their ranges. When there are too many
fields for the shards, one shard after the other is divided, from the first to the last, with the fields that come
(linear hashing); when there are too few, the pairs are joined again in the reverse order. So no change costs more than
two shards, and a walk by hashes finds every field that is there from its beginning to its end.

A copy shares the shards. Each of the two then replaces a shard that it shares before it changes it.

``now`` in the methods below counts only where fields expire (``expiring.py``). Its fields that are over are not seen
then; 0 sees them all.
"""

from binascii import crc32
from itertools import islice
from random import Random
from sys import getsizeof
from typing import Final

from mypy_extensions import mypyc_attr

from gossamer.node.types.kind import DONE, NEVER, STEP

FILL: Final = 80
"""Fields in a shard, about: a shard that waits for its division has up to twice as many."""
SPARSE: Final = FILL // 4
"""With fewer fields in a shard, shards are joined."""
BITS: Final = 32
"""Of a hash: CRC-32. Fields that are made to have the same one end up in one large dictionary, which is no harm."""
END: Final = 1 << BITS
OVERHEAD: Final = 2 * getsizeof(b"") + 40
"""Bytes of a field and its value beside their own: two objects, and an entry of a dictionary."""
TRIES: Final = 1000

Shard = dict[bytes, bytes]


@mypyc_attr(acyclic=True, allow_interpreted_subclasses=True)
class Fields:
    """``listpack``: it is as small as a listpack may be, and OBJECT ENCODING says so."""

    def __init__(self) -> None:
        self.shards: list[Shard] = [{}]
        self.own: list[bool] = [True]
        """By shard: no copy shares it."""
        self.shift: int = BITS - 1
        """How many bits of a hash stand behind those that number the divided shards."""
        self.divided: int = 0
        """Pairs of shards, from the first on, that were one before."""
        self.length: int = 0
        self.bytes: int = 0
        self.widest: int = 0
        """No shard has more fields."""
        self.listpack: bool = False
        self.expiring: int = 0
        """How many fields expire: of these here none."""

    # --- which shard

    def index_of(self, field: bytes) -> int:
        if len(self.shards) == 1:
            return 0
        return self.index_by(crc32(field))

    def index_by(self, number: int) -> int:
        """The shard of a hash."""
        fine = number >> self.shift
        return fine if fine < 2 * self.divided else (fine >> 1) + self.divided

    def begin_of(self, index: int) -> int:
        """The least hash of a shard; ``END`` behind the last."""
        if index < 2 * self.divided:
            return index << self.shift
        return (index - self.divided) << (self.shift + 1)

    # --- one field

    def get(self, field: bytes, now: int) -> bytes | None:
        return self.shards[self.index_of(field)].get(field)

    def put(self, field: bytes, value: bytes) -> bool:
        """True if the field is new."""
        index = self.index_of(field)
        shard = self.shards[index] if self.own[index] else self.replace(index)
        old = shard.get(field)
        shard[field] = value
        if old is not None:
            self.bytes += len(value) - len(old)
            return False
        self.length += 1
        self.bytes += len(field) + len(value) + OVERHEAD
        if len(shard) > self.widest:
            self.widest = len(shard)
        if self.length > FILL * len(self.shards):
            self.divide()
        return True

    def remove(self, field: bytes) -> bool:
        """True if it was there."""
        index = self.index_of(field)
        if field not in self.shards[index]:
            return False
        shard = self.shards[index] if self.own[index] else self.replace(index)
        value = shard.pop(field)
        self.length -= 1
        self.bytes -= len(field) + len(value) + OVERHEAD
        if self.length < SPARSE * len(self.shards) and len(self.shards) > 1:
            self.join()
        return True

    def replace(self, index: int) -> Shard:
        """The shard, which a copy shares, as one of our own."""
        assert not self.own[index]
        shard = self.shards[index] = self.shards[index].copy()
        self.own[index] = True
        return shard

    # --- growing and shrinking

    def divide(self) -> None:
        """The next shard becomes two."""
        index = 2 * self.divided
        middle = self.begin_of(index) + (1 << self.shift)
        lower: Shard = {}
        upper: Shard = {}
        for field, value in self.shards[index].items():
            if crc32(field) < middle:
                lower[field] = value
            else:
                upper[field] = value
        self.shards[index] = lower
        self.shards.insert(index + 1, upper)
        self.own[index] = True
        self.own.insert(index + 1, True)
        self.divided += 1
        if 2 * self.divided == len(self.shards):
            self.divided = 0
            self.shift -= 1

    def join(self) -> None:
        """The last two that were divided become one again."""
        if self.divided == 0:
            self.divided = len(self.shards) // 2
            self.shift += 1
        self.divided -= 1
        index = 2 * self.divided
        shard = self.shards[index] | self.shards[index + 1]
        self.shards[index] = shard
        del self.shards[index + 1]
        self.own[index] = True
        del self.own[index + 1]
        self.widest = max(self.widest, len(shard))

    # --- all of them

    def pairs(self, at: int, now: int) -> tuple[list[bytes], int]:
        """Fields and values in turn, of the shards from number ``at`` on, about ``STEP`` fields; the next position."""
        found: list[bytes] = []
        room = STEP
        while at < len(self.shards):
            size = len(self.shards[at])
            if size > room and found:
                return found, at
            self.add_shard(at, now, found)
            room -= size
            at += 1
        return found, DONE

    def add_shard(self, index: int, now: int, found: list[bytes]) -> None:
        for field, value in self.shards[index].items():
            found.append(field)
            found.append(value)

    def scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """Go on with a walk through the hashes: its next cursor, 0 at the end, and about ``count`` fields.

        A cursor is the least hash that the walk has not seen.
        """
        found: list[bytes] = []
        if cursor >= END:
            return 0, found
        index = self.index_by(cursor)
        while index < len(self.shards):
            shard = self.shards[index]
            room = count - len(found)
            if cursor <= self.begin_of(index) and len(shard) <= room:
                found += shard
            else:
                cursor = take(shard, cursor, room, found)
                if cursor:
                    return cursor, found
            index += 1
            cursor = self.begin_of(index)
            if len(found) >= count:
                break
        return (cursor if cursor < END else 0), found

    # --- when fields expire: none of these does

    def end(self, field: bytes) -> int:
        """When ``field`` expires, in unix milliseconds; ``NEVER`` also if it is not there."""
        return NEVER

    def soonest(self) -> int:
        """No field expires before this; ``NEVER`` if none does."""
        return NEVER

    def persist(self, field: bytes) -> bool:
        """``field`` expires no more; True if it did."""
        return False

    def expire(self, now: int, most: int) -> list[bytes]:
        """Take out about ``most`` of the fields that are over, or all; their names."""
        return []

    # --- by chance

    def draw(self, rng: Random) -> bytes:
        """A field, each with the same chance; there is one. It may be over."""
        assert self.length
        shards = self.shards
        for _ in range(TRIES):
            shard = shards[int(rng.random() * len(shards))]
            place = int(rng.random() * self.widest)
            if place < len(shard):
                return next(islice(shard, place, None))
        return self.draw_counting(rng)

    def draw_counting(self, rng: Random) -> bytes:
        """As ``draw``, in a time by the number of shards: for those of very unlike sizes."""
        place = int(rng.random() * self.length)
        for shard in self.shards:
            if place < len(shard):
                return next(islice(shard, place, None))
            place -= len(shard)
        raise AssertionError("the shards have fewer fields than are counted")

    # --- as a whole

    def copy(self) -> "Fields":
        other = Fields()
        self.share_with(other)
        return other

    def share_with(self, other: "Fields") -> None:
        """``other``, which is empty, has the same shards from now on."""
        other.shards = self.shards.copy()
        other.own = [False] * len(other.shards)
        self.own = [False] * len(other.shards)
        other.shift, other.divided = self.shift, self.divided
        other.length, other.bytes, other.widest = self.length, self.bytes, self.widest
        other.listpack = self.listpack

    def free(self, most: int) -> int:
        """Let go of about so many fields, at least of one shard; how many are left. Nothing else may follow."""
        while most > 0 and self.length:
            gone = len(self.shards.pop())
            self.length -= gone
            most -= gone
        return self.length


def take(shard: Shard, cursor: int, count: int, found: list[bytes]) -> int:
    """Add about ``count`` fields to ``found``, by their hashes from ``cursor`` on; the next cursor, 0 at the end."""
    ordered: list[tuple[int, bytes]] = []
    for field in shard:
        number = crc32(field)
        if number >= cursor:
            ordered.append((number, field))
    ordered.sort()
    last = cursor
    for at in range(len(ordered)):
        number, field = ordered[at]
        if at >= count and number != last:
            return number
        last = number
        found.append(field)
    return 0
