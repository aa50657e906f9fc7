"""A type of data that only tests know: a bag of elements, each with a number. It shows what a large value can do.

The elements are in buckets by their hash, about ``FILL`` in each at most. A copy shares the buckets; each of the two
then replaces a bucket that it shares before it changes it. So a copy costs a list of references, and no change costs
more than a bucket. When there are too many elements the bag has twice as many buckets, but they are split one by one,
with the changes that come (linear hashing).
"""

from binascii import crc32
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from gossamer.node.commands.digest import DIGESTS
from gossamer.node.engine.data.kinds import KINDS
from gossamer.node.engine.stream.as_commands import WORDS
from gossamer.node.persist.form import Elements, Style
from gossamer.node.persist.primitives import put_length, put_string
from gossamer.node.persist.source import Source
from gossamer.node.persist.values import READERS, WRITERS
from gossamer.node.resp.requests import encoded
from gossamer.node.types.kind import DONE, STEP, Kind, Value

FREE: Final = 8
"""A type number in RDB that no type has. Behind it a bag has the form of a hash."""
FILL: Final = 64
OBJECT: Final = 80
"""Bytes of an element and its number beside the element's own."""

Bucket = dict[bytes, int]


class Bag:
    def __init__(self) -> None:
        self.buckets: list[Bucket] = [{}]
        self.own: list[bool] = [True]
        """By bucket: no copy shares it."""
        self.length: int = 0
        self.bytes: int = 0

    def index_of(self, element: bytes) -> int:
        """Buckets up to a power of two; those below ``split`` have been divided between themselves and a new one."""
        number, count = crc32(element), len(self.buckets)
        bits = (count - 1).bit_length()
        index = number & ((1 << bits) - 1)
        return index if index < count else index & ((1 << (bits - 1)) - 1)

    def bucket(self, index: int) -> Bucket:
        """A bucket that may be changed."""
        if not self.own[index]:
            self.buckets[index] = self.buckets[index].copy()
            self.own[index] = True
        return self.buckets[index]

    def put(self, element: bytes, number: int) -> None:
        bucket = self.bucket(self.index_of(element))
        if element not in bucket:
            self.length += 1
            self.bytes += len(element) + OBJECT
        bucket[element] = number
        if self.length > FILL * len(self.buckets):
            self.split()

    def split(self) -> None:
        index = len(self.buckets) - (1 << (len(self.buckets).bit_length() - 1))
        old = self.bucket(index)
        self.buckets.append({})
        self.own.append(True)
        for element in [element for element in old if self.index_of(element) != index]:
            self.buckets[-1][element] = old.pop(element)

    def remove(self, element: bytes) -> bool:
        bucket = self.bucket(self.index_of(element))
        if bucket.pop(element, None) is None:
            return False
        self.length -= 1
        self.bytes -= len(element) + OBJECT
        return True

    def content(self) -> Bucket:
        return {element: number for bucket in self.buckets for element, number in bucket.items()}

    def step(self, at: int) -> tuple[Bucket, int]:
        """The elements of the next buckets from number ``at`` on, at most ``STEP``; and the next position."""
        found: Bucket = {}
        while at < len(self.buckets) and (not found or len(found) + len(self.buckets[at]) <= STEP):
            found |= self.buckets[at]
            at += 1
        STEPS.append(len(found))
        return found, at if at < len(self.buckets) else DONE


STEPS: Final[list[int]] = []
"""How many elements each step had, whoever took it."""


class BagKind(Kind):
    def encoding(self, value: Value) -> bytes:
        return b"buckets"

    def size(self, value: Value) -> int:
        assert isinstance(value, Bag)
        return value.bytes

    def length(self, value: Value) -> int:
        assert isinstance(value, Bag)
        return value.length

    def copy(self, value: Value) -> Value:
        assert isinstance(value, Bag)
        other = Bag()
        other.buckets = value.buckets.copy()
        other.own = [False] * len(other.buckets)
        value.own = other.own.copy()
        other.length, other.bytes = value.length, value.bytes
        return other

    def free(self, value: Value, most: int) -> int:
        assert isinstance(value, Bag)
        freed = 0
        while value.buckets and (not freed or freed + len(value.buckets[-1]) <= most):
            freed += len(value.buckets.pop())
        value.length -= freed
        STEPS.append(freed)
        return value.length


BAG: Final = BagKind(b"bag")


def write(out: bytearray, key: bytes | bytearray, value: Value, style: Style, at: int) -> int:
    assert isinstance(value, Bag)
    if at == 0:
        out.append(FREE)
        out += key
        put_length(out, value.length)
    elements, at = value.step(at)
    for element, number in elements.items():
        put_string(out, element)
        put_string(out, b"%d" % number)
    return at


class BagElements(Elements):
    def read(self, source: Source) -> None:
        element, number = source.string(), int(source.string())
        assert isinstance(self.value, Bag)
        self.value.put(element, number)


def read(source: Source) -> Elements:
    return BagElements(Bag(), source.length())


def words(key: bytes, value: Value, expire: int, at: int) -> tuple[bytes, int]:
    assert isinstance(value, Bag)
    elements, at = value.step(at)
    out = [b"BAG.PUT", key]
    for element, number in elements.items():
        out += [element, b"%d" % number]
    after = encoded([b"PEXPIREAT", key, b"%d" % expire]) if at == DONE and expire >= 0 else b""
    return encoded(out) + after, at


def digest(before: int, value: Value, at: int, now: int) -> tuple[int, int]:
    assert isinstance(value, Bag)
    elements, at = value.step(at)
    for element, number in elements.items():
        before ^= crc32(element, number)
    return before, at


@contextmanager
def registered() -> Iterator[None]:
    """The engine knows bags meanwhile; afterwards its tables are as they were."""
    assert Bag not in KINDS
    assert FREE not in READERS
    KINDS[Bag] = BAG
    WRITERS[BAG], READERS[FREE], WORDS[BAG], DIGESTS[BAG] = write, read, words, digest
    try:
        yield
    finally:
        del KINDS[Bag], WRITERS[BAG], READERS[FREE], WORDS[BAG], DIGESTS[BAG]


def bag_of(count: int, prefix: bytes = b"element") -> Bag:
    """As if the elements had been put one after the other, but quicker."""
    bag = Bag()
    size = 1 << (count // FILL).bit_length()
    bag.buckets = [{} for _ in range(size)]
    bag.own = [True] * size
    for number in range(count):
        element = b"%s:%d" % (prefix, number)
        bag.buckets[crc32(element) & (size - 1)][element] = number
        bag.bytes += len(element) + OBJECT
    bag.length = count
    return bag
