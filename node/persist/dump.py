"""The payload of DUMP and RESTORE: type, value, two bytes of RDB version, checksum.

What we write carries version 10 unless a newer one is asked for, or a hash has fields that expire: so every server from
Redis 7.0 on can restore it.
We take what Redis up to 7.2 and Valkey 9 write; the numbers between are formats that we do not know.
"""

from typing import Final

from gossamer.node.engine.data.kinds import copy_of, is_large, kind_of
from gossamer.node.persist.codes import CHECKSUM_SIZE, VALKEY_80, VALKEY_VERSION, RdbError, Short, readable
from gossamer.node.persist.crc64 import crc64, footer
from gossamer.node.persist.form import Elements, Style
from gossamer.node.persist.source import MAX_STRING, Source
from gossamer.node.persist.values import put_value, read_value
from gossamer.node.types.kind import DONE, Value
from gossamer.node.types.limits import DEFAULTS, EncodingLimits

FOOTER: Final = 2 + CHECKSUM_SIZE
SUMMED: Final = 1 << 18
"""Bytes that a step adds to a checksum."""
DEFAULT: Final = Style()
EXPIRING: Final = Style(VALKEY_80)


def plain_style(value: Value) -> Style:
    """For who may be anybody: the oldest form that can hold ``value``. Elements that expire only Valkey knows."""
    return DEFAULT if kind_of(value).soonest(value) < 0 else EXPIRING


class Dump:
    """The payload of ``value``, made in steps between which the value may change."""

    def __init__(self, value: Value, style: Style | None = None) -> None:
        self._value: Value = copy_of(value) if is_large(value) else value
        self._style: Style = style if style is not None else plain_style(value)
        self._at: int = 0
        self._sum: int = 0
        self.done: bool = False

    def next(self) -> bytes:
        """The bytes of the next step; the last ones end with the checksum."""
        assert not self.done
        out = bytearray()
        self._at = put_value(out, b"", self._value, self._style, self._at)
        if self._at == DONE:
            out += self._style.format.version.to_bytes(2, "little")
        self._sum = crc64(out, self._sum)
        if self._at == DONE:
            out += footer(self._sum)
            self.done = True
            self._value = b""
        return bytes(out)


def dump(value: Value, style: Style | None = None) -> bytes:
    """``value`` as a payload."""
    steps = Dump(value, style)
    pieces = [steps.next()]
    while not steps.done:
        pieces.append(steps.next())
    return b"".join(pieces)


def version_if_known(payload: bytes) -> int:
    """The version of ``payload``; -1 if it is none that can be read."""
    if len(payload) < FOOTER:
        return -1
    version = int.from_bytes(payload[-FOOTER:-CHECKSUM_SIZE], "little")
    return version if readable(version) else -1


class Restoration:
    """Reads the value in ``payload``, in steps of about a millisecond. What stands behind the value is not looked at.

    ``verify``: look at the checksum first. No checksum is a wrong one too. RdbError out of ``step`` is final.
    """

    def __init__(
        self,
        payload: bytes,
        verify: bool = True,
        max_string: int = MAX_STRING,
        limits: EncodingLimits = DEFAULTS,
    ) -> None:
        self.value: Value | None = None
        """What has been read so far; the whole value when it is ``done``."""
        self.done: bool = False
        self.version: int = version_if_known(payload)
        """-1 if it cannot be read, or if the checksum turns out to be wrong: there is no value then."""
        self._payload: bytes = payload
        self._summed: int = 0 if verify else len(payload) - CHECKSUM_SIZE
        """How many bytes are in the sum."""
        self._sum: int = 0
        self._source: Source = Source(b"", 0, self.version >= VALKEY_VERSION, max_string, limits)
        self._elements: Elements | None = None

    def step(self) -> None:
        """RdbError if the payload is damaged, or holds no value."""
        assert not self.done
        if self.version < 0:
            raise RdbError("the version is unknown")
        if self._summed < len(self._payload) - CHECKSUM_SIZE:
            self._verify()
        if self._summed == len(self._payload) - CHECKSUM_SIZE:
            try:
                self._read(self._source)
            except Short:
                raise RdbError("the value is cut off") from None

    def finish(self) -> Value:
        """Take all steps that are left; the value."""
        while not self.done:
            self.step()
        assert self.value is not None
        return self.value

    def _verify(self) -> None:
        through = len(self._payload) - CHECKSUM_SIZE
        end = min(self._summed + SUMMED, through)
        self._sum = crc64(memoryview(self._payload)[self._summed : end], self._sum)
        self._summed = end
        if end == through and self._sum != int.from_bytes(self._payload[through:], "little"):
            self.version = -1
            raise RdbError("the checksum is wrong")

    def _read(self, source: Source) -> None:
        if self.value is None:
            source.data = self._payload[:-FOOTER]
            value = read_value(source, source.byte())
            if isinstance(value, Elements):
                self._elements = value
                value = value.value
            self.value = value
        if self._elements is not None:
            self._elements.step(source)
        self.done = self._elements is None or not self._elements.left
