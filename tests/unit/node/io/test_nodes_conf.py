"""nodes.conf has one owner, and what is noted beside it survives what it has to."""

import fcntl
import os
from pathlib import Path

import pytest

from node.io.nodes_conf import ConfInUse, NodesConf, Notes


def remembered(path: Path) -> str:
    """What the next process reads."""
    conf = NodesConf(str(path))
    conf.close()
    return conf.read()


def test_nodes_conf_is_read_back_and_begins_empty(tmp_path: Path) -> None:
    path = str(tmp_path / "nodes.conf")
    conf = NodesConf(path)
    assert conf.read() == ""
    conf.write("vars currentEpoch 1\n")
    conf.close()
    assert remembered(tmp_path / "nodes.conf") == "vars currentEpoch 1\n"


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


def test_the_newest_note_counts(tmp_path: Path) -> None:
    path = tmp_path / "nodes.conf"
    conf = NodesConf(str(path))
    for number in range(10):
        conf.note(f"note {number}", synced=number % 3 == 0)
        assert path.read_text() == "note 0"
    conf.close()  # without another word, as if it had been killed
    assert remembered(path) == "note 9"


@pytest.mark.parametrize("length", [0, 10, 40, 120, 5000])
def test_a_note_that_was_cut_short_is_none(tmp_path: Path, length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "nodes.conf"
    conf = NodesConf(str(path))
    conf.note("first", synced=True)
    conf.note("synced", synced=True)
    conf.note("written" * 1000, synced=False)
    monkeypatch.setattr("node.io.nodes_conf.write_all", lambda fd, data: os.write(fd, data[:length]))
    conf.note("torn" * 2000, synced=False)
    conf.close()
    assert remembered(path) == "written" * 1000


def test_what_was_synced_last_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "nodes.conf"
    conf = NodesConf(str(path))
    conf.note("first", synced=True)
    conf.note("promised", synced=True)
    for number in range(5):
        conf.note(f"note {number}", synced=False)
        assert b"promised" in (tmp_path / "nodes.conf.latest").read_bytes()
    conf.close()


def test_a_note_made_beside_another_nodes_conf_is_none(tmp_path: Path) -> None:
    path = tmp_path / "nodes.conf"
    conf = NodesConf(str(path))
    conf.note("first", synced=True)
    conf.note("second", synced=True)
    conf.close()
    path.write_text("what redis-server wrote")
    assert remembered(path) == "what redis-server wrote"


@pytest.mark.parametrize("replaced", [False, True], ids=["before", "after"])
def test_what_is_noted_while_nodes_conf_is_replaced_counts_before_and_after_that(
    tmp_path: Path, replaced: bool
) -> None:
    path = tmp_path / "nodes.conf"
    conf = NodesConf(str(path))
    conf.note("first", synced=True)
    conf.note("second", synced=True)
    replace = conf.replacing("second")
    conf.note("third", synced=True)
    if replaced:
        replace()
        assert path.read_text() == "second"
    conf.close()
    assert remembered(path) == "third"


def test_a_text_that_outgrows_its_place_gets_a_larger_one(tmp_path: Path) -> None:
    path = tmp_path / "nodes.conf"
    conf = NodesConf(str(path))
    conf.note("small", synced=True)
    late = conf.replacing("small")
    conf.note("large" * 10_000, synced=False)
    late()
    assert path.read_text() == "large" * 10_000, "an older text does not come after it"
    conf.note("larger" * 10_000, synced=True)
    assert path.read_text() == "large" * 10_000
    conf.close()
    assert remembered(path) == "larger" * 10_000


def test_a_synced_note_is_on_disk_and_changes_nothing_else_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = Notes(str(tmp_path / "latest"))
    notes.make_place(b"text")
    size = os.path.getsize(tmp_path / "latest")
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    monkeypatch.setattr(os, "fsync", None)
    notes.write(b"text", (b"", b""), synced=False)
    assert not synced
    notes.write(b"text", (b"", b""), synced=True)
    assert len(synced) == 1
    assert os.path.getsize(tmp_path / "latest") == size
    notes.close()
