"""Files that take the place of others: in the background they do so only as long as they are wanted."""

import os
import threading
from pathlib import Path

import pytest

from gossamer.node.io import new_file
from gossamer.node.io.new_file import BackgroundFile, begin_file
from tests.integration.clusters import wait_until


def test_who_is_abandoned_at_the_last_step_replaces_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, at_disk, goes_on = tmp_path / "dump.rdb", threading.Event(), threading.Event()

    def fsync(fd: int) -> None:
        at_disk.set()
        assert goes_on.wait(30)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(new_file, "sync_directory", lambda path: None)
    file = BackgroundFile(lambda process: begin_file(str(path), True, process), lambda what: what())
    file.write(b"old")
    file.commit()
    assert at_disk.wait(30)
    file.abandon()
    path.write_bytes(b"new")  # as FLUSHALL and SHUTDOWN do, and the next rewrite
    goes_on.set()
    wait_until(lambda: os.listdir(tmp_path) == ["dump.rdb"], "what was abandoned goes away")
    assert path.read_bytes() == b"new"
    assert not file.done
