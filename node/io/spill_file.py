"""Values that are not in memory, in a file: ``SpillStore`` of the engine, on a real disk.

A plain file, for all that a library could add is of no use here: where a value lies its stub knows, and nothing has to
outlive the process. (Measured with values of 1 to 100 KB: LMDB writes as fast and reads two or three times as fast, but
through a mapping, so that all that was touched is in the resident set, which is to be kept small; SQLite is slower at
both.) The file has no name: the system frees what it takes when the process ends, however it ends, and no second
process can come upon it.

A place is a number made of three: the first unit, the bytes, and their CRC-32. With a key
(``encrypt-at-rest-key-file``) each payload is sealed by itself, under a key of this run.
"""

import contextlib
import errno
import os
import tempfile
import zlib
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Final

from gossamer.node.engine.edge import SpillStore
from gossamer.node.persist.sealed.key import Cipher, Key, Tampered
from gossamer.node.store.extents import Extents

UNIT: Final = 64
SHRINK: Final = 16 << 20
"""So many bytes at the end of the file are given back at once."""
NONCE_SIZE: Final = 12
LENGTH_BITS: Final = 32
SUM_BITS: Final = 32

Job = Callable[[], None]


class SpillFile(SpillStore):
    """In the folder ``path``; OSError. ``teller`` gives, once the node runs, what runs a function in its thread."""

    def __init__(self, path: str, teller: Callable[[], Callable[[Job], None]], key: Key | None = None) -> None:
        super().__init__()
        self.path = os.path.abspath(path)
        os.makedirs(self.path, mode=0o700, exist_ok=True)
        self._teller = teller
        with tempfile.TemporaryFile(dir=self.path, buffering=0) as file:
            self._fd = os.dup(file.fileno())
        self._extents = Extents()
        self._cipher: Cipher | None = None if key is None else key.cipher(os.urandom(32))
        self._sealed = 0
        self._writes: Worker | None = None
        self._reads: Worker | None = None

    def write(self, payloads: list[bytes], at_once: bool, done: Callable[[list[int], str], None]) -> None:
        pieces = [self._seal(payload) for payload in payloads]
        starts = [self._extents.take(units(len(piece))) for piece in pieces]
        places = [place_of(start, piece) for start, piece in zip(starts, pieces, strict=True)]
        if at_once:
            self._written(places, self._write(starts, pieces), done)
            return
        if self._writes is None:
            self._writes = Worker("vm-write")
        tell = self._teller()

        def work() -> None:
            reason = self._write(starts, pieces)
            tell(lambda: self._written(places, reason, done))

        self._writes.add(work)

    def _write(self, starts: list[int], pieces: list[bytes]) -> str:
        try:
            for start, piece in zip(starts, pieces, strict=True):
                write_at(self._fd, piece, start * UNIT)
        except OSError as error:
            return error.strerror or str(error)
        return ""

    def _written(self, places: list[int], reason: str, done: Callable[[list[int], str], None]) -> None:
        self.used += sum(map(length_of, places))
        if reason:
            for failed in places:
                self.free(failed)
            done([], reason)
            return
        self.size = max(self.size, self._extents.end * UNIT)
        done(places, "")

    def read(self, place: int) -> bytes:
        length = length_of(place)
        piece = os.pread(self._fd, length, start_of(place) * UNIT)
        if len(piece) != length:
            raise OSError(errno.EIO, f"{len(piece)} bytes of {length} are there")
        if zlib.crc32(piece) != place & (1 << SUM_BITS) - 1:
            raise OSError(errno.EBADMSG, "the checksum is wrong")
        if self._cipher is None:
            return piece
        try:
            return self._cipher.open(piece[:NONCE_SIZE], piece[NONCE_SIZE:], b"")
        except Tampered:
            raise OSError(errno.EBADMSG, "the seal is broken") from None

    def read_soon(self, place: int, done: Callable[[bytes, str], None]) -> None:
        if self._reads is None:
            self._reads = Worker("vm-read")
        tell = self._teller()

        def work() -> None:
            found, reason = b"", ""
            try:
                found = self.read(place)
            except OSError as error:
                reason = error.strerror or str(error)
            tell(lambda: done(found, reason))

        self._reads.add(work)

    def free(self, place: int) -> None:
        length = length_of(place)
        self.used -= length
        self._extents.give(start_of(place), units(length))
        end = self._extents.end * UNIT
        if self.size - end >= SHRINK:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, end)
                self.size = end

    def _seal(self, payload: bytes) -> bytes:
        if self._cipher is None:
            return payload
        self._sealed += 1
        nonce = self._sealed.to_bytes(NONCE_SIZE, "big")
        return nonce + self._cipher.seal(nonce, payload, b"")


class Worker:
    """A thread that does one job after the other, as long as the process lives."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        Thread(target=self._run, name=name, daemon=True).start()

    def add(self, job: Job) -> None:
        self._jobs.put(job)

    def _run(self) -> None:
        while True:
            self._jobs.get()()


def units(length: int) -> int:
    return -(-length // UNIT)


def place_of(start: int, piece: bytes) -> int:
    return (start << LENGTH_BITS | len(piece)) << SUM_BITS | zlib.crc32(piece)


def length_of(place: int) -> int:
    return place >> SUM_BITS & (1 << LENGTH_BITS) - 1


def start_of(place: int) -> int:
    return place >> SUM_BITS + LENGTH_BITS


def write_at(fd: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, offset)
        view = view[written:]
        offset += written
