"""The append-only file: what it begins with, what is in it, and how it is read again."""

from random import Random

import pytest

from gossamer.node.persist.aof.manifest import parse
from gossamer.node.resp.requests import encoded
from gossamer.node.saving.loading import LoadError
from tests.unit.node.saving.appended import MANIFEST, begin, incr, reborn, shown
from tests.unit.node.saving.disk import Disk, Keeper


def test_it_begins_with_an_empty_base_and_an_empty_incr() -> None:
    keeper = begin(Disk())
    assert keeper.disk.files[MANIFEST] == (
        b"file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n"
    )
    assert keeper.disk.files["appendonlydir/appendonly.aof.1.base.rdb"].startswith(b"REDIS0010\xfa\x09redis-ver")
    assert keeper.info("aof_enabled") == "1"


def test_where_the_last_incr_cannot_be_appended_to_there_is_a_new_one() -> None:
    keeper = begin(Disk())
    keeper.ask("SET", "a", "1")
    before = incr(keeper).data
    keeper.machine.saves.aof.sink.flush_all()
    keeper = begin(keeper.disk.left(Random(0)), to_last=False)
    keeper.ask("SET", "b", "2")
    aof = keeper.machine.saves.aof
    assert [file.name for file in aof.manifest.incrs] == ["appendonly.aof.1.incr.aof", "appendonly.aof.2.incr.aof"]
    assert keeper.disk.files["appendonlydir/appendonly.aof.1.incr.aof"] == before
    assert aof.size == aof.base_size + len(before) + len(incr(keeper).data)
    assert parse(keeper.disk.files[MANIFEST]) == aof.manifest
    keeper = reborn(keeper)
    assert keeper.say("DBSIZE") == b":2\r\n"
    assert len(keeper.machine.saves.aof.manifest.incrs) == 2


def test_writes_are_told_as_replicas_are_told_them() -> None:
    keeper = begin(Disk())
    keeper.ask("SET", "a", "1", "EX", "10")
    keeper.ask("GET", "a")
    keeper.ask("SELECT", "3")
    keeper.ask("MULTI")
    keeper.ask("INCR", "n")
    keeper.ask("SADD", "s", "m")
    keeper.ask("EXEC")
    assert shown(keeper) == (
        b"*2 $6 SELECT $1 0 *5 $3 SET $1 a $1 1 $4 PXAT $13 1700000010000 "
        b"*1 $5 MULTI *2 $6 SELECT $1 3 *2 $4 INCR $1 n *3 $4 SADD $1 s $1 m *1 $4 EXEC "
    )


def test_timestamps_stand_where_the_second_changes() -> None:
    keeper = begin(Disk(), aof_timestamp_enabled="yes")
    for second, key in ((0, "a"), (0, "b"), (2, "c")):
        keeper.at(second)
        keeper.ask("SET", key, "v")
    told = shown(keeper)
    assert told.startswith(b"#TS:1700000000 *2 $6 SELECT")
    assert told.count(b"#TS:") == 2
    assert b"#TS:1700000002 *3 $3 SET $1 c" in told
    assert reborn(keeper).ask("DBSIZE") == b":3\r\n"


def test_a_directive_holds_from_the_moment_that_it_is_set() -> None:
    keeper = begin(Disk(), appendfsync="no")
    keeper.at(2)
    keeper.ask("SET", "a", "v")
    file = incr(keeper)
    assert file.synced < len(file.data)
    keeper.ask("CONFIG", "SET", "appendfsync", "always", "aof-timestamp-enabled", "yes")
    keeper.ask("SET", "b", "v")
    assert file.synced == len(file.data)
    assert b"#TS:1700000002 *3 $3 SET $1 b" in shown(keeper)
    keeper.ask("CONFIG", "SET", "appendfsync", "no", "aof-timestamp-enabled", "no")
    keeper.at(4)
    keeper.ask("SET", "c", "v")
    assert file.synced < len(file.data)
    assert shown(keeper).count(b"#TS:") == 1


