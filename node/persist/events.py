"""What an RDB tells, one event after the other, in the order of the file."""

from typing import TypeAlias

from attrs import define
from mypy_extensions import mypyc_attr

from gossamer.node.types.kind import Value


@define
class Header:
    """The first event. ``valkey``: of that family, whose version numbers are not those of Redis."""

    version: int
    valkey: bool


@define
class Aux:
    """An AUX field: ``redis-ver``, ``repl-id`` and the like. Unknown ones mean nothing."""

    name: bytes
    value: bytes


@define
class SelectDb:
    """What follows belongs to database ``db``."""

    db: int


@define
class ResizeDb:
    """A hint: how many keys are to come in this database, and how many of them end one day."""

    keys: int
    volatile: int


@define
class SlotInfo:
    """A hint: how many keys of ``slot`` are to come, and how many of them end one day."""

    slot: int
    keys: int
    volatile: int


@define
class SlotImportMark:
    """Slots, as ranges with both ends, that the writer was importing as job ``name`` (Valkey 9)."""

    name: bytes
    ranges: list[tuple[int, int]]


@define
class Function:
    """The source text of one library of functions."""

    source: bytes


@define
class ModuleAux:
    """Data of module number ``module``, which was skipped."""

    module: int


@mypyc_attr(acyclic=True)
class Key:
    """A key with its value. ``end`` in unix milliseconds; ``idle_s``: seconds without use; ``freq``: how often used,
    0 to 255. -1 is what was not told.

    Keys whose time is over occur. A primary drops them, a replica keeps them. There are millions of these, so it is a
    class that mypyc makes fast; those of attrs it does not.
    """

    def __init__(self, db: int, key: bytes, value: Value, end: int = -1, idle_s: int = -1, freq: int = -1) -> None:
        self.db: int = db
        self.key: bytes = key
        self.value: Value = value
        self.end: int = end
        self.idle_s: int = idle_s
        self.freq: int = freq


@define
class End:
    """All is there and the checksum is right; ``checked`` is False if there was none."""

    checked: bool


Event: TypeAlias = Header | Aux | SelectDb | ResizeDb | SlotInfo | SlotImportMark | Function | ModuleAux | Key | End
