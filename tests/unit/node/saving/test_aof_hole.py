"""Behind an fsync that has failed: the file may have a hole, and is written anew."""

from random import Random

import pytest

from gossamer.node.persist.aof.manifest import parse
from tests.unit.node.saving.appended import MANIFEST, begin, keys, killed
from tests.unit.node.saving.disk import Disk, Keeper, PowerCut


def with_a_hole() -> Keeper:
    """The disk has forgotten ``a`` and does not say so any more."""
    keeper = begin(Disk())
    keeper.disk.forgets = True
    keeper.ask("SET", "kept", "1")
    keeper.at(10)
    keeper.disk.fails_at = "sync"
    keeper.ask("SET", "a", "1")
    keeper.at(11.2)
    assert keeper.ask("SET", "b", "1").startswith(b"-MISCONF ")
    keeper.disk.fails_at = ""
    keeper.at(12.4)
    assert keeper.info("aof_last_write_status") == "ok"
    assert keeper.ask("SET", "b", "1") == b"+OK\r\n"
    return keeper


def test_it_is_rewritten_once_the_disk_works_again() -> None:
    keeper = with_a_hole()
    assert keeper.info("aof_unsound") == "1"
    assert keys(keeper.disk.left(Random(0))) == {b"kept"}
    keeper.at(13.6)
    keeper.work()
    assert any("The AOF file is written anew" in text for text in keeper.disk.logged)
    assert keeper.info("aof_unsound") == "0"
    assert keys(keeper.disk.left(Random(0))) == {b"kept", b"a", b"b"}
    keeper.ask("SET", "c", "1")
    keeper.at(15)
    assert keys(keeper.disk.left(Random(0))) == {b"kept", b"a", b"b", b"c"}
    rewrites = keeper.info("aof_rewrites")
    keeper.at(30)
    keeper.work()
    assert keeper.info("aof_rewrites") == rewrites, "once is enough"


def test_until_then_no_fsync_can_promise_what_is_answered() -> None:
    keeper = with_a_hole()
    refusal = (
        b"-ERR CONFIG SET failed (possibly related to argument 'appendfsync') - an fsync of the append-only file has"
    )
    assert keeper.ask("CONFIG", "SET", "appendfsync", "always").startswith(refusal)
    assert b"everysec" in keeper.ask("CONFIG", "GET", "appendfsync")
    assert keeper.ask("CONFIG", "SET", "appendfsync", "no") == b"+OK\r\n"
    keeper.at(13.6)
    keeper.work()
    assert keeper.ask("CONFIG", "SET", "appendfsync", "always") == b"+OK\r\n"


def test_while_it_is_rewritten_a_node_can_begin_with_the_old_files_and_a_kill_takes_nothing() -> None:
    """A file with a hole must not stand before another one."""
    keeper = with_a_hole()
    keeper.at(13.6)
    keeper.machine.work()
    assert keeper.info("aof_rewrite_in_progress") == "1"
    keeper.ask("SELECT", "1")
    keeper.ask("SET", "c", "1")
    keeper.at(15)
    assert keys(keeper.disk.left(Random(0))) == {b"kept"}
    assert keys(killed(keeper)) == {b"kept", b"a", b"b", b"c"}
    keeper.work()
    assert keys(keeper.disk.left(Random(0))) == {b"kept", b"a", b"b", b"c"}


def test_a_rewrite_that_somebody_asks_for_does_the_same() -> None:
    keeper = with_a_hole()
    keeper.ask("BGREWRITEAOF")
    keeper.ask("SET", "c", "1")
    keeper.work()
    assert keeper.info("aof_unsound") == "0"
    assert keys(keeper.disk.left(Random(0))) == {b"kept", b"a", b"b", b"c"}


@pytest.mark.parametrize("step", ["open", "write", "commit", "append", "sync"])
def test_a_rewrite_that_fails_then_is_tried_again(step: str) -> None:
    keeper = with_a_hole()
    keeper.at(13.6)
    keeper.disk.fails_at = step if step == "open" else ""
    keeper.machine.work()
    keeper.disk.fails_at = step
    keeper.ask("SET", "c", "1")
    keeper.work()
    if step != "append":  # the base shows what could not be appended
        assert keeper.info("aof_unsound") == "1"
    keeper.disk.fails_at = ""
    for seconds in (15, 16, 17, 18):
        keeper.at(seconds)
        keeper.work()
    assert keeper.info("aof_unsound") == "0"
    assert keys(keeper.disk.left(Random(0))) == {b"kept", b"a", b"b", b"c"}


def test_while_nobody_knows_which_manifest_is_on_the_disk_both_files_are_appended_to() -> None:
    keeper = with_a_hole()
    old = parse(keeper.disk.files[MANIFEST])
    keeper.at(13.6)
    keeper.disk.fails_at = "folder"
    keeper.work()
    assert keeper.info("aof_last_bgrewrite_status") == "err"
    keeper.ask("SET", "c", "1")
    keeper.at(15)
    assert keys(killed(keeper)) == {b"kept", b"a", b"b", b"c"}
    other = killed(keeper)
    assert parse(other.files[MANIFEST]) != old
    other.files[MANIFEST] = old.text()
    assert keys(other) == {b"kept", b"a", b"b", b"c"}
    keeper.ask("BGREWRITEAOF")  # it waits for that one, too
    keeper.work()
    assert keeper.info("aof_unsound") == "1"
    keeper.disk.fails_at = ""
    keeper.at(16)
    assert keeper.info("aof_unsound") == "0"
    keeper.ask("SET", "d", "1")
    keeper.at(18)
    assert keys(keeper.disk.left(Random(0))) == {b"kept", b"a", b"b", b"c", b"d"}


def test_with_always_what_was_not_answered_is_taken_away() -> None:
    """Who starts again would append behind it what is answered, and the disk has not all that is before it."""
    keeper = begin(Disk(), appendfsync="always")
    keeper.ask("SET", "kept", "1")
    keeper.disk.forgets = True
    keeper.disk.fails_at = "sync"
    with pytest.raises(PowerCut):
        keeper.ask("SET", "a", "1")
    keeper.disk.fails_at = ""
    again = begin(killed(keeper), appendfsync="always")
    again.ask("SET", "b", "1")
    assert keys(again.disk.left(Random(0))) == {b"kept", b"b"}
