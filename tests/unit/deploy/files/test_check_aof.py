"""``gossamer check-aof``: the verdicts of redis-check-aof, the same cuts, and nothing is cut that was not agreed to."""

import builtins
import re
import shutil
from pathlib import Path

import pytest

from tests.unit.deploy.files.tools import Said, gossamer, redis
from tests.unit.node.persist.aof.recorded import AOF, Folder, folders
from tests.unit.node.persist.aof.test_reader import EXEC, MULTI, RDB, SET

pytestmark = pytest.mark.once

FOLDERS = folders()
REDIS_FOLDERS = [folder for folder in FOLDERS if folder.name.startswith("redis-7.0.15")]
"""The RDBs of the others are too new for redis-check-aof 7.0."""
MANIFEST = "appendonly.aof.manifest"


def named(name: str) -> Folder:
    return next(folder for folder in FOLDERS if folder.name == name)


def copied(folder: Folder, to: Path) -> Path:
    """The manifest of a copy that may be changed."""
    shutil.copytree(folder.path, to)
    return to / MANIFEST


def fix(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, path: Path, answer: str | None) -> Said:
    """``answer`` None: nobody is there."""

    def answered(question: str) -> str:
        print(question)
        if answer is None:
            raise EOFError
        return answer

    monkeypatch.setattr(builtins, "input", answered)
    return gossamer(capsys, "check-aof", "--fix", path)


def sizes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.iterdir()}


