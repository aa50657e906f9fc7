"""nodes.conf has one owner, and what is noted beside it survives what it has to."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from gossamer.node.io.nodes_conf import Beside, ConfInUse, ConfTorn, NodesConf, Notes


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
    monkeypatch.setattr("gossamer.node.io.nodes_conf.write_all", lambda fd, data: os.write(fd, data[:length]))
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
    nothing = Beside(b""), Beside(b"")
    notes.write(b"text", nothing, synced=False)
    assert not synced
    notes.write(b"text", nothing, synced=True)
    assert len(synced) == 1
    assert os.path.getsize(tmp_path / "latest") == size
    notes.close()


ME, OTHER = "a" * 40, "b" * 40


def conf_text(ip: str = "10.0.0.1", epoch: int = 1, slots: str = "", other: str = "10.0.0.2", me: str = ME) -> str:
    return (
        f"{me} {ip}:7000@17000,,tls-port=0,shard-id={me} myself,master - 0 0 {epoch} connected{slots}\n"
        f"{OTHER} {other}:7000@17000,host.example,tls-port=0 master - 0 {epoch} 0 connected\n"
        f"vars currentEpoch {epoch} lastVoteEpoch {epoch}\n"
    )


def killed(path: Path, *texts: str) -> None:
    """A node that settled the first of these and noted the others, and was killed."""
    conf = NodesConf(str(path))
    conf.note(texts[0], synced=True)
    conf.write(texts[0])
    for text in texts[1:]:
        conf.note(text, synced=True)
    conf.close()
    assert path.read_text() == texts[0]


def test_an_edited_address_and_a_newer_note_both_count(tmp_path: Path) -> None:
    path = tmp_path / "nodes.conf"
    killed(path, conf_text(), conf_text(epoch=7, slots=" 0-100"))
    path.write_text(path.read_text().replace("10.0.0.1", "10.9.9.9"))
    conf = NodesConf(str(path))
    assert conf.read() == conf_text("10.9.9.9", 7, " 0-100")
    assert conf.behind
    assert any("edited" in remark for remark in conf.remarks)
    conf.close()


def test_an_address_that_was_only_noted_counts_where_nothing_was_edited(tmp_path: Path) -> None:
    path = tmp_path / "nodes.conf"
    killed(path, conf_text(), conf_text(epoch=7, other="10.0.0.3"))
    assert remembered(path) == conf_text(epoch=7, other="10.0.0.3")


def test_beside_a_nodes_conf_that_was_changed_otherwise_epochs_and_votes_count(tmp_path: Path) -> None:
    path = tmp_path / "nodes.conf"
    killed(path, conf_text(), conf_text(epoch=7))
    path.write_text(conf_text(epoch=2, slots=" 5"))
    told = remembered(path)
    assert told == conf_text(epoch=2, slots=" 5").replace(
        "currentEpoch 2 lastVoteEpoch 2", "currentEpoch 7 lastVoteEpoch 7"
    )


@pytest.mark.parametrize("text", [conf_text(me="c" * 40), ""], ids=["another node", "nothing"])
def test_a_note_of_another_node_is_not_looked_at_and_that_is_said(tmp_path: Path, text: str) -> None:
    path = tmp_path / "nodes.conf"
    killed(path, conf_text(), conf_text(epoch=7))
    path.write_text(text)
    conf = NodesConf(str(path))
    assert conf.read() == text
    assert any("not looked at" in remark for remark in conf.remarks)
    conf.close()


def test_without_its_notes_nodes_conf_counts(tmp_path: Path) -> None:
    path = tmp_path / "nodes.conf"
    killed(path, conf_text(), conf_text(epoch=7))
    (tmp_path / "nodes.conf.latest").unlink()
    conf = NodesConf(str(path))
    assert conf.read() == conf_text()
    assert any("not known here" in remark for remark in conf.remarks)
    conf.close()


def test_nothing_is_missed_where_there_is_nothing_or_notes_are_there(tmp_path: Path) -> None:
    path = tmp_path / "nodes.conf"
    for _ in range(2):
        conf = NodesConf(str(path))
        assert conf.remarks == []
        conf.note(conf_text(), synced=True)
        conf.write(conf_text())
        conf.close()


def test_notes_of_older_versions_are_read(tmp_path: Path) -> None:
    path = tmp_path / "nodes.conf"
    killed(path, conf_text(), conf_text(epoch=7))
    latest = tmp_path / "nodes.conf.latest"
    data, text = latest.read_bytes(), conf_text(epoch=7).encode()
    at = data.index(text) + len(text)
    latest.write_bytes(data[:at] + bytes(96) + data[at + 96 :])
    assert remembered(path) == conf_text(epoch=7)


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    link, target = tmp_path / "nodes.conf", tmp_path / "kept" / "real.conf"
    link.symlink_to(target)
    conf = NodesConf(str(link))
    conf.write(conf_text())
    conf.close()
    assert link.is_symlink()
    assert target.read_text() == conf_text()
    assert remembered(link) == conf_text()


def irreplaceable(path: Path, monkeypatch: pytest.MonkeyPatch) -> NodesConf:
    def busy(*_: str) -> None:
        raise OSError(errno.EBUSY, "Device or resource busy")

    monkeypatch.setattr(os, "rename", busy)
    conf = NodesConf(str(path))
    conf.note(conf_text(), synced=True)
    conf.write(conf_text())
    return conf


def test_what_cannot_be_replaced_is_written_in_place_with_every_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "nodes.conf"
    conf = irreplaceable(path, monkeypatch)
    assert path.read_text() == conf_text()
    assert any("in place" in remark for remark in conf.remarks)
    stale = conf.replacing(conf_text(epoch=2))
    for text in (conf_text(epoch=3, slots=" 0-16383"), conf_text(epoch=4)):
        conf.note(text, synced=False)
        assert path.read_text() == text
    stale()
    assert path.read_text() == conf_text(epoch=4), "an older text does not come after it"
    with pytest.raises(ConfInUse):
        NodesConf(str(path))
    conf.close()
    (tmp_path / "nodes.conf.latest").unlink()
    assert remembered(path) == conf_text(epoch=4)


@pytest.mark.parametrize("pieces", [1, 2])
def test_one_that_was_cut_short_in_place_is_told_from_a_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pieces: int
) -> None:
    path = tmp_path / "nodes.conf"
    conf = irreplaceable(path, monkeypatch)
    written: list[bytes] = []

    def torn(fd: int, data: bytes) -> None:
        if len(written) == pieces:
            raise OSError(errno.EIO, "Input/output error")
        written.append(data)
        os.write(fd, data)

    monkeypatch.setattr("gossamer.node.io.disk.write_all", torn)
    with pytest.raises(OSError, match="Input"):
        conf.note(conf_text(epoch=9), synced=True)
    conf.close()
    monkeypatch.undo()
    assert path.read_bytes().startswith(b"\0")
    assert remembered(path) == conf_text(epoch=9)
    (tmp_path / "nodes.conf.latest").unlink()
    with pytest.raises(ConfTorn):
        NodesConf(str(path))
