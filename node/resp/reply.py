"""What a command handler may return. ``writer.py`` turns these into RESP2 or RESP3.

None            null                      bytes, str      bulk string
int             integer                   float           double (RESP2: bulk string)
bool            boolean (RESP2: 0 or 1)   list, tuple     array
dict            map (RESP2: flat array)   Status          simple string
Failure         error inside an array     Verbatim        verbatim string (RESP2: bulk string)
SetReply        set (RESP2: array)        NullArray       null array (RESP3: null)
MapReply        map with keys that recur (RESP2: array of pairs)
Push            push (RESP2: array)       Raw             bytes that are a reply already
"""

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias


class Status:
    def __init__(self, text: bytes) -> None:
        self.text: bytes = text
        self.line: bytes = b"+%s\r\n" % text
        """As it is sent: nearly all replies of this kind are a few constants."""


class Failure:
    """An error as a value, where the handler goes on: one element of EXEC's array, for instance."""

    def __init__(self, text: bytes) -> None:
        self.text: bytes = text


class Verbatim:
    def __init__(self, text: bytes, form: bytes = b"txt") -> None:
        self.text: bytes = text
        self.form: bytes = form


class Double:
    """A double in digits of its own: a ``float`` is written in as few as it takes."""

    def __init__(self, text: bytes) -> None:
        self.text: bytes = text


class SetReply:
    def __init__(self, items: Sequence["Reply"]) -> None:
        self.items: Sequence[Reply] = items


class MapReply:
    """``pairs``: each an array of a key and its value."""

    def __init__(self, pairs: Sequence[Sequence["Reply"]]) -> None:
        self.pairs: Sequence[Sequence[Reply]] = pairs


class StatusSet:
    """A set of simple strings: flags in COMMAND's reply."""

    def __init__(self, items: list[str]) -> None:
        self.items: list[str] = items


class Push:
    def __init__(self, items: list["Reply"]) -> None:
        self.items: list[Reply] = items


class Raw:
    def __init__(self, data: bytes) -> None:
        self.data: bytes = data


class NullArray:
    pass


class NoReply:
    """The handler has arranged for the answer itself, or there is none."""


Scalar: TypeAlias = bytes | bytearray | str | bool | int | float | None
Special: TypeAlias = (
    Status | Failure | Verbatim | Double | SetReply | MapReply | StatusSet | Push | Raw | NullArray | NoReply
)
Reply: TypeAlias = (
    Scalar | Special | Sequence["Reply"] | Mapping[str, "Reply"] | Mapping[bytes, "Reply"] | Mapping[int, "Reply"]
)
"""All that may be returned. To mypyc it is one boxed object, which ``writer.py`` alone takes apart.

``Sequence`` and not ``list``: a list of bytes is no list of replies to mypy.
"""

OK: Final = Status(b"OK")
PONG: Final = Status(b"PONG")
QUEUED: Final = Status(b"QUEUED")
NULL_ARRAY: Final = NullArray()
NO_REPLY: Final = NoReply()
