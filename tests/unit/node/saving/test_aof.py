"""The append-only file: what is in it, when, and what a power cut at any moment leaves."""

from random import Random

import pytest

from gossamer.node.engine.stream.journal import encoded
from gossamer.node.persist.aof.manifest import Manifest, parse
from gossamer.node.saving.aof_load import AofLoad
from gossamer.node.saving.loading import LoadError
from tests.unit.node.saving.disk import START, Disk, GrowingFile, Keeper, PowerCut

MANIFEST = "appendonlydir/appendonly.aof.manifest"


def begin(disk: Disk, to_last: bool = True, **options: str) -> Keeper:
    """A node that begins with what is on ``disk``, as ``io/load_aof.py`` does for a process."""
    keeper = Keeper(disk=disk, appendonly="yes", **options)
    manifest = parse(disk.files[MANIFEST]) if MANIFEST in disk.files else Manifest()
    sizes = []
    if manifest.loaded:
        load = AofLoad(keeper.server, 1)
        for file in manifest.loaded:
            path = f"appendonlydir/{file.name}"
            load.begin_file(path)
            load.feed(disk.files[path])
            cut = load.end_file()
            assert cut < 0 or file == manifest.loaded[-1], "only the last may end too early"
            sizes.append(cut if cut >= 0 else len(disk.files[path]))
        load.finish(keeper.machine.saves)
    keeper.machine.saves.aof.go_on(manifest, sizes, to_last)
    return keeper


def reborn(keeper: Keeper) -> Keeper:
    """A node that begins with what ``keeper`` has written, after a second."""
    keeper.machine.saves.aof.sink.flush_all()
    return begin(keeper.disk.left(Random(0)))


def incr(keeper: Keeper) -> GrowingFile:
    manifest = keeper.machine.saves.aof.manifest
    return keeper.disk.appended[f"appendonlydir/{manifest.incrs[-1].name}"]


def shown(keeper: Keeper) -> bytes:
    return incr(keeper).data.replace(b"\r\n", b" ")


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


# --- behind an fsync that has failed


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


def killed(keeper: Keeper) -> Disk:
    """The disk after the end of the process: all that was written is there."""
    disk = Disk()
    disk.files = keeper.disk.files | {path: file.data for path, file in keeper.disk.appended.items()}
    return disk


def keys(disk: Disk) -> set[bytes]:
    """Of the node that begins with it, in the first two databases."""
    keeper = begin(disk)
    found = keeper.ask("KEYS", "*")
    keeper.ask("SELECT", "1")
    return {word for word in (found + keeper.ask("KEYS", "*")).split(b"\r\n") if word and word[:1] not in b"*$"}


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


TICK_MS = 100


class Life:
    """Writes, one a tenth of a second, rewrites and switches; ``answered`` is until when each was, by number."""

    def __init__(self) -> None:
        self.answered: dict[int, int] = {}
        self.now = 0

    def go_on(self, disk: Disk, policy: str) -> None:
        keeper = begin(disk, appendfsync=policy)
        for number in range(60):
            self.now = number * TICK_MS
            keeper.at(self.now / 1000)
            if keeper.ask("RPUSH", "l", number).startswith(b":"):
                self.answered[number] = self.now
            if number % 20 == 5:
                keeper.ask("BGREWRITEAOF")
            if number == 40:
                keeper.ask("CONFIG", "SET", "appendonly", "no")
                keeper.ask("CONFIG", "SET", "appendonly", "yes")
            if number % 5 == 0 or number == 40:
                keeper.work()


@pytest.mark.parametrize(("policy", "most_ms"), [("always", 0), ("everysec", 1000 + TICK_MS)])
@pytest.mark.parametrize("seed", range(2))
def test_whenever_the_power_is_cut_no_more_is_lost_than_was_promised(seed: int, policy: str, most_ms: int) -> None:
    disk = Disk()
    Life().go_on(disk, policy)
    rng = Random(seed)
    for cut_in in range(disk.steps):
        life, disk = Life(), Disk()
        disk.cut_in = cut_in
        with pytest.raises(PowerCut):
            life.go_on(disk, policy)
        again = begin(disk.left(rng))
        found = [int(word) for word in again.ask("LRANGE", "l", 0, -1).split(b"\r\n")[2::2]]
        assert found == list(range(len(found))), "nothing is there twice, and nothing is missing in between"
        lost = [at for number, at in life.answered.items() if number >= len(found)]
        assert not lost or life.now - min(lost) <= most_ms, (
            f"cut before step {cut_in}: lost what was answered at {lost}"
        )


# --- propagation-error-behavior


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
