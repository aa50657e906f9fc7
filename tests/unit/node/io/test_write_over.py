"""What a killed process has appended gets to the disk once more, and only then."""

import os
from pathlib import Path

import pytest

from gossamer.node.io import write_over as module
from gossamer.node.io.write_over import note_begin, note_end, write_over


def lock(tmp_path: Path) -> int:
    return os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)


def test_whoever_is_killed_has_not_left_in_good_order(tmp_path: Path) -> None:
    fd = lock(tmp_path)
    assert note_begin(fd), "nobody was here before"
    assert not note_begin(lock(tmp_path))
    note_end(fd)
    assert note_begin(lock(tmp_path))


def test_after_a_start_of_the_system_what_is_seen_is_what_the_disk_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run").write_text("a longer name of a run\n")
    monkeypatch.setattr(module, "BOOT_ID", str(tmp_path / "run"))
    note_begin(lock(tmp_path))
    (tmp_path / "run").write_text("another\n")
    assert note_begin(lock(tmp_path))
    assert not note_begin(lock(tmp_path)), "the longer name is gone"
    monkeypatch.setattr(module, "BOOT_ID", str(tmp_path / "none"))
    assert note_begin(lock(tmp_path))
    assert not note_begin(lock(tmp_path)), "nobody knows"


def test_each_byte_is_written_and_then_made_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = os.urandom(2 * module.PIECE + 7)
    path = tmp_path / "incr"
    path.write_bytes(data)
    steps: list[tuple[int, bytes]] = []
    pwrite, fdatasync = os.pwrite, os.fdatasync

    def short_write(fd: int, piece: bytes, at: int) -> int:
        size = pwrite(fd, piece[: len(piece) // 2 + 1], at)
        steps.append((at, piece[:size]))
        return size

    def sync(fd: int) -> None:
        steps.append((-1, b""))
        fdatasync(fd)

    monkeypatch.setattr(os, "pwrite", short_write)
    monkeypatch.setattr(os, "fdatasync", sync)
    assert write_over([tmp_path / "not there", path]) == len(data)
    assert path.read_bytes() == data
    *written, last = steps
    assert last == (-1, b"")
    assert b"".join(piece for _, piece in written) == data


def test_a_disk_that_refuses_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "incr"
    path.write_bytes(b"data")

    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", fail)
    with pytest.raises(OSError, match="Input/output error") as told:
        write_over([path])
    assert told.value.filename == str(path)
