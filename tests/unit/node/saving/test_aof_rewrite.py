"""The append-only file written anew: when, beside what, and what is left where that fails."""

import pytest

from tests.unit.node.saving.appended import MANIFEST, begin, incr, reborn, shown
from tests.unit.node.saving.disk import Disk, Keeper


@pytest.mark.parametrize("preamble", ["yes", "no"])
def test_a_rewrite_takes_the_place_of_all_that_was_before(preamble: str) -> None:
    keeper = begin(Disk(), aof_use_rdb_preamble=preamble)
    for number in range(3000):
        keeper.ask("SET", f"k{number % 1000}", number)
    keeper.ask("SELECT", 5)
    keeper.ask("RPUSH", "l", "a", "b")
    size = keeper.machine.saves.aof.size
    assert keeper.ask("BGREWRITEAOF") == b"+Background append only file rewriting started\r\n"
    assert keeper.ask("BGREWRITEAOF") == b"-ERR Background append only file rewriting already in progress\r\n"
    keeper.machine.work()
    keeper.ask("RPUSH", "l", "c")
    keeper.work()
    aof = keeper.machine.saves.aof
    assert (len(aof.manifest.incrs), aof.manifest.history) == (1, ())
    assert aof.size < size
    assert sorted(keeper.disk.files) == [
        f"appendonlydir/appendonly.aof.2.base.{'rdb' if preamble == 'yes' else 'aof'}",
        MANIFEST,
    ]
    assert b"RPUSH" in shown(keeper)
    again = reborn(keeper)
    assert again.ask("GET", "k999") == b"$4\r\n2999\r\n"
    again.ask("SELECT", 5)
    assert again.ask("LRANGE", "l", 0, -1).count(b"$1") == 3


def test_a_rewrite_that_fails_leaves_an_incr_more() -> None:
    keeper = begin(Disk())
    keeper.ask("SET", "a", "1")
    keeper.disk.fails_at = "commit"
    keeper.ask("BGREWRITEAOF")
    keeper.work()
    keeper.ask("SET", "b", "2")
    assert keeper.info("aof_last_bgrewrite_status") == "err"
    assert [file.seq for file in keeper.machine.saves.aof.manifest.incrs] == [1, 2]
    keeper.disk.fails_at = ""
    assert reborn(keeper).ask("MGET", "a", "b") == b"*2\r\n$1\r\n1\r\n$1\r\n2\r\n"


def test_it_is_rewritten_when_it_has_grown() -> None:
    keeper = begin(Disk(), auto_aof_rewrite_min_size="2000")
    for number in range(10):
        keeper.ask("SET", "k", "v" * 300)
        keeper.at(number)
        keeper.work()
    assert keeper.info("aof_rewrites") == "1"
    assert reborn(keeper).ask("STRLEN", "k") == b":300\r\n"


def test_the_first_base_waits_for_the_end_of_a_save() -> None:
    keeper = Keeper()
    keeper.ask("SET", "a", "1")
    keeper.ask("BGSAVE")
    keeper.machine.work()
    keeper.ask("CONFIG", "SET", "appendonly", "yes")
    assert (keeper.info("aof_rewrite_scheduled"), keeper.info("aof_rewrite_in_progress")) == ("1", "0")
    keeper.ask("SET", "b", "2")
    assert MANIFEST not in keeper.disk.files
    keeper.work()
    assert (keeper.info("aof_rewrite_scheduled"), keeper.info("rdb_last_bgsave_status")) == ("0", "ok")
    keeper.ask("SET", "c", "3")
    assert reborn(keeper).ask("DBSIZE") == b":3\r\n"


def test_one_of_save_and_rewrite_at_a_time() -> None:
    keeper = begin(Disk())
    keeper.ask("SET", "a", "1")
    keeper.ask("BGREWRITEAOF")
    assert keeper.ask("BGSAVE").startswith(b"-ERR Another child process is active (AOF?): can't BGSAVE right now. ")
    assert keeper.ask("BGSAVE", "SCHEDULE") == b"+Background saving scheduled\r\n"
    assert keeper.info("rdb_bgsave_in_progress") == "0"
    keeper.work()
    assert (keeper.info("aof_rewrites"), keeper.info("rdb_saves")) == ("1", "1")
    keeper.ask("BGSAVE")
    assert keeper.ask("BGREWRITEAOF") == b"+Background append only file rewriting scheduled\r\n"
    keeper.work()
    assert (keeper.info("aof_rewrites"), keeper.info("rdb_saves")) == ("2", "2")
    assert b"total_forks:4" in keeper.say("INFO", "stats")


