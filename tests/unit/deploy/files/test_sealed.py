"""``gossamer check-rdb`` and ``check-aof`` with ``--key-file``: sealed files, whole and damaged."""

import builtins
import os
from pathlib import Path

import pytest

from tests.unit.deploy.files.test_check_aof import MANIFEST
from tests.unit.deploy.files.tools import Said, gossamer
from tests.unit.node.io.test_append_file import growing, read, write_whole
from tests.unit.node.persist.aof.test_reader import MULTI, RDB, SET

pytestmark = pytest.mark.once


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """That of ``KEY``."""
    path = tmp_path / "the.key"
    path.write_bytes(bytes(range(32)))
    path.chmod(0o600)
    return path


def appended(path: Path, *pieces: bytes) -> list[int]:
    """A sealed file of these; its size behind each."""
    file = growing(path)
    sizes = []
    for piece in pieces:
        file.append(piece)
        sizes.append(file.size)
    file.close()
    return sizes


def fix(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, path: Path, key: Path) -> Said:
    monkeypatch.setattr(builtins, "input", lambda question: "y")
    return gossamer(capsys, "check-aof", "--fix", "--key-file", key, path)


def test_a_sealed_rdb_is_read_with_its_key(tmp_path: Path, key_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "dump.rdb"
    write_whole(path, RDB[:20], RDB[20:])
    said = gossamer(capsys, "check-rdb", "--key-file", key_file, path)
    assert (said.code, said.err) == (0, "")
    assert f"{path} is whole: {len(RDB)} bytes" in said.out
    said = gossamer(capsys, "check-rdb", path)
    assert said.code != 0
    assert f"{path}: it is sealed, but --key-file does not say with which key" in said.err
    other = tmp_path / "other.key"
    other.write_bytes(bytes(32))
    other.chmod(0o600)
    said = gossamer(capsys, "check-rdb", "--key-file", other, path)
    assert "byte 0: it is sealed with another key" in said.err
    assert gossamer(capsys, "check-rdb", "--key-file", other, "--key-file", key_file, path).code == 0
    other.chmod(0o644)
    assert "mode 0644" in gossamer(capsys, "check-rdb", "--key-file", other, path).err
    os.truncate(path, path.stat().st_size - 1)
    assert "it ends too early" in gossamer(capsys, "check-rdb", "--key-file", key_file, path).err


def test_plain_files_are_read_beside_sealed_ones(
    tmp_path: Path, key_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / MANIFEST).write_text("file base seq 1 type b\nfile incr seq 1 type i\n")
    (tmp_path / "base").write_bytes(RDB)
    sizes = appended(tmp_path / "incr", SET, SET)
    said = gossamer(capsys, "check-aof", "--key-file", key_file, tmp_path / MANIFEST)
    assert (said.code, said.err) == (0, "")
    assert f"incr is valid: {sizes[-1]:,} bytes, 2 commands" in said.out
    assert "does not say with which key" in gossamer(capsys, "check-aof", tmp_path / MANIFEST).err


@pytest.mark.parametrize(
    ("pieces", "cut", "kept"),
    [
        ((SET, SET, SET), 5, 2),
        ((SET, SET + SET[:9], b"x"), 0, 2),
        ((SET, SET, MULTI + SET), 0, 2),
        ((SET, SET + MULTI, SET), 3, 2),
    ],
    ids=["within a chunk", "within a command", "within a transaction", "within both"],
)
def test_a_torn_file_is_cut(
    pieces: tuple[bytes, ...],
    cut: int,
    kept: int,
    tmp_path: Path,
    key_file: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "incr"
    sizes = appended(path, *pieces)
    os.truncate(path, sizes[-1] - cut)
    said = gossamer(capsys, "check-aof", "--key-file", key_file, path)
    assert said.code == 1
    whole = sizes[1] if pieces[1] == SET else sizes[0]
    assert f"of {sizes[-1] - cut:,} bytes {whole:,} are whole" in said.err
    said = fix(capsys, monkeypatch, path, key_file)
    assert (said.code, said.err) == (0, "")
    assert f"to {path.stat().st_size:,} bytes" in said.out
    assert read(path)[0] == SET * kept
    assert gossamer(capsys, "check-aof", "--key-file", key_file, path).code == 0


def test_what_stands_before_a_damaged_chunk_can_be_kept(
    tmp_path: Path, key_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "incr"
    sizes = appended(path, SET, SET, SET, SET)
    data = bytearray(path.read_bytes())
    data[sizes[1] + 20] ^= 1
    path.write_bytes(data)
    said = gossamer(capsys, "check-aof", "--key-file", key_file, path)
    assert f"is damaged at byte {sizes[1]}: chunk 2 is damaged" in said.err
    assert f"of {sizes[3]:,} bytes {sizes[1]:,} are whole, {sizes[3] - sizes[1]:,} follow" in said.err
    before = path.read_bytes()
    assert fix(capsys, monkeypatch, path, key_file).code == 0
    assert path.read_bytes() == before[: sizes[1]]