def test_switched_on_it_holds_what_was_there_before() -> None:
    keeper = Keeper()
    keeper.ask("SET", "a", "1")
    assert keeper.ask("CONFIG", "SET", "appendonly", "yes") == b"+OK\r\n"
    keeper.ask("SET", "b", "2")
    assert keeper.ask("SHUTDOWN").startswith(b"-ERR Errors trying to SHUTDOWN")
    assert MANIFEST not in keeper.disk.files
    keeper.work()
    keeper.ask("SET", "c", "3")
    assert reborn(keeper).ask("DBSIZE") == b":3\r\n"
    assert keeper.ask("CONFIG", "SET", "appendonly", "no") == b"+OK\r\n"
    keeper.ask("SET", "d", "4")
    assert reborn(keeper).ask("DBSIZE") == b":3\r\n"
    keeper.ask("CONFIG", "SET", "appendonly", "yes")
    keeper.work()
    assert reborn(keeper).ask("DBSIZE") == b":4\r\n"


def test_switched_on_within_a_transaction_it_holds_each_write_once() -> None:
    keeper = Keeper()
    keeper.server.journal.open_stream(0)
    for words in (["MULTI"], ["INCR", "a"], ["CONFIG", "SET", "appendonly", "yes"], ["INCR", "b"], ["EXEC"]):
        keeper.ask(*words)
    keeper.work()
    keeper.ask("INCR", "b")
    again = reborn(keeper)
    assert again.ask("MGET", "a", "b") == keeper.ask("MGET", "a", "b") == b"*2\r\n$1\r\n1\r\n$1\r\n2\r\n"


def test_what_is_over_when_debug_reload_comes_is_told_of_before_its_name_is_used_again() -> None:
    keeper = begin(Disk())
    keeper.ask("SET", "k", 5, "PX", 1000)
    keeper.ask("DEBUG", "SET-ACTIVE-EXPIRE", 0)
    keeper.at(2)
    keeper.ask("DEBUG", "RELOAD")
    assert keeper.ask("INCR", "k") == b":1\r\n"
    assert reborn(keeper).ask("GET", "k") == b"$1\r\n1\r\n"


def test_debug_loadaof_reads_all_of_it_again_and_tells_nobody() -> None:
    keeper = begin(Disk())
    keeper.ask("SET", "a", "1", "PX", 100)
    keeper.ask("BGREWRITEAOF")
    keeper.work()
    keeper.ask("RPUSH", "l", "x", "y")
    size = keeper.machine.saves.aof.size
    keeper.at(5)
    assert keeper.ask("DEBUG", "LOADAOF") == b"+OK\r\n"
    assert keeper.ask("EXISTS", "a", "l") == b":1\r\n"
    assert keeper.ask("LLEN", "l") == b":2\r\n"
    keeper.ask("RPUSH", "l", "z")
    assert keeper.machine.saves.aof.size > size
    assert shown(keeper).endswith(b"*3 $5 RPUSH $1 l $1 z ")
    assert reborn(keeper).ask("LLEN", "l") == b":3\r\n"


def test_debug_loadaof_is_refused_while_the_files_are_being_loaded() -> None:
    keeper = begin(Disk())
    keeper.ask("INCR", "n")
    keeper.machine.saves.begin_loading()
    assert keeper.ask("DEBUG", "LOADAOF").startswith(b"-LOADING ")
    assert keeper.ask("GET", "n").startswith(b"-LOADING "), "nobody is served before all is there"
    keeper.machine.saves.end_loading()
    assert keeper.ask("GET", "n") == b"$1\r\n1\r\n"


@pytest.mark.parametrize("behavior", ["ignore", "panic-on-replicas", "panic"])
def test_a_command_of_the_file_that_fails_ends_the_start_only_if_it_is_told_to(behavior: str) -> None:
    keeper = begin(Disk())
    keeper.ask("SET", "text", "abc")
    keeper.machine.saves.aof.sink.flush_all()
    disk = keeper.disk.left(Random(0))
    name = next(name for name in disk.files if name.endswith(".incr.aof"))
    disk.files[name] += encoded([b"INCR", b"text"]) + encoded([b"SET", b"k", b"v"])
    if behavior == "panic":
        with pytest.raises(LoadError, match=r"byte \d+: 'INCR' has failed: ERR value is not an integer"):
            begin(disk, propagation_error_behavior=behavior)
    else:
        assert begin(disk, propagation_error_behavior=behavior).ask("GET", "k") == b"$1\r\nv\r\n"
