"""Writes a snapshot as an RDB, a chunk at a time: between two chunks the node goes on serving.

Order of the file, as real servers write it: magic, AUX fields, functions, then for each database its number, two hints
and its keys, at last the end with the checksum. Keys whose time is over are written too: whether they count is for the
reader.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from gossamer.cluster.text import bytes_of
from gossamer.node.engine.data.snapshot import DatabaseView, Snapshot
from gossamer.node.persist import codes
from gossamer.node.persist.codes import Format
from gossamer.node.persist.crc64 import crc64, footer
from gossamer.node.persist.form import Style
from gossamer.node.persist.primitives import put_length, put_string
from gossamer.node.persist.values import put_value
from gossamer.node.store.table import Clock
from gossamer.node.types.kind import DONE, Value

CHUNK: Final = 1 << 15
"""Bytes after which a chunk is given out: about a millisecond's work."""
PIECE: Final = 1 << 19
"""Bytes of the largest chunk; a huge value makes several, so that the checksum of it makes no long pause."""


class RdbWriter:
    """``aux``: names and values, in order. ``functions``: source texts of libraries. ``checksum``: rdbchecksum."""

    def __init__(
        self,
        snapshot: Snapshot,
        aux: Iterable[tuple[str, str | int]] = (),
        functions: Iterable[bytes] = (),
        style: Style | None = None,
        checksum: bool = True,
    ) -> None:
        self.snapshot: Snapshot = snapshot
        self.aux: list[tuple[str, str | int]] = list(aux)
        self.functions: list[bytes] = list(functions)
        self.style: Style = style if style is not None else Style()
        self.checksum: bool = checksum
        self.imports: list[tuple[str, list[tuple[int, int]]]] = []
        """Slots that are being imported, by the name of the job: told in Valkey's format alone."""
        self.keys: int = 0
        """How many keys have been written."""
        changes = snapshot.keyspace.changes
        self._clock: Clock | None = changes.clock if changes.by_use else None
        """Without it nothing is told of the uses of keys."""
        self._sum: int = 0
        self._value: Value = b""
        self._at: int = DONE
        """Where to go on in ``_value``, which did not fit into a chunk."""

    def chunks(self) -> Iterator[bytes | bytearray]:
        """The bytes of the RDB, to be taken whenever there is time. Closing the snapshot stays with its owner."""
        out = self._begin()
        for view in self.snapshot.views:
            put_database(out, view)
            while view.begin_piece():
                while view.pending or self._at != DONE:
                    self._put_keys(out, view)
                    if len(out) >= CHUNK:
                        yield from self._pieces(out)
                        out = bytearray()
        out.append(codes.EOF)
        yield from self._pieces(out)
        yield footer(self._sum)

    def _begin(self) -> bytearray:
        out = bytearray(self.style.format.magic)
        for name, value in self.aux:
            out.append(codes.AUX)
            put_string(out, bytes_of(name))
            put_string(out, bytes_of(str(value)))
        for source in self.functions:
            out.append(codes.FUNCTION2)
            put_string(out, source, self.style.compress)
        for job, ranges in self.imports if self.style.format.valkey else []:
            out.append(codes.SLOT_IMPORT)
            put_string(out, bytes_of(job))
            put_length(out, len(ranges))
            for first, last in ranges:
                put_length(out, first)
                put_length(out, last)
        return out

    def _put_keys(self, out: bytearray, view: DatabaseView) -> None:
        """Write keys of the present part until it is done or a chunk is full."""
        pending, style = view.pending, self.style
        while self._at != DONE and len(out) < CHUNK:
            self._at = put_value(out, b"", self._value, style, self._at)
        while pending and self._at == DONE and len(out) < CHUNK:
            key, value = view.take()
            self.keys += 1
            expire = view.expire_of(key)
            if expire >= 0:
                out.append(codes.EXPIRETIME_MS)
                out += expire.to_bytes(8, "little", signed=True)
            if self._clock is not None:
                put_use(out, self._clock, view.stamp_of(key))
            if isinstance(value, bytes):  # the commonest, without a detour
                out.append(codes.STRING)
                put_string(out, key)
                put_string(out, value, style.compress)
                continue
            name = bytearray()
            put_string(name, key)
            self._at = put_value(out, name, value, style)
            self._value = value if self._at != DONE else b""
            while self._at != DONE and len(out) < CHUNK:
                self._at = put_value(out, b"", value, style, self._at)

    def _pieces(self, out: bytearray) -> Iterator[bytes | bytearray]:
        for at in range(0, len(out), PIECE):
            piece = out if len(out) <= PIECE else out[at : at + PIECE]
            if self.checksum:
                self._sum = crc64(piece, self._sum)
            yield piece


def put_use(out: bytearray, clock: Clock, stamp: int) -> None:
    """How often the next key is used, or how long it was not."""
    if stamp < 0:
        return
    if clock.lfu:
        out.append(codes.FREQ)
        out.append(clock.frequency(stamp))
    else:
        out.append(codes.IDLE)
        put_length(out, clock.idle(stamp))


def put_database(out: bytearray, view: DatabaseView) -> None:
    out.append(codes.SELECTDB)
    put_length(out, view.index)
    out.append(codes.RESIZEDB)
    put_length(out, view.keys)
    put_length(out, view.volatile)


def aux_fields(target: Format, version: str, now_s: int, used_memory: int) -> list[tuple[str, str | int]]:
    """The AUX fields that every RDB begins with. ``version``: of Redis, or of Valkey if that is the target's family."""
    return [
        ("valkey-ver" if target.valkey else "redis-ver", version),
        ("redis-bits", 64),
        ("ctime", now_s),
        ("used-mem", used_memory),
    ]
