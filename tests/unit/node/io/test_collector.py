"""The collector of cycles is not felt: it looks at young objects only, and ended connections leave nothing to it."""

import gc
from collections.abc import Iterator

import pytest

from gossamer.node.engine.server import Server
from gossamer.node.io.collector import THRESHOLDS, spare_what_lives_long
from gossamer.node.machine import Machine


@pytest.fixture(autouse=True)
def collector_as_it_was() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()
    gc.enable()


def collections() -> list[int]:
    return [generation["collections"] for generation in gc.get_stats()]


def test_however_many_values_there_are_they_are_never_collected_all_at_once() -> None:
    spare_what_lives_long()
    before = collections()
    values = [[number] for number in range(20 * THRESHOLDS[0] * THRESHOLDS[1])]
    young, middle, all_at_once = (now - then for now, then in zip(collections(), before, strict=True))
    assert len(values) > young > middle > 0
    assert all_at_once == 0


def test_what_is_there_at_the_start_is_not_looked_at_again() -> None:
    gc.collect()
    there = len(gc.get_objects())
    spare_what_lives_long()
    assert gc.get_freeze_count() >= there
    assert len(gc.get_objects()) < 100


def test_an_ended_connection_leaves_no_cycle_behind() -> None:
    machine = Machine(Server(16, clustered=False))
    gc.collect()
    gc.disable()
    session = machine.accept("127.0.0.1:1", "127.0.0.1:2")
    session.feed(b"WATCH a\r\nMULTI\r\nSET a b\r\nNONSENSE\r\nEXEC\r\nSET a b\r\nGET a\r\nMONITOR\r\n")
    machine.drain()
    session.take_output()
    machine.server.clients.to_flush.clear()
    machine.leave(session)
    del session
    assert gc.collect() == 0
