"""Reads an RDB as its bytes come in: ``feed`` bytes, get events.

Memory stays within the item being read (a key with its value, mostly) and the bytes fed at once. A value of many
elements is read element by element: a ``feed`` takes no longer than its bytes, however large the value is. An item that
is not whole yet is read from its start again when more is there: at once if it says how much it takes, else when half
as much again has come, or at ``finish``, so that the work stays proportional to the bytes.

What stands behind the end of the RDB is not touched: it is in ``rest`` (an append-only file goes on with commands).
"""

from typing import Final

from gossamer.node.persist import codes
from gossamer.node.persist.codes import (
    CHECKSUM_SIZE,
    FIRST_WITH_CHECKSUM,
    MAGIC_SIZE,
    RdbError,
    Short,
    type_title,
    version_of,
)
from gossamer.node.persist.crc64 import crc64
from gossamer.node.persist.events import (
    Aux,
    End,
    Event,
    Function,
    Header,
    Key,
    ModuleAux,
    ResizeDb,
    SelectDb,
    SlotImportMark,
    SlotInfo,
)
from gossamer.node.persist.form import Elements
from gossamer.node.persist.source import MAX_STRING, Source
from gossamer.node.persist.values import READERS, read_value
from gossamer.node.types.kind import Value
from gossamer.node.types.limits import DEFAULTS, EncodingLimits

SMALL: Final = 1 << 16
"""Bytes of an item that may be read from its start again with every ``feed``."""


