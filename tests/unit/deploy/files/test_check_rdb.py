"""``gossamer check-rdb``: the verdicts and the counts of redis-check-rdb, and damage named with its place."""

import re
from pathlib import Path

import pytest

from tests.unit.deploy.files.tools import gossamer, redis
from tests.unit.node.persist.recorded import VECTORS

pytestmark = pytest.mark.once

RDB = VECTORS / "rdb"
STRINGS = RDB / "redis-7.0.15" / "strings.rdb"


def total(numbers: list[str]) -> int:
    return sum(int(number.replace(",", "")) for number in numbers)


@pytest.mark.parametrize("path", sorted((RDB / "redis-7.0.15").glob("*.rdb")), ids=lambda path: path.stem)
def test_a_file_is_what_redis_check_rdb_says_that_it_is(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    theirs = redis("redis-check-rdb", path)
    ours = gossamer(capsys, "check-rdb", path)
    assert (ours.code, theirs.code) == (0, 0)
    counts = [re.findall(rf"([\d,]+) {what}", ours.out) for what in ("keys,", "expire,", "have expired")]
    their_counts = [re.findall(rf"(\d+) {what}", theirs.out) for what in ("keys read", "expires", "already expired")]
    assert [total(found) for found in counts] == [total(found) for found in their_counts]
    for name, value in re.findall(r"AUX FIELD (\S+) = '(.*)'", theirs.out):
        assert f"  {name} = {value}\n" in ours.out
    assert f"{path} is whole: {path.stat().st_size:,} bytes" in ours.out


@pytest.mark.parametrize("end", [0, 5, 9, 60, 100, -9, -1])
def test_a_file_that_ends_too_early_is_damaged(end: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "dump.rdb"
    data = STRINGS.read_bytes()[:end]
    path.write_bytes(data)
    said = gossamer(capsys, "check-rdb", path)
    assert said.code == redis("redis-check-rdb", path).code == 1
    assert said.err == f"gossamer: {path} is damaged: cut off at byte {len(data)}: the end is missing\n"


def test_a_wrong_byte_is_damage_and_what_was_found_before_it_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "dump.rdb"
    data = STRINGS.read_bytes()
    at = data.index(b"redis-bits")
    path.write_bytes(data[:at] + b"R" + data[at + 1 :])
    said = gossamer(capsys, "check-rdb", path)
    assert said.code == redis("redis-check-rdb", path).code == 1
    assert f"{path}:\n  RDB version 10 of Redis\n  redis-ver = 7.0.15\n" in said.out
    assert f"byte {len(data)}: the checksum is wrong" in said.err


def test_a_file_of_valkey_is_read_too(capsys: pytest.CaptureFixture[str]) -> None:
    said = gossamer(capsys, "check-rdb", RDB / "valkey-9.1.2" / "strings.rdb")
    assert "RDB version 80 of Valkey" in said.out
    assert said.code == 0


def test_what_is_no_rdb_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "dump.rdb"
    path.write_bytes(b"*1\r\n$4\r\nPING\r\n")
    said = gossamer(capsys, "check-rdb", path)
    assert said.code == redis("redis-check-rdb", path).code == 1
    assert "not an RDB" in said.err


def test_bytes_behind_the_end_are_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "dump.rdb"
    path.write_bytes(STRINGS.read_bytes() + b"more")
    said = gossamer(capsys, "check-rdb", path)
    assert "; 4 more stand behind its end" in said.out
    assert said.code == redis("redis-check-rdb", path).code == 0


def test_a_file_that_is_not_there_takes_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = gossamer(capsys, "check-rdb", tmp_path / "none.rdb")
    assert (said.code, said.err) == (1, f"gossamer: {tmp_path}/none.rdb: No such file or directory\n")
