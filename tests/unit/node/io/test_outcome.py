"""Whoever waits for a node hears once how its start ended."""

import os

import pytest

from gossamer.node.io.outcome import READY, REASON_BYTES, Outcome


def told(outcome: Outcome, read: int) -> bytes:
    data = b""
    while piece := os.read(read, 1 << 16):
        data += piece
    os.close(read)
    return data


def test_a_node_that_is_ready_says_one_byte_and_closes() -> None:
    read, write = os.pipe()
    outcome = Outcome(write)
    outcome.ready()
    outcome.failed("too late to matter", aloud=False)
    assert told(outcome, read) == READY


def test_a_reason_is_one_line_that_fits_into_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    read, write = os.pipe()
    outcome = Outcome(write)
    outcome.failed("\nwrong:\n  \udcff" + "x" * 100_000, aloud=True)
    said = told(outcome, read)
    assert said.startswith(b"wrong: \xffxxx")
    assert len(said) == REASON_BYTES
    assert capsys.readouterr().err.count("\n") == 1
