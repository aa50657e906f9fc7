"""Files that must survive: whole or not at all, and nodes.conf with one owner."""

import fcntl
import os
from pathlib import Path

import pytest

from node.io.disk import ConfInUse, NodesConf, replace_file


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old and longer")
    os.close(replace_file(str(path), b"new", 0o640))
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["file"]


def test_a_failed_replacement_leaves_the_old_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        replace_file(str(path), b"new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_nothing_has_the_name_before_it_is_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    fsync, rename = os.fsync, os.rename

    def note_fsync(fd: int) -> None:
        steps.append("fsync directory" if os.path.isdir(f"/proc/self/fd/{fd}") else "fsync file")
        fsync(fd)

    def note_rename(old: str, new: str) -> None:
        steps.append("rename")
        rename(old, new)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(os, "rename", note_rename)
    os.close(replace_file(str(tmp_path / "file"), b"text"))
    assert steps == ["fsync file", "rename", "fsync directory"]


def test_nodes_conf_is_read_back_and_begins_empty(tmp_path: Path) -> None:
    path = str(tmp_path / "nodes.conf")
    conf = NodesConf(path)
    assert conf.read() == ""
    conf.write("vars currentEpoch 1\n")
    assert conf.read() == "vars currentEpoch 1\n"
    conf.close()
    again = NodesConf(path)
    assert again.read() == "vars currentEpoch 1\n"
    again.close()


def test_nodes_conf_has_one_owner_also_after_a_save(tmp_path: Path) -> None:
    path = str(tmp_path / "nodes.conf")
    conf = NodesConf(path)
    with pytest.raises(ConfInUse):
        NodesConf(path)
    conf.write("a")
    with pytest.raises(ConfInUse):
        NodesConf(path)
    with open(path) as file, pytest.raises(BlockingIOError):  # what redis-server would do
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    conf.close()
    NodesConf(path).close()


def test_a_lock_on_a_file_that_was_replaced_meanwhile_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "nodes.conf")
    owner = NodesConf(path)
    flock = fcntl.flock
    calls: list[int] = []

    def slow(fd: int, operation: int) -> None:
        calls.append(fd)
        if len(calls) == 1:  # the newcomer has the old file open; now the owner saves
            monkeypatch.setattr(fcntl, "flock", flock)
            owner.write("a")
            monkeypatch.setattr(fcntl, "flock", slow)
        flock(fd, operation)

    monkeypatch.setattr(fcntl, "flock", slow)
    with pytest.raises(ConfInUse):
        NodesConf(path)
    assert len(calls) == 2
    owner.close()


def test_nodes_conf_stays_where_it_was_when_the_process_moves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    conf = NodesConf("nodes.conf")
    monkeypatch.chdir(tmp_path / "elsewhere")
    conf.write("a")
    conf.close()
    assert (tmp_path / "nodes.conf").read_text() == "a"
