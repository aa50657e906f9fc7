"""A backup that is not as it was written is refused before anybody is asked to take it, and the file is named."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.deploy.backup.made import RDB, make
from tests.unit.deploy.files.tools import Said, gossamer

NOBODY = "127.0.0.1:1"


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def restore(capsys: pytest.CaptureFixture[str], path: Path) -> Said:
    said = gossamer(capsys, "restore", path, NOBODY)
    assert said.code == 1
    return said


def test_a_backup_that_is_whole_gets_as_far_as_the_target(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(tmp_path / "b", "strings", "sets")
    assert f"{NOBODY} cannot be reached" in restore(capsys, tmp_path / "b").err


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (flip, "shard-2.rdb is not as it was written: its SHA-256 is "),
        (cut, "shard-2.rdb is not as it was written: it has "),
        (Path.unlink, "shard-2.rdb: No such file or directory"),
        (lambda path: shutil.copy(RDB / "zsets.rdb", path), "shard-2.rdb is not as it was written"),
    ],
    ids=["flipped", "cut", "gone", "another"],
)
def test_a_file_that_has_changed_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], harm: Callable[[Path], object], told: str
) -> None:
    make(tmp_path / "b", "strings", "sets")
    harm(tmp_path / "b" / "shard-2.rdb")
    said = restore(capsys, tmp_path / "b")
    assert told in said.err
    assert str(tmp_path / "b") in said.err


def test_the_manifest_of_another_backup_does_not_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(tmp_path / "b", "strings", "sets")
    make(tmp_path / "other", "strings", "zsets")
    shutil.copy(tmp_path / "other" / "manifest.json", tmp_path / "b")
    assert "shard-2.rdb is not as it was written" in restore(capsys, tmp_path / "b").err


def test_a_manifest_that_is_none_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(tmp_path / "b", "strings")
    manifest = tmp_path / "b" / "manifest.json"
    manifest.write_text('{"format": "backup of something else"}')
    assert f"{manifest} is no manifest of a backup: it is something else" in restore(capsys, tmp_path / "b").err
    flip(manifest)
    assert f"{manifest} is no manifest of a backup" in restore(capsys, tmp_path / "b").err


def test_a_folder_without_a_manifest_is_no_backup(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "is no folder" in restore(capsys, tmp_path / "nothing").err
    make(tmp_path / "b", "strings")
    (tmp_path / "b" / "manifest.json").unlink()
    assert "manifest.json is missing, which is written last" in restore(capsys, tmp_path / "b").err
    (tmp_path / "b" / "unfinished").touch()
    assert "it was not finished" in restore(capsys, tmp_path / "b").err


@pytest.mark.parametrize(("harm", "told"), [(flip, "byte "), (cut, "the end is missing")], ids=["flipped", "cut"])
def test_an_rdb_file_is_read_to_its_end_before_it_is_imported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], harm: Callable[[Path], None], told: str
) -> None:
    path = tmp_path / "dump.rdb"
    shutil.copy(RDB / "strings.rdb", path)
    said = gossamer(capsys, "import", path, NOBODY)
    assert f"{NOBODY} cannot be reached" in said.err
    harm(path)
    said = gossamer(capsys, "import", path, NOBODY)
    assert said.code == 1
    assert f"{path} cannot be read: " in said.err
    assert told in said.err


def test_a_source_that_is_nothing_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = gossamer(capsys, "import", tmp_path / "dump.rdb", NOBODY)
    assert (said.code, "is not there, and is not host:port either" in said.err) == (1, True)
    assert f"{NOBODY} cannot be reached" in gossamer(capsys, "import", NOBODY, NOBODY).err
