"""A large file is read with a bar on a terminal, and without one elsewhere."""

import sys
from pathlib import Path

import pytest

from gossamer.deploy.files import pieces


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(pieces, "LARGE", 10)
    monkeypatch.setattr(pieces, "PIECE", 4)
    path = tmp_path / "dump[1].rdb"
    path.write_bytes(b"0123456789")
    return path


def test_on_a_terminal_a_large_file_has_a_bar(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    assert list(pieces.pieces(file)) == [b"0123", b"4567", b"89"]
    assert "dump[1].rdb" in capsys.readouterr().out


def test_elsewhere_it_has_none(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert b"".join(pieces.pieces(file)) == b"0123456789"
    assert capsys.readouterr().out == ""


def test_a_small_file_has_none(file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(pieces, "LARGE", 11)
    assert b"".join(pieces.pieces(file)) == b"0123456789"
    assert capsys.readouterr().out == ""
