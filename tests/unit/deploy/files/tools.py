"""``gossamer check-rdb`` and ``check-aof`` run in this process, and the tools that they stand beside."""

import subprocess
from pathlib import Path
from shutil import which

import pytest
from attrs import frozen

from gossamer.deploy.cli import main


@frozen
class Said:
    code: int
    out: str
    err: str


def gossamer(capsys: pytest.CaptureFixture[str], *words: str | Path) -> Said:
    capsys.readouterr()
    code = main([str(word) for word in words])
    out, err = capsys.readouterr()
    return Said(code, out, err)


def redis(name: str, *words: str | Path, answer: str = "") -> Said:
    """What ``redis-check-rdb`` or ``redis-check-aof`` says; the test skips where it is missing."""
    program = which(name)
    if program is None:
        pytest.skip(f"no {name} to compare with: apt-get install redis-tools")
    done = subprocess.run([program, *words], input=answer, capture_output=True, text=True, errors="replace", timeout=30)
    return Said(done.returncode, done.stdout, done.stderr)