# --- verdicts


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_recorded_folder_is_whole_or_not_as_its_server_found(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    said = gossamer(capsys, "check-aof", folder.manifest)
    assert said.code == (0 if folder.starts_anyway else 1)
    if folder.cut_to is not None and not folder.starts_anyway:
        assert f"of {folder.incr.stat().st_size:,} bytes {folder.cut_to} are whole" in said.err


@pytest.mark.parametrize("folder", REDIS_FOLDERS, ids=lambda folder: folder.name)
def test_the_verdict_is_that_of_redis_check_aof(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    theirs = redis("redis-check-aof", folder.manifest)
    ours = gossamer(capsys, "check-aof", folder.manifest)
    assert ours.code == theirs.code
    *_, up_to = re.findall(r"ok_up_to=(\d+)", theirs.out)
    if ours.code:
        assert f" {up_to} are whole" in ours.err


@pytest.mark.parametrize(
    "data",
    [
        SET * 3,
        SET + MULTI + SET + EXEC,
        b"#TS:1\r\n" + SET,
        RDB + SET,
        SET + SET[:-1],
        SET + MULTI + SET,
        SET + MULTI + SET + SET[:5],
        SET + EXEC,
        SET + MULTI + MULTI + EXEC,
        SET + b"PING\r\n" + SET,
        SET + b"*1\r\n$4\r\nPINGxx" + SET,
        RDB + SET[:-1],
        b"garbage",
    ],
)
def test_a_single_file_is_judged_as_redis_check_aof_does(
    data: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "appendonly.aof"
    path.write_bytes(data)
    theirs = redis("redis-check-aof", path)
    ours = gossamer(capsys, "check-aof", path)
    assert ours.code == theirs.code
    (up_to,) = re.findall(r"ok_up_to=(\d+)", theirs.out)
    assert (f"is valid: {up_to} bytes" in ours.out) if ours.code == 0 else (f" {up_to} are whole" in ours.err)


def test_what_is_found_is_told_file_by_file(capsys: pytest.CaptureFixture[str]) -> None:
    folder = named("redis-7.0.15/whole")
    said = gossamer(capsys, "check-aof", folder.manifest)
    base = folder.path / "appendonly.aof.2.base.rdb"
    assert f"{base}:\n  RDB version 10 of Redis\n" in said.out
    assert "  database 0: 7 keys, 1 expire, " in said.out
    assert f"{base} is valid: 237 bytes, 0 commands\n{folder.incr} is valid: 812 bytes, 20 commands\n" in said.out


def test_damage_is_told_with_file_and_place(capsys: pytest.CaptureFixture[str]) -> None:
    folder = named("redis-7.0.15/corrupt-middle")
    said = gossamer(capsys, "check-aof", folder.manifest)
    assert said.err.startswith(
        f"gossamer: {folder.incr} is not valid, it is damaged at byte 384: an argument begins with '$', but here"
    )
    assert "of 812 bytes 371 are whole, 441 follow" in said.err


def test_a_file_that_the_manifest_names_must_be_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = copied(named("redis-7.0.15/whole"), tmp_path / "a")
    (manifest.parent / "appendonly.aof.2.incr.aof").unlink()
    said = gossamer(capsys, "check-aof", manifest)
    assert said.code == redis("redis-check-aof", manifest).code == 1
    assert "appendonly.aof.2.incr.aof: No such file or directory" in said.err


def test_a_manifest_with_a_mistake_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = tmp_path / MANIFEST
    manifest.write_bytes(b"# mine\nfile a seq 1 type q\n")
    said = gossamer(capsys, "check-aof", manifest)
    assert said.code == redis("redis-check-aof", manifest).code == 1
    assert f"{manifest}: line 2: Unknown AOF file type: 'file a seq 1 type q'" in said.err


# --- cutting


@pytest.mark.parametrize(
    "folder", [folder for folder in REDIS_FOLDERS if not folder.starts_anyway], ids=lambda folder: folder.name
)
def test_a_fix_cuts_where_redis_check_aof_cuts(
    folder: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = copied(folder, tmp_path / "mine"), copied(folder, tmp_path / "theirs")
    assert redis("redis-check-aof", "--fix", theirs, answer="y\n").code == 0
    assert fix(capsys, monkeypatch, mine, "y").code == 0
    assert sizes(mine.parent) == sizes(theirs.parent)
    assert gossamer(capsys, "check-aof", mine).code == 0


@pytest.mark.parametrize("name", ["redis-7.0.15/corrupt-middle", "redis-7.0.15/cut-mid-command"])
@pytest.mark.parametrize("answer", ["", "n", "nay", None])
def test_without_a_yes_nothing_is_cut(
    name: str,
    answer: str | None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    manifest = copied(named(name), tmp_path / "a")
    before = sizes(manifest.parent)
    said = fix(capsys, monkeypatch, manifest, answer)
    assert (said.code, sizes(manifest.parent)) == (1, before)
    assert said.out.endswith("nothing was changed\n")


def test_how_much_is_lost_is_told_before_it_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = copied(named("redis-7.0.15/corrupt-middle"), tmp_path / "a")
    told, _, _ = fix(capsys, monkeypatch, manifest, "n").out.partition("Continue?")
    assert "it loses its last 441 bytes and all commands in them." in told


def test_only_the_last_file_is_cut(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = tmp_path / MANIFEST
    manifest.write_bytes(b"file a seq 1 type i\nfile b seq 2 type i\n")
    (tmp_path / "a").write_bytes(SET[:-1])
    (tmp_path / "b").write_bytes(SET)
    said = fix(capsys, monkeypatch, manifest, "y")
    assert said.code == redis("redis-check-aof", "--fix", manifest, answer="y\n").code == 1
    assert "it cannot be cut, the files behind it go on from its end" in said.err
    assert sizes(tmp_path)["a"] == len(SET) - 1


def test_an_rdb_is_never_cut(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "appendonly.aof"
    path.write_bytes(RDB[:-1])
    said = fix(capsys, monkeypatch, path, "y")
    assert said.code == redis("redis-check-aof", "--fix", path, answer="y\n").code == 1
    assert "in the RDB that begins the file: cut off" in said.err
    assert path.stat().st_size == len(RDB) - 1


def test_a_file_that_grows_meanwhile_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "appendonly.aof"
    path.write_bytes(SET + SET[:-1])

    def write_on(_: str) -> str:
        path.write_bytes(SET + SET)
        return "y"

    monkeypatch.setattr(builtins, "input", write_on)
    said = gossamer(capsys, "check-aof", "--fix", path)
    assert (said.code, path.read_bytes()) == (1, SET + SET)
    assert "has changed meanwhile" in said.err


def test_a_whole_file_is_not_asked_about(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    said = fix(capsys, monkeypatch, AOF / "redis-7.0.15" / "whole" / MANIFEST, "y")
    assert said.code == 0
    assert "Continue?" not in said.out
