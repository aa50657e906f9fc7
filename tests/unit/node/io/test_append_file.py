"""A file that grows, sealed or not: whatever happens to a write, the file can be read, and goes on."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gossamer.node.io import append_file
from gossamer.node.io.append_file import DiskAppendFile
from gossamer.node.io.cut_back import cut_back
from gossamer.node.io.data_file import DataFile, can_go_on
from gossamer.node.io.keys import NO_KEYS, Keys
from gossamer.node.io.new_file import DiskFile
from gossamer.node.persist.sealed.form import CHUNK_HEAD_SIZE, LARGEST, MAGIC, RUN_SIZE, TAG_SIZE, SealError
from tests.unit.node.persist.sealed.sealing import KEY, OTHER

KEYS = Keys(KEY, (KEY,))
OVERHEAD = CHUNK_HEAD_SIZE + TAG_SIZE


def never(what: Callable[[], None]) -> None:
    raise AssertionError(what)


def growing(path: Path, keys: Keys = KEYS) -> DiskAppendFile:
    return DiskAppendFile(str(path), path.stat().st_size if path.exists() else 0, never, keys.seals)


def read(path: Path, keys: Keys = KEYS, step: int = 1 << 20) -> tuple[bytes, DataFile]:
    with DataFile(str(path), keys) as file:
        out = []
        while data := file.read(step):
            out.append(data)
        return b"".join(out), file


@pytest.mark.parametrize("keys", [NO_KEYS, KEYS])
def test_what_is_appended_is_read_again_over_many_starts(tmp_path: Path, keys: Keys) -> None:
    path = tmp_path / "incr"
    for start in range(3):
        file = growing(path, keys)
        for number in range(3):
            assert file.append(b"%d:%d " % (start, number))
        assert file.sync()
        assert file.size == path.stat().st_size
        file.close()
    assert read(path, keys)[0] == b"0:0 0:1 0:2 1:0 1:1 1:2 2:0 2:1 2:2 "


@pytest.mark.parametrize("keys", [NO_KEYS, KEYS])
def test_what_is_not_durable_can_be_taken_away(tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "incr"
    file = growing(path, keys)
    assert file.append(b"kept ")
    assert file.sync()
    assert file.append(b"lost ")
    monkeypatch.setattr(append_file, "fsync_failure", lambda fd, path: "Input/output error")
    assert not file.sync()
    file.drop_unsynced()
    file.close()
    monkeypatch.undo()
    again = growing(path, keys)
    assert again.append(b"more")
    again.close()
    assert read(path, keys)[0] == b"kept more"


def test_an_append_is_one_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[int] = []
    monkeypatch.setattr(append_file, "write_all", lambda fd, data: writes.append(len(data)))
    file = growing(tmp_path / "incr")
    file.append(b"a")
    file.append(b"bc")
    assert writes == [RUN_SIZE + OVERHEAD + 1, OVERHEAD + 2]
    assert file.size == sum(writes)
    file.close()


@pytest.mark.parametrize("written", [0, 1, 60, 130])
@pytest.mark.parametrize("fails_at", [0, 1])
def test_behind_a_write_that_failed_a_new_run_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int, written: int
) -> None:
    path = tmp_path / "incr"
    file = growing(path)
    for _ in range(fails_at):
        file.append(b"before ")

    def full(fd: int, data: bytes) -> None:
        os.write(fd, data[:written])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(append_file, "write_all", full)
        before = path.stat().st_size
        assert not file.append(b"lost or not")
        assert path.stat().st_size == file.size == before
        assert file.failure.endswith("No space left on device")
    assert file.append(b"another")
    file.close()
    assert path.stat().st_size == before + RUN_SIZE + OVERHEAD + len(b"another")
    assert read(path)[0] == b"before " * fails_at + b"another"


@pytest.mark.parametrize("keys", [NO_KEYS, KEYS])
def test_the_rest_of_a_write_that_failed_is_cut_off_before_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: Keys
) -> None:
    path = tmp_path / "incr"
    file = growing(path, keys)
    assert file.append(b"before ")

    def broken(fd: int, data: bytes | int) -> None:
        if isinstance(data, bytes):
            os.write(fd, data[:3])
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(append_file, "write_all", broken)
        patch.setattr(os, "ftruncate", broken)
        assert not file.append(b"lost")
        assert not file.append(b"lost too")
    assert path.stat().st_size == file.size + 3
    assert file.append(b"behind")
    file.close()
    assert read(path, keys)[0] == b"before behind"


@pytest.mark.parametrize("keys", [NO_KEYS, KEYS])
def test_what_could_not_be_written_may_grow_before_it_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: Keys
) -> None:
    """A bytearray that somebody still looks at could not."""
    path = tmp_path / "incr"
    file = growing(path, keys)
    data = bytearray(b"first ")
    write = os.write

    def full(fd: int, piece: bytes | bytearray | memoryview) -> int:
        if isinstance(piece, memoryview):
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(fd, piece[:3])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        assert not file.append(data)
    data += b"second"
    assert file.append(data)
    file.close()
    assert read(path, keys)[0] == b"first second"


def test_a_file_is_appended_to_only_if_it_is_sealed_as_the_keys_say(tmp_path: Path) -> None:
    path = tmp_path / "file"
    old = Keys(None, (KEY,))
    for content, keys, expected in (
        (b"", KEYS, True),
        (b"", NO_KEYS, True),
        (b"*1\r\n", NO_KEYS, True),
        (b"*1\r\n", KEYS, False),
        (b"*1\r\n", old, True),
    ):
        path.write_bytes(content)
        assert can_go_on(str(path), keys) == expected
    path.unlink()
    growing(path).append(b"x")
    assert can_go_on(str(path), KEYS)
    assert can_go_on(str(path), Keys(OTHER, (OTHER, KEY)))
    assert not can_go_on(str(path), old)
    write_whole(path, b"x")
    assert not can_go_on(str(path), KEYS)


def write_whole(path: Path, *pieces: bytes) -> DiskFile:
    file = DiskFile(str(path), f"{path}.beside", True, KEY)
    for piece in pieces:
        file.write(piece)
        assert file.size > 0
    file.commit()
    assert file.done
    return file


def test_a_new_file_is_sealed_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "dump.rdb"
    file = DiskFile(str(path), f"{path}.beside", True, KEY)
    file.write(b"secret" * 50_000)
    file.write(b"secret")
    beside = Path(f"{path}.beside").read_bytes()
    assert beside.startswith(MAGIC)
    assert b"secret" not in beside
    file.commit()
    assert file.size == path.stat().st_size
    assert read(path)[0] == b"secret" * 50_001
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(SealError, match="it ends too early"):
        read(path)


def test_what_is_no_data_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "incr"
    file = growing(path)
    for _ in range(10):
        file.append(b"data")
    _, opened = read(path, step=50)
    assert opened.overhead == RUN_SIZE + 10 * OVERHEAD
    assert opened.given + opened.overhead == opened.size == file.size
    file.close()


# --- cut back


@pytest.mark.parametrize("keep", [0, 3, 4, 6, 8, 11, 12])
def test_a_sealed_file_is_cut_at_any_byte_of_its_data(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "incr"
    file = growing(path)
    for data in (b"0123", b"4567", b"89ab"):
        file.append(data)
    file.close()
    with path.open("ab") as torn:
        torn.write(b"C\0\0")
    _, opened = read(path)
    assert opened.is_torn
    size = cut_back(str(path), keep, opened, KEYS)
    assert size == path.stat().st_size
    assert read(path)[0] == b"0123456789ab"[:keep]
    assert can_go_on(str(path), KEYS) == (keep % 4 == 0)
    assert [other.name for other in tmp_path.iterdir()] == ["incr"]
    if keep % 4 == 0:
        file = growing(path)
        file.append(b"more")
        file.close()
        assert read(path)[0] == b"0123456789ab"[:keep] + b"more"


def test_a_torn_append_of_several_chunks_needs_no_new_file(tmp_path: Path) -> None:
    path = tmp_path / "incr"
    file = growing(path)
    file.append(b"first")
    whole = file.size
    file.append(bytes(LARGEST + 10))
    file.close()
    os.truncate(path, file.size - 1)
    data, opened = read(path)
    assert len(data) == 5 + LARGEST
    assert cut_back(str(path), 5, opened, KEYS) == whole


@pytest.mark.parametrize("size", [1, 50, RUN_SIZE - 1, RUN_SIZE, RUN_SIZE + 5])
def test_a_file_without_a_whole_chunk_is_empty_then(tmp_path: Path, size: int) -> None:
    path = tmp_path / "incr"
    growing(path).append(b"lost")
    os.truncate(path, size)
    data, opened = read(path)
    assert data == b""
    left = cut_back(str(path), 0, opened, KEYS) if opened.is_torn else size
    assert left == path.stat().st_size == (RUN_SIZE if size >= RUN_SIZE else 0)
    growing(path).append(b"more")
    assert read(path)[0] == b"more"


def test_a_plain_file_is_cut_where_it_is_said(tmp_path: Path) -> None:
    path = tmp_path / "incr"
    path.write_bytes(b"0123456789")
    _, opened = read(path)
    assert cut_back(str(path), 7, opened, KEYS) == 7
    assert path.read_bytes() == b"0123456"
