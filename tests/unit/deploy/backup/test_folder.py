"""A folder holds a whole backup or none, and nobody's files are touched."""

from pathlib import Path

import pytest

from gossamer.deploy.backup.folder import Folder
from gossamer.deploy.user_error import UserError
from tests.unit.deploy.backup.made import make


def names(path: Path) -> set[str]:
    return {found.name for found in path.iterdir()}


def test_a_whole_backup_is_its_files_and_the_manifest(tmp_path: Path) -> None:
    make(tmp_path / "deep" / "b", "strings", "sets")
    assert names(tmp_path / "deep" / "b") == {"shard-1.rdb", "shard-2.rdb", "manifest.json"}


def test_a_backup_is_never_overwritten(tmp_path: Path) -> None:
    make(tmp_path / "b", "strings")
    before = {path: path.read_bytes() for path in (tmp_path / "b").iterdir()}
    with pytest.raises(UserError, match="holds a backup already"), Folder(tmp_path / "b"):
        raise AssertionError
    assert before == {path: path.read_bytes() for path in (tmp_path / "b").iterdir()}


@pytest.mark.parametrize("found", [["notes.txt"], ["shard-1.rdb"], ["unfinished", "notes.txt"]])
def test_a_folder_with_other_files_is_refused(tmp_path: Path, found: list[str]) -> None:
    for name in found:
        (tmp_path / name).write_text("mine")
    with pytest.raises(UserError, match="is not empty"), Folder(tmp_path):
        raise AssertionError
    assert names(tmp_path) == set(found)


def test_what_was_not_finished_gives_way(tmp_path: Path) -> None:
    for name in ("unfinished", "shard-1.rdb", "shard-2.rdb.partial", "manifest.json.partial"):
        (tmp_path / name).write_text("old")
    with Folder(tmp_path) as folder:
        assert folder.left
        assert names(tmp_path) == {"unfinished"}


def test_two_do_not_work_in_one_folder(tmp_path: Path) -> None:
    with Folder(tmp_path / "b") as folder:
        folder.partial("shard-1.rdb").write_text("data")
        with pytest.raises(UserError, match="another process makes a backup"), Folder(tmp_path / "b"):
            raise AssertionError
        assert "shard-1.rdb.partial" in names(tmp_path / "b")


@pytest.mark.parametrize("made", [False, True])
def test_a_failure_leaves_nothing(tmp_path: Path, made: bool) -> None:
    if made:
        (tmp_path / "b").mkdir()
    folder = Folder(tmp_path / "b")
    with pytest.raises(ZeroDivisionError), folder:
        print((tmp_path / "b" / "shard-1.rdb.partial").write_text("data") / 0)
    assert (tmp_path / "b").exists() == made
    assert not made or not names(tmp_path / "b")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "b"):
        with pytest.raises(UserError, match=f"{path}: Not a directory"), Folder(path):
            raise AssertionError
