"""The file of values that are not in memory: what is read is what was written, or an error."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

import pytest

from gossamer.node.io import spill_file
from gossamer.node.io.aes import AesKey
from gossamer.node.io.spill_file import SHRINK, UNIT, SpillFile

Job = Callable[[], None]
PAYLOADS = [b"a", b"b" * UNIT, b"c" * 1000, os.urandom(100_000)]


class File:
    """In ``path``, with what its threads have told."""

    def __init__(self, path: Path, sealed: bool = False) -> None:
        self.jobs: SimpleQueue[Job] = SimpleQueue()
        self.store = SpillFile(str(path), lambda: self.jobs.put, AesKey(bytes(32)) if sealed else None)
        self.fd = self.store._fd

    def write(self, payloads: list[bytes], at_once: bool = True) -> list[int]:
        found: list[int] = []
        reasons: list[str] = []

        def done(places: list[int], reason: str) -> None:
            found.extend(places)
            reasons.append(reason)

        self.store.write(payloads, at_once, done)
        if not at_once:
            self.jobs.get(timeout=20)()
        if reasons != [""]:
            raise OSError(*reasons)
        return found

    def read_soon(self, place: int) -> tuple[bytes, str]:
        found: list[tuple[bytes, str]] = []
        self.store.read_soon(place, lambda payload, reason: found.append((payload, reason)))
        self.jobs.get(timeout=20)()
        return found[0]


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed"])
@pytest.mark.parametrize("at_once", [False, True], ids=["in a thread", "at once"])
def test_what_was_written_is_read(tmp_path: Path, sealed: bool, at_once: bool) -> None:
    file = File(tmp_path, sealed)
    places = file.write(PAYLOADS, at_once)
    assert [file.store.read(place) for place in places] == PAYLOADS
    assert [file.read_soon(place) for place in places] == [(payload, "") for payload in PAYLOADS]
    assert file.store.used == sum(map(len, PAYLOADS)) + sealed * len(PAYLOADS) * 28


def test_nobody_sees_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "some" / "where"
    file = File(folder)
    file.write([b"secret"])
    assert list(folder.iterdir()) == []
    assert folder.stat().st_mode & 0o077 == 0


def test_sealed_values_are_not_in_the_file(tmp_path: Path) -> None:
    file = File(tmp_path, sealed=True)
    file.write([b"secret" * 100])
    assert b"secret" not in os.pread(file.fd, 10_000, 0)


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed"])
def test_every_flipped_byte_is_found(tmp_path: Path, sealed: bool) -> None:
    file = File(tmp_path, sealed)
    (place,) = file.write([b"value" * 5])
    length = file.store.used
    for at in range(length):
        (was,) = os.pread(file.fd, 1, at)
        os.pwrite(file.fd, bytes([was ^ 1]), at)
        with pytest.raises(OSError, match="the checksum is wrong"):
            file.store.read(place)
        assert file.read_soon(place) == (b"", "the checksum is wrong")
        os.pwrite(file.fd, bytes([was]), at)
    assert file.store.read(place) == b"value" * 5


def test_a_seal_vouches_for_what_the_checksum_does_not(tmp_path: Path) -> None:
    file = File(tmp_path, sealed=True)
    assert file.write([b"value"])
    piece = bytearray(os.pread(file.fd, file.store.used, 0))
    piece[-1] ^= 1
    os.pwrite(file.fd, piece, 0)
    with pytest.raises(OSError, match="the seal is broken"):
        file.store.read(spill_file.place_of(0, bytes(piece)))


def test_a_file_that_was_cut_is_found_out(tmp_path: Path) -> None:
    file = File(tmp_path)
    (place,) = file.write([b"value" * 100])
    os.ftruncate(file.fd, 100)
    with pytest.raises(OSError, match="100 bytes of 500 are there"):
        file.store.read(place)


def test_what_is_free_is_used_again_and_given_back_at_the_end(tmp_path: Path) -> None:
    file = File(tmp_path)
    places = file.write([bytes(1 << 20)] * 40)
    size = file.store.size
    for place in places[:20]:
        file.store.free(place)
    assert (file.store.used, file.store.size) == (20 << 20, size)
    again = file.write([bytes(1 << 20)] * 20)
    assert file.store.size == size
    for place in places[20:]:
        file.store.free(place)
    assert file.store.size <= (20 << 20) + SHRINK
    assert os.fstat(file.fd).st_size == file.store.size
    assert [file.store.read(place) for place in again] == [bytes(1 << 20)] * 20


@pytest.mark.parametrize("at_once", [False, True], ids=["in a thread", "at once"])
def test_a_write_that_fails_keeps_nothing(tmp_path: Path, at_once: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    file = File(tmp_path)
    (kept,) = file.write([b"kept"])
    left = [2]

    def write_at(fd: int, data: bytes, offset: int) -> None:
        left[0] -= 1
        if not left[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(spill_file, "write_at", write_at)
    with pytest.raises(OSError, match="No space left on device"):
        file.write(PAYLOADS, at_once)
    assert file.store.used == 4
    assert file.store.read(kept) == b"kept"
    monkeypatch.undo()
    assert [file.store.read(place) for place in file.write(PAYLOADS)] == PAYLOADS


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError):
        File(tmp_path / "file" / "folder")
