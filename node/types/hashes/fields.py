"""The large form of a hash: fields and values in many small shards, by the hash of the field.

When there are too many fields for the shards, one of them is divided between itself and a new one (linear hashing), and
when there are too few the last one goes back to where it came from. So no change costs more than two shards, however
many there are, and a copy shares them all.

``now`` in the methods below counts only where fields expire (``expiring.py``). Its fields that are over are not seen
then; 0 sees them all.
"""

from random import Random
from typing import TYPE_CHECKING, Final

from mypy_extensions import mypyc_attr

from gossamer.node.types.hashes import packed as small
from gossamer.node.types.hashes.packed import LONGEST, find
from gossamer.node.types.hashes.shard import (
    EMPTY,
    LOOSE_PAIR,
    PACKED_PAIR,
    Loose,
    Mark,
    Shard,
    cost,
    nth,
    pairs_of,
    shard_of,
    value_in,
)
from gossamer.node.types.kind import DONE, NEVER, STEP
from gossamer.node.types.reverse import BITS, reverse

if TYPE_CHECKING:
    from mypy_extensions import i64

FILL: Final = 16
"""Fields in a shard, about: one that waits for its division has up to twice as many."""
SPARSE: Final = FILL // 4
"""With fewer fields in a shard, shards are joined."""
TRIES: Final = 1000