class RdbReader:
    """``verify``: hold the data to its checksum. RdbError out of any method is final: do not go on with this reader."""

    def __init__(self, verify: bool = True, limits: EncodingLimits = DEFAULTS, max_string: int = MAX_STRING) -> None:
        self.verify: bool = verify
        self.limits: EncodingLimits = limits
        self.max_string: int = max_string
        self.done: bool = False
        self.rest: bytes = b""
        """What was fed behind the end."""
        self.offset: int = 0
        """How many bytes have become events."""
        self.before_damage: list[Event] = []
        """After an RdbError: what the bytes fed last told before it."""
        self._version: int = 0
        self._valkey: bool = False
        self._db: int = 0
        self._key_name: bytes = b""
        self._elements: Elements | None = None
        """Of the value of ``_key_name``, which is being read."""
        self._end: int = -1
        self._idle_s: int = -1
        self._freq: int = -1
        self._checksum: int = 0
        self._waiting: list[bytes] = []
        self._held: int = 0
        """Bytes in ``_waiting``: the beginning of one item."""
        self._wanted: int = MAGIC_SIZE
        """With fewer bytes than this it is not worth another try."""

    def feed(self, data: bytes) -> list[Event]:
        """The events that ``data`` completes."""
        if self.done:
            self.rest += data
            return []
        self._waiting.append(data)
        self._held += len(data)
        return self._read() if self._held >= self._wanted else []

    def finish(self) -> list[Event]:
        """There will be no more bytes; the last events. RdbError if the end is missing."""
        events = [] if self.done else self._read()
        if not self.done:
            raise RdbError(f"cut off at byte {self.offset + self._held}: the end is missing")
        return events

    def _read(self) -> list[Event]:
        data = self._waiting[0] if len(self._waiting) == 1 else b"".join(self._waiting)
        source = Source(data, 0, self._valkey, self.max_string, self.limits)
        events: list[Event] = []
        try:
            while not self.done:
                self._item(source, events)
                source.start = source.at
        except Short as short:
            held = len(data) - source.start
            again = held + 1 if held < SMALL else held + held // 2
            self._wanted = max(short.wanted, again)
        except RdbError as error:
            self.before_damage = events
            raise RdbError(f"byte {self.offset + source.at}: {error}") from None
        self._keep(data, source.start)
        return events

    def _keep(self, data: bytes, used: int) -> None:
        """``used`` bytes of ``data`` have become events."""
        self.offset += used
        rest = data[used:]
        if self.done:
            self.rest, rest = rest, b""
        elif self.verify:
            self._checksum = crc64(memoryview(data)[:used], self._checksum)
        self._waiting = [rest] if rest else []
        self._held = len(rest)

    def _item(self, source: Source, events: list[Event]) -> None:
        """Read one opcode with what belongs to it, or one key with its value."""
        if not self._version:
            self._header(source, events)
            return
        if self._elements is not None:
            self._go_on(source, self._elements, events)
            return
        code = source.byte()
        if code == codes.STRING:
            self._whole(source.string(), source.string(), events)
        elif code in READERS:
            self._key(source, code, events)
        elif code == codes.EXPIRETIME_MS:
            self._ends_at(source.signed(8))
        elif code == codes.EXPIRETIME:
            self._ends_at(source.signed(4) * 1000)
        elif code == codes.IDLE:
            self._idle_s = source.length()
        elif code == codes.FREQ:
            self._freq = source.byte()
        elif code == codes.SELECTDB:
            db = source.length()
            self._db = db
            events.append(SelectDb(db))
        elif code == codes.RESIZEDB:
            events.append(ResizeDb(source.length(), source.length()))
        elif code == codes.EOF:
            self._eof(source, events)
        else:
            events.append(self._rare(source, code))

    def _ends_at(self, end: int) -> None:
        """The next key ends then. -1 is how some writers say never; other times before 1970 are over anyway."""
        self._end = -1 if end == -1 else max(end, 0)

    def _header(self, source: Source, events: list[Event]) -> None:
        magic = source.take(MAGIC_SIZE)
        self._version = version_of(magic)
        self._valkey = source.valkey = magic.startswith(b"VALKEY")
        events.append(Header(self._version, self._valkey))

    def _key(self, source: Source, code: int, events: list[Event]) -> None:
        key = source.string()
        try:
            value = read_value(source, code)
        except RdbError as error:
            raise RdbError(f"key {key[:128]!r}: {error}") from None
        if isinstance(value, Elements):
            self._key_name, self._elements = key, value
        else:
            self._whole(key, value, events)

    def _go_on(self, source: Source, elements: Elements, events: list[Event]) -> None:
        try:
            elements.step(source)
        except RdbError as error:
            raise RdbError(f"key {self._key_name[:128]!r}: {error}") from None
        if not elements.left:
            self._elements = None
            self._whole(self._key_name, elements.value, events)

    def _whole(self, key: bytes, value: Value, events: list[Event]) -> None:
        events.append(Key(self._db, key, value, self._end, self._idle_s, self._freq))
        self._end = self._idle_s = self._freq = -1

    def unfinished(self) -> Value | None:
        """The value of which some elements are still to come, if one is being read."""
        return None if self._elements is None else self._elements.value

    def _rare(self, source: Source, code: int) -> Event:
        if code == codes.AUX:
            return Aux(source.string(), source.string())
        if code == codes.FUNCTION2:
            return Function(source.string())
        if code == codes.FUNCTION_PRE_GA:
            raise RdbError("functions in the form of a release candidate of Redis 7.0 cannot be read")
        if code == codes.SLOT_INFO:
            return SlotInfo(source.length(), source.length(), source.length())
        if code == codes.SLOT_IMPORT and self._valkey:
            name = source.string()
            return SlotImportMark(name, [(source.length(), source.length()) for _ in range(source.length())])
        if code == codes.MODULE_AUX:
            module = source.length()
            source.length()
            source.length()
            source.skip_module_data()
            return ModuleAux(module)
        key = source.string() if code in codes.TYPE_NAMES else b""
        raise RdbError(f"key {key[:128]!r}: cannot read a value of type {type_title(code)}")

    def _eof(self, source: Source, events: list[Event]) -> None:
        if self._version < FIRST_WITH_CHECKSUM:
            self.done = True
            events.append(End(False))
            return
        through = source.at
        told = int.from_bytes(source.take(CHECKSUM_SIZE), "little")
        checked = self.verify and told != 0
        if checked and crc64(memoryview(source.data)[:through], self._checksum) != told:
            raise RdbError("the checksum is wrong: the data is damaged")
        self.done = True
        events.append(End(checked))
