"""The large form of a hash of which some fields expire.

Beside each shard stand the ends of its fields: unix milliseconds, and by how much the soonest of them is known. A field
lives through the millisecond that it ends in, as a key does.
"""

from typing import Final

from mypy_extensions import mypyc_attr

from gossamer.node.types.hashes.fields import Fields, Shard
from gossamer.node.types.kind import NEVER

LATE: Final = 1 << 63
"""Later than any end."""
END_SIZE: Final = 72
"""Bytes of an end: an integer, and an entry of a dictionary."""

Ends = dict[bytes, int]


@mypyc_attr(acyclic=True, allow_interpreted_subclasses=True)
class ExpiringFields(Fields):
    def __init__(self) -> None:
        super().__init__()
        self.ends: list[Ends] = [{}]
        """By shard. They are the shard's own if the shard is (``own``)."""
        self.firsts: list[int] = [LATE]
        """By shard: no field of it ends before this."""

    # --- one field

    def end(self, field: bytes) -> int:
        return self.ends[self.index_of(field)].get(field, NEVER)

    def get(self, field: bytes, now: int) -> bytes | None:
        index = self.index_of(field)
        value = self.shards[index].get(field)
        if value is not None and self.firsts[index] < now and self.ends[index].get(field, LATE) < now:
            return None
        return value

    def set_end(self, field: bytes, at: int) -> None:
        """``field``, which is there, expires ``at``."""
        assert at >= 0
        index = self.index_of(field)
        if not self.own[index]:
            self.replace(index)
        ends = self.ends[index]
        if field not in ends:
            self.expiring += 1
            self.bytes += END_SIZE
        ends[field] = at
        self.firsts[index] = min(self.firsts[index], at)

    def persist(self, field: bytes) -> bool:
        index = self.index_of(field)
        if field not in self.ends[index]:
            return False
        if not self.own[index]:
            self.replace(index)
        del self.ends[index][field]
        self.expiring -= 1
        self.bytes -= END_SIZE
        return True

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
        for field, at in self.ends[index].items():
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
        ends = self.ends[index]
        for field, value in self.shards[index].items():
            if ends.get(field, LATE) >= now:
                found.append(field)
                found.append(value)

    # --- the ends stay beside their shards

    def replace(self, index: int) -> Shard:
        self.ends[index] = self.ends[index].copy()
        return super().replace(index)

    def divide(self) -> None:
        index = 2 * self.divided
        before = self.ends[index]
        super().divide()
        upper = self.shards[index + 1]
        self.ends[index] = {field: at for field, at in before.items() if field not in upper}
        self.ends.insert(index + 1, {field: at for field, at in before.items() if field in upper})
        self.firsts.insert(index + 1, self.firsts[index])

    def join(self) -> None:
        super().join()
        index = 2 * self.divided
        self.ends[index] = self.ends[index] | self.ends[index + 1]
        self.firsts[index] = min(self.firsts[index], self.firsts[index + 1])
        del self.ends[index + 1]
        del self.firsts[index + 1]

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
    own = fields.own
    fields.share_with(made)
    made.own = own
    made.ends = [{} for _ in made.shards]
    made.firsts = [LATE] * len(made.shards)
    made.listpack = False
    return made