@mypyc_attr(acyclic=True, allow_interpreted_subclasses=True)
class Fields:
    """``listpack``: it is as small as a listpack may be, and OBJECT ENCODING says so."""

    def __init__(self) -> None:
        self.mark: Mark = Mark()
        self.shards: list[Shard] = [EMPTY]
        self.counts: list[int] = [0]
        """Fields by shard."""
        self.mask: int = 0
        """All bits of a hash that say something about the shard."""
        self.length: int = 0
        self.bytes: int = 0
        self.widest: int = 0
        """No shard has more fields."""
        self.listpack: bool = False
        self.expiring: int = 0
        """How many fields expire: of these here none."""

    def index_of(self, field: bytes) -> int:
        """The shard of ``field``: those behind half of ``mask`` may not be divided yet."""
        mask: i64 = self.mask
        index: i64 = hash(field) & mask
        return index if index < len(self.shards) else index & mask >> 1

    # --- one field

    def get(self, field: bytes, now: int) -> bytes | None:
        return value_in(self.shards[self.index_of(field)], field)

    def put(self, field: bytes, value: bytes) -> bool:
        """True if the field is new."""
        index = self.index_of(field)
        shard = self.shards[index]
        if isinstance(shard, bytes) and len(field) <= LONGEST and len(value) <= LONGEST:
            at = find(shard, field)
            if at >= 0:
                self.bytes += len(value) - shard[at + 1 + len(field)]
                self.shards[index] = small.put(shard, at, field, value)
                return False
            self.shards[index] = small.put(shard, at, field, value)
            self._added(index, len(field) + len(value) + PACKED_PAIR)
            return True
        pairs = self.loose(index).pairs
        old = pairs.get(field)
        pairs[field] = value
        if old is not None:
            self.bytes += len(value) - len(old)
            return False
        self._added(index, len(field) + len(value) + LOOSE_PAIR)
        return True

    def _added(self, index: int, size: int) -> None:
        self.length += 1
        self.bytes += size
        count = self.counts[index] + 1
        self.counts[index] = count
        if count > self.widest:
            self.widest = count
        if self.length > FILL * len(self.shards):
            self.divide()

    def remove(self, field: bytes) -> bool:
        """True if it was there."""
        index = self.index_of(field)
        shard = self.shards[index]
        if isinstance(shard, bytes):
            at = find(shard, field) if len(field) <= LONGEST else -1
            if at < 0:
                return False
            rest = small.remove(shard, at)
            self.shards[index] = rest
            self.bytes -= len(shard) - len(rest) + PACKED_PAIR - 2
        else:
            if field not in shard.pairs:
                return False
            value = self.loose(index).pairs.pop(field)
            self.bytes -= len(field) + len(value) + LOOSE_PAIR
        self.length -= 1
        self.counts[index] -= 1
        if self.length < SPARSE * len(self.shards) and len(self.shards) > 1:
            self.join()
        return True

    def loose(self, index: int) -> Loose:
        """A shard as a dictionary that no copy shares."""
        shard = self.shards[index]
        if isinstance(shard, Loose):
            if shard.mark is self.mark:
                return shard
            made = Loose(self.mark, shard.pairs.copy())
        else:
            texts = small.pairs(shard)
            made = Loose(self.mark, dict(zip(texts[::2], texts[1::2], strict=True)))
            self.bytes += len(made.pairs) * (LOOSE_PAIR - PACKED_PAIR)
        self.shards[index] = made
        return made

    # --- growing and shrinking

    def divide(self) -> int:
        """A shard keeps some of its fields, and a new one behind all others gets the rest; the number of the first."""
        new = len(self.shards)
        if new > self.mask:
            self.mask = self.mask << 1 | 1
        old = new & self.mask >> 1
        mask: i64 = self.mask
        wanted: i64 = new
        stay: list[bytes] = []
        move: list[bytes] = []
        shard = self.shards[old]
        texts = pairs_of(shard)
        for at in range(0, len(texts), 2):
            side = move if hash(texts[at]) & mask == wanted else stay
            side.append(texts[at])
            side.append(texts[at + 1])
        self.shards.append(EMPTY)
        self.counts.append(0)
        self._set(old, shard_of(self.mark, stay), len(stay) // 2)
        self._set(new, shard_of(self.mark, move), len(move) // 2)
        if isinstance(shard, Loose):
            self.bytes += cost(self.shards[old]) + cost(self.shards[new]) - cost(shard)
        return old

    def join(self) -> int:
        """The last shard goes back to where its fields came from; the number of that one."""
        last = len(self.shards) - 1
        old = last & self.mask >> 1
        if last == self.mask + 1 >> 1:
            self.mask >>= 1
        one, other = self.shards[old], self.shards.pop()
        count = self.counts[old] + self.counts.pop()
        self._set(old, shard_of(self.mark, pairs_of(one) + pairs_of(other)), count)
        if isinstance(one, Loose) or isinstance(other, Loose):
            self.bytes += cost(self.shards[old]) - cost(one) - cost(other)
        self.widest = max(self.widest, count)
        return old

    def _set(self, index: int, shard: Shard, count: int) -> None:
        self.shards[index] = shard
        self.counts[index] = count

    # --- all of them

    def pairs(self, at: int, now: int) -> tuple[list[bytes], int]:
        """Fields and values in turn, of the shards from number ``at`` on, about ``STEP`` fields; the next position."""
        found: list[bytes] = []
        room = STEP
        while at < len(self.shards):
            room -= self.counts[at]
            if room < 0 and found:
                return found, at
            self.add_shard(at, now, found)
            at += 1
        return found, DONE

    def add_shard(self, index: int, now: int, found: list[bytes]) -> None:
        found += pairs_of(self.shards[index])

    def scan(self, cursor: int, most: int) -> tuple[int, list[bytes]]:
        """Go on with a walk: its next cursor, 0 at the end, and about ``most`` fields.

        The order is that of the hashes read backwards, from the lowest bit up: a shard has a run of it, and if it is
        divided both halves have a run of that. So who is there all along is returned, however the hash changes.
        """
        found: list[bytes] = []
        position = min(cursor, (1 << BITS) - 1)
        while position < 1 << BITS and len(found) < most:
            index = reverse(position) & self.mask
            bits = self.mask.bit_length()
            if index | (self.mask + 1 >> 1) >= len(self.shards):  # two halves that are one shard yet
                index &= self.mask >> 1
                bits -= 1
            found += pairs_of(self.shards[index])[::2]
            run = BITS - bits
            position = ((position >> run) + 1) << run
        return position & (1 << BITS) - 1, found

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
        for _ in range(TRIES):
            index = int(rng.random() * len(self.shards))
            place = int(rng.random() * self.widest)
            if place < self.counts[index]:
                return nth(self.shards[index], place)
        return self.draw_counting(rng)

    def draw_counting(self, rng: Random) -> bytes:
        """As ``draw``, in a time by the number of shards: for those of very unlike sizes."""
        place = int(rng.random() * self.length)
        for index, count in enumerate(self.counts):
            if place < count:
                return nth(self.shards[index], place)
            place -= count
        raise AssertionError("the shards have fewer fields than are counted")

    # --- as a whole

    def copy(self) -> "Fields":
        other = Fields()
        self.share_with(other)
        return other

    def share_with(self, other: "Fields") -> None:
        """``other``, which is empty, has the same shards from now on."""
        self.mark = Mark()
        other.shards, other.counts = self.shards.copy(), self.counts.copy()
        other.mask = self.mask
        other.length, other.bytes, other.widest = self.length, self.bytes, self.widest
        other.listpack = self.listpack

    def free(self, most: int) -> int:
        """Let go of about so many fields, at least of one shard; how many are left. Nothing else may follow."""
        while most > 0 and self.length:
            self.shards.pop()
            gone = self.counts.pop()
            self.length -= gone
            most -= gone
        return self.length
