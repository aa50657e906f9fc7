"""The large form of a hash of which some fields expire.

Beside each shard stand the ends of its fields, in unix milliseconds, and what the soonest of them may be. A field lives
through the millisecond that it ends in, as a key does.
"""

from typing import Final

from mypy_extensions import mypyc_attr

from gossamer.node.types.hashes.fields import Fields
from gossamer.node.types.hashes.shard import Mark, pairs_of, value_in
from gossamer.node.types.kind import NEVER

LATE: Final = 1 << 63
"""Later than any end."""
END_SIZE: Final = 72
"""Bytes of an end: an integer, and an entry of a dictionary."""


@mypyc_attr(acyclic=True)
class Expires:
    """``at``: the ends of some fields of a shard. A form with another mark copies it before a change."""

    def __init__(self, mark: Mark, at: dict[bytes, int]) -> None:
        self.mark: Mark = mark
        self.at: dict[bytes, int] = at


NONE: Final = Expires(Mark(), {})
"""Of a shard of which no field expires."""


@mypyc_attr(acyclic=True, allow_interpreted_subclasses=True)
class ExpiringFields(Fields):
    def __init__(self) -> None:
        super().__init__()
        self.ends: list[Expires] = [NONE]
        """By shard."""
        self.firsts: list[int] = [LATE]
        """By shard: no field of it ends before this."""

    # --- one field

    def end(self, field: bytes) -> int:
        return self.ends[self.index_of(field)].at.get(field, NEVER)

    def get(self, field: bytes, now: int) -> bytes | None:
        index = self.index_of(field)
        value = value_in(self.shards[index], field)
        if value is not None and self.firsts[index] < now and self.ends[index].at.get(field, LATE) < now:
            return None
        return value

    def set_end(self, field: bytes, at: int) -> None:
        """``field``, which is there, expires ``at``."""
        assert at >= 0
        index = self.index_of(field)
        ends = self.own_ends(index)
        if field not in ends:
            self.expiring += 1
            self.bytes += END_SIZE
        ends[field] = at
        self.firsts[index] = min(self.firsts[index], at)

    def persist(self, field: bytes) -> bool:
        index = self.index_of(field)
        if field not in self.ends[index].at:
            return False
        del self.own_ends(index)[field]
        self.expiring -= 1
        self.bytes -= END_SIZE
        return True

    def own_ends(self, index: int) -> dict[bytes, int]:
        """The ends of a shard's fields, to be changed."""
        ends = self.ends[index]
        if ends.mark is not self.mark:
            ends = self.ends[index] = Expires(self.mark, ends.at.copy())
        return ends.at

    def remove(self, field: bytes) -> bool:
        self.persist(field)
        return super().remove(field)

    # --- all of them

    def soonest(self) -> int:
        return min(self.firsts) if self.expiring else NEVER

    def expire(self, now: int, most: int) -> list[bytes]:
        gone: list[bytes] = []
        for index in range(len(self.firsts)):
            if self.firsts[index] < now:
                gone += self.expire_shard(index, now)
                if len(gone) >= most:
                    break
        for field in gone:
            self.remove(field)
        return gone

    def expire_shard(self, index: int, now: int) -> list[bytes]:
        """The fields of a shard that are over; its soonest end is known anew, as if they had gone."""
        over: list[bytes] = []
        first = LATE
        for field, at in self.ends[index].at.items():
            if at < now:
                over.append(field)
            elif at < first:
                first = at
        self.firsts[index] = first
        return over

    def add_shard(self, index: int, now: int, found: list[bytes]) -> None:
        if self.firsts[index] >= now:
            super().add_shard(index, now, found)
            return
        ends = self.ends[index].at
        texts = pairs_of(self.shards[index])
        for at in range(0, len(texts), 2):
            if ends.get(texts[at], LATE) >= now:
                found.append(texts[at])
                found.append(texts[at + 1])

    # --- the ends stay beside their shards

    def divide(self) -> int:
        old = super().divide()
        new = len(self.shards) - 1
        before = self.ends[old].at
        self.ends.append(NONE)
        self.firsts.append(self.firsts[old])
        if before:
            moved = {field: at for field, at in before.items() if self.index_of(field) == new}
            self.ends[old] = Expires(self.mark, {field: at for field, at in before.items() if field not in moved})
            self.ends[new] = Expires(self.mark, moved)
        return old

    def join(self) -> int:
        old = super().join()
        ends, first = self.ends.pop(), self.firsts.pop()
        if ends.at:
            self.ends[old] = Expires(self.mark, self.ends[old].at | ends.at)
        self.firsts[old] = min(self.firsts[old], first)
        return old

    # --- as a whole

    def copy(self) -> Fields:
        other = ExpiringFields()
        self.share_with(other)
        other.ends, other.firsts = self.ends.copy(), self.firsts.copy()
        other.expiring = self.expiring
        return other

    def free(self, most: int) -> int:
        left = super().free(most)
        del self.ends[len(self.shards) :]
        return left


def made_expiring(fields: Fields) -> ExpiringFields:
    """The same fields; ``fields`` is used up."""
    if isinstance(fields, ExpiringFields):
        return fields
    made = ExpiringFields()
    fields.share_with(made)
    made.ends = [NONE] * len(made.shards)
    made.firsts = [LATE] * len(made.shards)
    made.listpack = False
    return made
