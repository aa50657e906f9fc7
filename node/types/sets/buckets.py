"""Members of a large set in packs, by their hash: about ``FILL`` in each at most.

A pack never changes but is replaced, so a copy shares all of them and costs a list of references. When there are too
many members one pack is divided between itself and a new one (linear hashing), and when there are few the last one goes
back to where it came from: no change costs more than a few packs, however many there are.
"""

from random import Random
from typing import TYPE_CHECKING, Final

from gossamer.node.types.kind import DONE, STEP
from gossamer.node.types.reverse import BITS, reverse
from gossamer.node.types.sets.pack import (
    LONGEST,
    OBJECT,
    Pack,
    cut,
    holds,
    joined,
    members_of,
    minus,
    nth,
    pack_of,
    plus,
)

if TYPE_CHECKING:
    from mypy_extensions import i64

FILL: Final = 16
SPARSE: Final = 4
"""Fewer members in a bucket than this, on average, are too few."""
BUCKET: Final = 64
"""Bytes that a bucket takes beside its members."""
VAIN: Final = 64
"""So many draws in vain say that ``fullest`` is out of date."""


class Buckets:
    """Without repetitions. ``members``: those it has at first, which are all different."""

    def __init__(self, members: list[bytes]) -> None:
        count = len(members) // FILL + 1
        self.mask: int = (1 << (count - 1).bit_length()) - 1
        """All bits of a hash that say something about the bucket."""
        self.packs: list[Pack] = []
        self.counts: list[int] = []
        """Members by bucket."""
        self.count: int = len(members)
        self.bytes: int = 0
        self.fullest: int = 0
        """No bucket has more members."""
        self._fill(members, count)

    def _fill(self, members: list[bytes], count: int) -> None:
        if count == 1:
            self.packs.append(pack_of(members))
            self.counts.append(len(members))
        else:
            sorted_: list[list[bytes]] = [[] for _ in range(count)]
            mask: i64 = self.mask
            for member in members:
                index: i64 = hash(member) & mask
                sorted_[index if index < count else index & mask >> 1].append(member)
            for some in sorted_:
                self.packs.append(pack_of(some))
                self.counts.append(len(some))
        for member in members:
            self.bytes += cost(member)
        self.fullest = max(self.counts)

    # --- one member

    def index_of(self, member: bytes) -> int:
        """The bucket of ``member``: those behind half of ``mask`` may not be divided yet."""
        mask: i64 = self.mask
        index: i64 = hash(member) & mask
        return index if index < len(self.packs) else index & mask >> 1

    def holds(self, member: bytes) -> bool:
        return holds(self.packs[self.index_of(member)], member)

    def add(self, member: bytes) -> bool:
        """False if it was there."""
        index = self.index_of(member)
        pack = self.packs[index]
        if holds(pack, member):
            return False
        self.packs[index] = plus(pack, member)
        count = self.counts[index] + 1
        self.counts[index] = count
        if count > self.fullest:
            self.fullest = count
        self.count += 1
        self.bytes += cost(member)
        if self.count > FILL * len(self.packs):
            self._divide()
        return True

    def remove(self, member: bytes) -> bool:
        """False if it was not there."""
        index = self.index_of(member)
        pack = self.packs[index]
        rest = minus(pack, member)
        if rest is pack:
            return False
        self._removed(index, rest, member)
        return True

    def draw(self, rng: Random) -> bytes:
        """A member by chance, all with the same."""
        index, place = self._draw(rng)
        return nth(self.packs[index], place)

    def pop(self, rng: Random) -> bytes:
        """As ``draw``, and remove it."""
        index, place = self._draw(rng)
        pack = self.packs[index]
        member = nth(pack, place)
        self._removed(index, cut(pack, place), member)
        return member

    def _removed(self, index: int, rest: Pack, member: bytes) -> None:
        self.packs[index] = rest
        self.counts[index] -= 1
        self.count -= 1
        self.bytes -= cost(member)
        if self.count < SPARSE * len(self.packs) and len(self.packs) > 1:
            self._unite()

    def _draw(self, rng: Random) -> tuple[int, int]:
        """A bucket and a place in it: as if all were as full as the fullest, until a place is hit that has a member."""
        assert self.count
        vain = 0
        while True:
            fullest = self.fullest
            spot = int(rng.random() * (len(self.packs) * fullest))
            index = spot // fullest
            place = spot - index * fullest
            if place < self.counts[index]:
                return index, place
            vain += 1
            if vain == VAIN:
                self.fullest = max(self.counts)

    # --- more and fewer buckets

    def _divide(self) -> None:
        new = len(self.packs)
        if new > self.mask:
            self.mask = self.mask << 1 | 1
        old = new & self.mask >> 1
        mask = self.mask
        stay: list[bytes] = []
        move: list[bytes] = []
        for member in members_of(self.packs[old]):
            if hash(member) & mask == new:
                move.append(member)
            else:
                stay.append(member)
        self.packs[old] = pack_of(stay)
        self.counts[old] = len(stay)
        self.packs.append(pack_of(move))
        self.counts.append(len(move))

    def _unite(self) -> None:
        last = len(self.packs) - 1
        old = last & self.mask >> 1
        if last == self.mask + 1 >> 1:
            self.mask >>= 1
        self.packs[old] = joined(self.packs[old], self.packs.pop())
        count = self.counts[old] + self.counts.pop()
        self.counts[old] = count
        self.fullest = max(self.fullest, count)

    # --- many members

    def step(self, at: int) -> tuple[list[bytes], int]:
        """The members of the next buckets from number ``at`` on, at most ``STEP``; and the next position."""
        found: list[bytes] = []
        while at < len(self.packs) and (not found or len(found) + self.counts[at] <= STEP):
            put_members(self.packs[at], found)
            at += 1
        return found, at if at < len(self.packs) else DONE

    def members(self) -> list[bytes]:
        found: list[bytes] = []
        for pack in self.packs:
            put_members(pack, found)
        return found

    def scan(self, cursor: int, most: int) -> tuple[int, list[bytes]]:
        """About ``most`` members from ``cursor`` on, and the next cursor, 0 after the last.

        The order is that of the hashes read backwards, from the lowest bit up: a bucket has a run of it, and if it is
        divided both halves have a run of that. So who is there all along is returned, however the set grows or shrinks.
        """
        found: list[bytes] = []
        position = min(cursor, (1 << BITS) - 1)
        while position < 1 << BITS and len(found) < most:
            index = reverse(position) & self.mask
            bits = self.mask.bit_length()
            if index | (self.mask + 1 >> 1) >= len(self.packs):  # two halves that are one bucket yet
                index &= self.mask >> 1
                bits -= 1
            put_members(self.packs[index], found)
            run = BITS - bits
            position = ((position >> run) + 1) << run
        return position & (1 << BITS) - 1, found

    def copy(self) -> "Buckets":
        other = Buckets([])
        other.mask = self.mask
        other.packs = self.packs.copy()
        other.counts = self.counts.copy()
        other.count = self.count
        other.bytes = self.bytes
        other.fullest = self.fullest
        return other

    def free(self, most: int) -> None:
        """Let go of about ``most`` members, of one bucket at least. It is of no other use afterwards."""
        freed = 0
        while self.packs and (not freed or freed + self.counts[-1] <= most):
            self.packs.pop()
            freed += self.counts.pop()
        self.count -= freed


def put_members(pack: Pack, into: list[bytes]) -> None:
    into += members_of(pack)


def cost(member: bytes) -> int:
    """Bytes that it takes in a pack."""
    return 1 + len(member) if len(member) <= LONGEST else OBJECT + len(member)
