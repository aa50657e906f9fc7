"""When what is appended is durable, and what is said where the disk fails."""

import pytest

from tests.unit.node.saving.appended import begin, incr, keys, killed, reborn
from tests.unit.node.saving.disk import START, Disk, GrowingFile, Keeper, PowerCut


def test_with_always_a_batch_is_durable_when_it_is_answered() -> None:
    keeper = begin(Disk(), appendfsync="always")
    before = keeper.disk.steps
    keeper.server.begin_batch(keeper.now)
    for number in range(50):
        keeper.say_nothing("SET", f"k{number}", "v")
    keeper.machine.drain()
    assert incr(keeper).synced == len(incr(keeper).data) > 1000
    assert keeper.disk.steps - before == 2, "one write and one fsync"


def test_with_everysec_it_is_durable_a_second_later() -> None:
    keeper = begin(Disk())
    keeper.at(10)
    keeper.disk.is_slow = True
    keeper.ask("SET", "a", "1")
    file = incr(keeper)
    assert file.synced < len(file.data)
    file.synchronize()
    assert file.synced == len(file.data)
    keeper.disk.is_slow = False
    keeper.ask("SET", "b", "1")
    keeper.at(10.5)
    assert file.synced < len(file.data)
    keeper.at(11.5)
    assert file.synced == len(file.data), "nobody had to write for that"


@pytest.mark.parametrize("after_ms", [100, 500, 900])
def test_with_everysec_that_is_a_second_and_no_more_however_quiet_the_node_is(after_ms: int) -> None:
    keeper = begin(Disk())
    keeper.at(10)
    keeper.at(10 + after_ms / 1000)  # the housekeeping of every second is not due together with the fsync
    keeper.ask("SET", "a", "1")
    keeper.ask("SET", "b", "1")
    file = incr(keeper)
    written = keeper.now
    assert file.synced < len(file.data)
    while file.synced < len(file.data):
        keeper.now = max(keeper.now + 1, keeper.machine.deadline(keeper.now))
        keeper.at((keeper.now - START) / 1000)
    assert keeper.now - written <= 1000


def held_up() -> tuple[Keeper, GrowingFile, int]:
    """A node of which a write waits for the end of an fsync; its incr, and how much is written of it."""
    keeper = begin(Disk())
    keeper.at(10)
    keeper.disk.is_slow = True
    keeper.ask("SET", "a", "1")
    file = incr(keeper)
    written = len(file.data)
    keeper.ask("SET", "b", "1")
    assert len(file.data) == written
    return keeper, file, written


def test_what_had_to_wait_for_an_fsync_is_written_soon_after_it() -> None:
    keeper, file, written = held_up()
    file.synchronize()
    assert keeper.machine.deadline(keeper.now) <= keeper.now + 100
    keeper.at(10.1)
    assert len(file.data) > written


def test_a_write_does_not_wait_for_an_fsync_for_more_than_two_seconds() -> None:
    keeper, file, written = held_up()
    assert keeper.info("aof_buffer_length") != "0"
    keeper.at(12.5)
    assert len(file.data) > written
    assert keeper.info("aof_delayed_fsync") == "1"


@pytest.mark.parametrize("step", ["append", "sync"])
def test_a_disk_that_fails_stops_writes_and_loses_none(step: str) -> None:
    keeper = begin(Disk())
    keeper.at(10)
    keeper.disk.fails_at = step
    assert keeper.ask("SET", "a", "1") == b"+OK\r\n"
    assert keeper.ask("SET", "b", "1").startswith(b"-MISCONF Errors writing to the AOF file: appendonlydir/")
    assert keeper.info("aof_last_write_status") == "err"
    assert keeper.ask("GET", "a") == b"$1\r\n1\r\n"
    keeper.disk.fails_at = ""
    keeper.at(12)
    assert keeper.ask("SET", "b", "1") == b"+OK\r\n"
    keeper.at(14)
    assert reborn(keeper).ask("EXISTS", "a") == b":1\r\n"


@pytest.mark.parametrize("step", ["append", "sync"])
def test_with_always_a_node_whose_disk_fails_says_nothing_more(step: str) -> None:
    keeper = begin(Disk(), appendfsync="always")
    keeper.disk.fails_at = step
    with pytest.raises(PowerCut):
        keeper.ask("SET", "a", "1")
    assert "what was promised to be on disk is not" in keeper.disk.logged[-1]


@pytest.mark.parametrize("what", ["BGREWRITEAOF", "BGSAVE"])
@pytest.mark.parametrize("policy", ["always", "everysec"])
def test_while_the_data_are_written_there_is_no_fsync_if_nobody_wants_it(policy: str, what: str) -> None:
    keeper = begin(Disk(), appendfsync=policy, no_appendfsync_on_rewrite="yes")
    keeper.at(10)
    keeper.ask("SET", "a", "1")
    keeper.at(11.5)
    assert incr(keeper).synced == len(incr(keeper).data), "nothing is under way"
    keeper.ask(what)
    keeper.machine.work()
    keeper.ask("SET", "b", "1")
    keeper.at(14)
    assert 0 < len(incr(keeper).data) > incr(keeper).synced
    assert keeper.info("aof_pending_bio_fsync") == "0"
    keeper.work()
    keeper.at(15.5)
    assert incr(keeper).synced == len(incr(keeper).data)


@pytest.mark.parametrize("policy", ["always", "everysec"])
def test_without_that_directive_there_is(policy: str) -> None:
    keeper = begin(Disk(), appendfsync=policy)
    keeper.at(10)
    keeper.ask("BGSAVE")
    keeper.machine.work()
    keeper.ask("SET", "b", "1")
    keeper.at(12)
    assert keeper.info("rdb_bgsave_in_progress") == "1"
    assert incr(keeper).synced == len(incr(keeper).data)


def test_what_was_answered_without_an_fsync_is_not_taken_away_after_one_that_fails() -> None:
    keeper = begin(Disk(), appendfsync="always", no_appendfsync_on_rewrite="yes")
    keeper.ask("BGSAVE")
    keeper.machine.work()
    assert keeper.ask("SET", "b", "1") == b"+OK\r\n"
    keeper.disk.fails_at = "sync"
    with pytest.raises(PowerCut):
        keeper.work()
    assert keys(killed(keeper)) == {b"b"}
