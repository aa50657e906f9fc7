"""The append-only file of a replica is begun anew when a full sync has replaced its data."""

import pytest

from tests.unit.node.saving.appended import begin, reborn
from tests.unit.node.saving.disk import Disk, PowerCut


def test_a_full_sync_on_a_full_disk_refuses_writes_until_it_can_be_begun_anew() -> None:
    """Nothing that is answered may be nowhere on the disk."""
    keeper = begin(Disk())
    keeper.disk.fails_at = "open"
    keeper.server.saves.replaced()
    assert keeper.ask("SET", "a", "1").startswith(b"-MISCONF Errors writing to the AOF file: ")
    assert keeper.info("aof_enabled") == "1"
    for second in range(1, 8):  # however often it is tried
        keeper.at(second)
        keeper.work()
    assert keeper.ask("SET", "a", "1").startswith(b"-MISCONF ")
    keeper.disk.fails_at = ""
    keeper.at(8)
    keeper.work()
    assert keeper.ask("SET", "a", "1") == b"+OK\r\n"
    assert reborn(keeper).ask("GET", "a") == b"$1\r\n1\r\n"


def test_a_full_sync_on_a_full_disk_ends_a_node_that_promises_every_write() -> None:
    keeper = begin(Disk(), appendfsync="always")
    keeper.disk.fails_at = "open"
    with pytest.raises(PowerCut):
        keeper.server.saves.replaced()
    assert "cannot be begun anew after a full sync: " in keeper.disk.logged[-1]


def test_a_full_sync_begins_it_anew() -> None:
    keeper = begin(Disk())
    keeper.ask("SET", "old", "1")
    keeper.server.keyspace.database(0).clear()
    keeper.server.journal.seen = keeper.server.changes.dirty
    keeper.server.saves.replaced()
    keeper.ask("SET", "new", "1")
    assert reborn(keeper).ask("KEYS", "*") == b"*1\r\n$3\r\nold\r\n"
    keeper.work()
    assert reborn(keeper).ask("KEYS", "*") == b"*1\r\n$3\r\nnew\r\n"