def test_a_first_base_that_fails_is_tried_again_and_loses_nothing() -> None:
    keeper = Keeper()
    keeper.disk.fails_at = "commit"
    keeper.ask("CONFIG", "SET", "appendonly", "yes")
    keeper.ask("SET", "a", "1")
    keeper.work()
    assert any("Removing the temp incr aof file" in line for line in keeper.disk.logged)
    assert list(keeper.disk.appended) == []
    keeper.ask("SET", "b", "2")
    keeper.disk.fails_at = ""
    keeper.at(1)
    keeper.work()
    keeper.ask("SET", "c", "3")
    assert reborn(keeper).ask("DBSIZE") == b":3\r\n"


def test_rewrites_that_fail_again_and_again_wait_longer_and_longer() -> None:
    keeper = begin(Disk(), auto_aof_rewrite_min_size="10")
    keeper.ask("SET", "a", "v" * 1000)
    keeper.disk.fails_at = "commit"
    for second in range(1, 200):
        keeper.at(second)
        keeper.work()
    assert keeper.info("aof_rewrites_consecutive_failures") == "5", "three at once, then after one minute and after two"
    told = [line for line in keeper.disk.logged if "triggered the limit" in line]
    assert [line.rpartition("in ")[2] for line in told] == ["1 minutes", "2 minutes", "4 minutes"]
    keeper.disk.fails_at = ""
    assert keeper.ask("BGREWRITEAOF") == b"+Background append only file rewriting started\r\n"
    keeper.work()
    assert keeper.info("aof_rewrites_consecutive_failures") == "0"


def test_a_rewrite_that_finds_the_disk_well_again_ends_the_refusal_of_writes() -> None:
    keeper = begin(Disk())
    keeper.at(10)
    keeper.disk.fails_at = "sync"
    keeper.ask("SET", "a", "1")
    assert keeper.ask("SET", "b", "1").startswith(b"-MISCONF ")
    keeper.disk.fails_at = ""
    keeper.ask("BGREWRITEAOF")  # there is nothing left that would have to be made durable
    keeper.work()
    assert keeper.ask("SET", "b", "1") == b"+OK\r\n"


def test_a_rewrite_does_not_begin_while_what_was_written_before_it_is_not_durable() -> None:
    """A power cut would leave a file that ends too early and is not the last: no start would take it."""
    keeper = begin(Disk())
    keeper.at(10)
    keeper.ask("SET", "a", "1")
    keeper.ask("SET", "b", "1")
    file = incr(keeper)
    keeper.disk.fails_at = "sync"
    keeper.ask("BGREWRITEAOF")
    keeper.work()
    assert incr(keeper) is file
    assert keeper.info("aof_last_bgrewrite_status") == "err"
    assert keeper.ask("SET", "c", "1").startswith(b"-MISCONF ")
    keeper.disk.fails_at = ""
    keeper.at(11)
    assert file.synced == len(file.data)
    assert keeper.ask("SET", "c", "1") == b"+OK\r\n"


def test_files_in_the_folder_that_config_set_dir_leads_to_are_left_alone() -> None:
    keeper = begin(Disk())
    manifest = keeper.disk.files[MANIFEST]
    keeper.ask("BGREWRITEAOF")
    begun = keeper.disk.files[MANIFEST]
    assert begun != manifest
    keeper.server.config.load("dir", ["/elsewhere"])
    keeper.work()
    assert keeper.disk.files[MANIFEST] == begun, "the paths lead elsewhere now"
    assert b"aof_last_bgrewrite_status:err" in keeper.ask("INFO", "persistence")
    keeper.ask("BGREWRITEAOF")
    keeper.work()
    assert keeper.disk.files[MANIFEST] == begun
