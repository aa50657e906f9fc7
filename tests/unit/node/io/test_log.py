"""The log: Redis' line format, levels, and files that may be moved away."""

import os
import re
from pathlib import Path

import pytest

from gossamer.node.io.log import Log, can_append, stamp


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "node.log"


def test_a_line_has_pid_role_time_mark_and_text(path: Path) -> None:
    log = Log(str(path), "debug")
    log.write("notice", "starting")
    log.role = "M"
    for level in ("debug", "verbose", "notice", "warning"):
        log.write(level, level)
    lines = path.read_text().splitlines()
    when = r"\d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d\.\d{3}"
    assert re.fullmatch(rf"{os.getpid()}:C {when} \* starting", lines[0])
    assert [line.split()[-2:] for line in lines[1:]] == [
        [".", "debug"],
        ["-", "verbose"],
        ["*", "notice"],
        ["#", "warning"],
    ]
    assert all(line.startswith(f"{os.getpid()}:M ") for line in lines[1:])


@pytest.mark.parametrize(
    ("least", "kept"), [("debug", 4), ("verbose", 3), ("notice", 2), ("warning", 1), ("nothing", 0)]
)
def test_less_important_lines_are_left_out(path: Path, least: str, kept: int) -> None:
    log = Log(str(path))
    log.set_level(least)
    for level in ("debug", "verbose", "notice", "warning"):
        log.write(level, "text")
    assert len(path.read_text().splitlines() if path.exists() else []) == kept


def test_milliseconds_are_cut_and_padded() -> None:
    assert stamp(1_700_000_000.0079).endswith(".007")
    assert stamp(1_700_000_000.9999).endswith(".999")


def test_a_log_that_was_moved_away_is_continued_in_a_new_file(path: Path) -> None:
    log = Log(str(path))
    log.write("notice", "before")
    path.rename(path.with_suffix(".1"))
    log.write("notice", "after")
    assert path.read_text().endswith(" * after\n")


def test_a_log_that_cannot_be_written_is_no_reason_to_stop(path: Path) -> None:
    assert can_append(str(path / "below")) == "No such file or directory"
    Log(str(path / "below")).write("warning", "lost")
    assert can_append(str(path)) is None
    assert can_append("") is None
