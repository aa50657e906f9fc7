"""A hash: packed while it is small (``packed.py``), else in shards (``fields.py``); never back, as in Redis.

``now`` (unix milliseconds) hides fields that are over; 0 shows all there are.
"""

from mypy_extensions import mypyc_attr

from gossamer.node.types.hashes import packed as small
from gossamer.node.types.hashes.expiring import made_expiring
from gossamer.node.types.hashes.fields import Fields
from gossamer.node.types.kind import DONE, NEVER
from gossamer.node.types.limits import EncodingLimits


@mypyc_attr(acyclic=True)
class Hash:
    def __init__(self) -> None:
        self.packed: bytes = b""
        self.count: int = 0
        """Fields in ``packed``."""
        self.fields: Fields | None = None

    @property
    def length(self) -> int:
        """How many fields there are, those that are over among them."""
        fields = self.fields
        return self.count if fields is None else fields.length

    @property
    def is_listpack(self) -> bool:
        fields = self.fields
        return fields is None or fields.listpack

    # --- one field

    def get(self, field: bytes, now: int = 0) -> bytes | None:
        fields = self.fields
        if fields is not None:
            return fields.get(field, now)
        at = small.find(self.packed, field) if len(field) <= small.LONGEST else -1
        return None if at < 0 else small.value_at(self.packed, at)

    def put(self, field: bytes, value: bytes, limits: EncodingLimits) -> bool:
        """True if the field is new. When it expires stays as it is."""
        longest = max(len(field), len(value))
        fields = self.fields
        if fields is None:
            if longest <= limits.hash_max_listpack_value and longest <= small.LONGEST:
                return self._put_packed(field, value, limits.hash_max_listpack_entries)
            fields = self._unpack()
        new = fields.put(field, value)
        if fields.listpack and (
            longest > limits.hash_max_listpack_value or fields.length > limits.hash_max_listpack_entries
        ):
            fields.listpack = False
        return new

    def _put_packed(self, field: bytes, value: bytes, entries: int) -> bool:
        at = small.find(self.packed, field)
        self.packed = small.put(self.packed, at, field, value)
        if at < 0:
            self.count += 1
        if self.count > entries or self.count > small.MOST:
            listpack = self.count <= entries
            self._unpack().listpack = listpack
        return at < 0

    def remove(self, field: bytes) -> bool:
        """True if the field was there, over or not."""
        fields = self.fields
        if fields is not None:
            return fields.remove(field)
        at = small.find(self.packed, field) if len(field) <= small.LONGEST else -1
        if at < 0:
            return False
        self.packed = small.remove(self.packed, at)
        self.count -= 1
        return True

    # --- all of them

    def pairs(self, at: int = 0, now: int = 0) -> tuple[list[bytes], int]:
        """A step from position ``at`` on: fields and values in turn, and the next position."""
        fields = self.fields
        if fields is not None:
            return fields.pairs(at, now)
        return small.pairs(self.packed), DONE

    def all_pairs(self, now: int = 0) -> list[bytes]:
        """Fields and values in turn, all at once."""
        found, at = self.pairs(0, now)
        while at != DONE:
            more, at = self.pairs(at, now)
            found += more
        return found

    def scan(self, cursor: int, count: int, now: int = 0) -> tuple[int, list[bytes]]:
        """Go on with a walk: its next cursor, 0 at the end, and about ``count`` fields with their values in turn.

        A field that is there from the beginning of a walk to its end is returned.
        """
        fields = self.fields
        if fields is None:
            return 0, small.pairs(self.packed)
        cursor, names = fields.scan(cursor, count)
        found: list[bytes] = []
        for name in names:
            value = fields.get(name, now)
            if value is not None:
                found.append(name)
                found.append(value)
        return cursor, found

    def copy(self) -> "Hash":
        other = Hash()
        other.packed, other.count = self.packed, self.count
        fields = self.fields
        if fields is not None:
            other.fields = fields.copy()
        return other

    # --- fields that expire

    @property
    def expires(self) -> bool:
        """Does any field expire?"""
        fields = self.fields
        return fields is not None and fields.expiring > 0

    def end(self, field: bytes) -> int:
        """When ``field`` expires, in unix milliseconds; ``NEVER`` also if it is not there."""
        fields = self.fields
        return NEVER if fields is None else fields.end(field)

    def set_end(self, field: bytes, at: int) -> None:
        """``field``, which is there, expires ``at``. The hash is large from now on, as in Valkey."""
        fields = made_expiring(self._unpack())
        self.fields = fields
        fields.set_end(field, at)

    def persist(self, field: bytes) -> bool:
        """``field`` expires no more; True if it did."""
        fields = self.fields
        return fields is not None and fields.persist(field)

    def is_over(self, field: bytes, now: int) -> bool:
        """Is ``field`` there, but over at ``now``?"""
        fields = self.fields
        return fields is not None and 0 <= fields.end(field) < now

    # --- rules

    def _unpack(self) -> Fields:
        """The large form, made if there is none."""
        fields = self.fields
        if fields is None:
            fields = Fields()
            fields.listpack = True
            texts = small.pairs(self.packed)
            for at in range(0, len(texts), 2):
                fields.put(texts[at], texts[at + 1])
            self.fields = fields
            self.packed = b""
            self.count = 0
        return fields


def hash_of(texts: list[bytes], limits: EncodingLimits, any_length: bool = False) -> Hash | None:
    """The hash of fields and values in turn; None if a field is there twice, or there are none.

    ``any_length``: it stays a listpack whatever the limit of their lengths is, as one that is read from an RDB.
    """
    assert len(texts) % 2 == 0
    made = Hash()
    count = len(texts) // 2
    longest = max([len(text) for text in texts], default=0)
    listpack = count <= limits.hash_max_listpack_entries and (any_length or longest <= limits.hash_max_listpack_value)
    if listpack and count <= small.MOST and longest <= small.LONGEST:
        if len(set(texts[::2])) != count:
            return None
        made.packed, made.count = small.pack(texts), count
        return made if count else None
    fields = Fields()
    fields.listpack = listpack
    for at in range(0, len(texts), 2):
        if not fields.put(texts[at], texts[at + 1]):
            return None
    made.fields = fields
    return made
