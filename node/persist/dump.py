"""The payload of DUMP and RESTORE: type, value, two bytes of RDB version, checksum.

What we write carries version 10 unless a newer one is asked for, or a hash has fields that expire: so every server from
Redis 7.0 on can restore it.
We take what Redis up to 7.2 and Valkey 9 write; the numbers between are formats that we do not know.
"""

from typing import Final

from gossamer.node.engine.data.kinds import copy_of, is_large, kind_of
from gossamer.node.persist.codes import CHECKSUM_SIZE, VALKEY_80, VALKEY_VERSION, RdbError, Short, readable
from gossamer.node.persist.crc64 import crc64, footer
from gossamer.node.persist.form import Style
from gossamer.node.persist.source import MAX_STRING, Source
from gossamer.node.persist.values import put_value, read_whole
from gossamer.node.types.kind import DONE, Value
from gossamer.node.types.limits import DEFAULTS, EncodingLimits

FOOTER: Final = 2 + CHECKSUM_SIZE
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


def version_if_whole(payload: bytes, verify: bool = True) -> int:
    """The version of ``payload``; -1 if it cannot be read or the checksum is wrong. No checksum is wrong too.

    ``verify``: look at the checksum.
    """
    if len(payload) < FOOTER:
        return -1
    version = int.from_bytes(payload[-FOOTER:-CHECKSUM_SIZE], "little")
    told = int.from_bytes(payload[-CHECKSUM_SIZE:], "little")
    if not readable(version) or (verify and crc64(memoryview(payload)[:-CHECKSUM_SIZE]) != told):
        return -1
    return version


def restored(payload: bytes, version: int, max_string: int = MAX_STRING, limits: EncodingLimits = DEFAULTS) -> Value:
    """The value in a whole ``payload``; RdbError if it holds none. What may stand behind the value is not looked at."""
    source = Source(payload[:-FOOTER], 0, version >= VALKEY_VERSION, max_string, limits)
    try:
        return read_whole(source, source.byte())
    except Short:
        raise RdbError("the value is cut off") from None
