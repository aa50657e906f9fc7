"""When a node saves its data, what the file then holds, and what follows if it cannot."""

import pytest

from gossamer.node.engine.data.keyspace import Keyspace
from gossamer.node.persist.load import Loader
from gossamer.node.persist.reader import RdbReader
from gossamer.node.resp.requests import encoded
from tests.unit.node.saving.disk import START, Keeper

MISCONF = b"-MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk."


def held(data: bytes) -> dict[bytes, object]:
    """The strings in an RDB."""
    reader = RdbReader()
    loader = Loader(Keyspace(16), START, True)
    loader.take(reader.feed(data))
    loader.take(reader.finish())
    db = loader.keyspace.database(0)
    return {key: db.get(part, key) for part in range(db.part_count) for key in db.keys_of(part)}


def test_save_is_done_when_it_is_answered() -> None:
    keeper = Keeper()
    keeper.say("SET", "k", "v")
    assert keeper.info("rdb_changes_since_last_save") == "1"
    keeper.at(5)
    assert keeper.say("SAVE") == b"+OK\r\n"
    assert held(keeper.disk.files["dump.rdb"]) == {b"k": b"v"}
    assert keeper.say("LASTSAVE") == b":%d\r\n" % (START // 1000 + 5)
    assert keeper.info("rdb_changes_since_last_save") == "0"


def test_a_save_in_the_background_shows_the_moment_at_which_it_began() -> None:
    keeper = Keeper()
    keeper.say("DEBUG", "POPULATE", 20_000)
    assert keeper.say("BGSAVE") == b"+Background saving started\r\n"
    assert keeper.say("BGSAVE") == b"-ERR Background save already in progress\r\n"
    assert keeper.say("SAVE") == b"-ERR Background save already in progress\r\n"
    assert keeper.info("rdb_bgsave_in_progress") == "1"
    keeper.machine.work()
    keeper.say("SET", "key:1", "changed")
    keeper.say("DEL", "key:2")
    keeper.say("SET", "new", "1")
    assert keeper.work() > 10, "it goes on in pieces"
    saved = held(keeper.disk.files["dump.rdb"])
    assert len(saved) == 20_000
    assert saved[b"key:1"] == b"value:1"
    assert b"key:2" in saved
    assert b"new" not in saved
    assert keeper.info("rdb_changes_since_last_save") == "3"
    assert (keeper.info("rdb_bgsave_in_progress"), keeper.info("rdb_last_bgsave_status")) == ("0", "ok")


def test_a_save_within_a_transaction_begins_behind_it() -> None:
    keeper = Keeper()
    keeper.say("MULTI")
    keeper.say("SET", "a", 1)
    keeper.say("BGSAVE")
    keeper.say("SET", "b", 2)
    assert keeper.say("EXEC") == b"*3\r\n+OK\r\n+Background saving scheduled\r\n+OK\r\n"
    keeper.work()
    assert held(keeper.disk.files["dump.rdb"]) == {b"a": b"1", b"b": b"2"}
    keeper.say("MULTI")
    assert keeper.say("SAVE") == b"-ERR Command not allowed inside a transaction\r\n"


def test_a_slow_disk_holds_up_the_save_and_nobody_else() -> None:
    keeper = Keeper()
    keeper.say("SET", "k", "v")
    keeper.disk.is_slow = True
    keeper.say("BGSAVE")
    keeper.work()
    assert keeper.info("rdb_bgsave_in_progress") == "1"
    assert not keeper.machine.has_work
    keeper.disk.is_slow = False
    keeper.work()
    assert held(keeper.disk.files["dump.rdb"]) == {b"k": b"v"}


def test_save_points_count_changes_and_seconds() -> None:
    keeper = Keeper(save="60 3 10 100")
    keeper.say("MSET", *range(4))
    keeper.at(61)
    keeper.work()
    assert keeper.disk.files == {}, "two changes are too few"
    keeper.say("SET", "k", "v")
    keeper.at(62)
    keeper.work()
    assert len(held(keeper.disk.files["dump.rdb"])) == 3
    assert "3 changes in 60 seconds. Saving..." in keeper.disk.logged


@pytest.mark.parametrize("step", ["open", "write", "commit"])
def test_a_save_that_fails_keeps_the_old_file_and_stops_writes(step: str) -> None:
    keeper = Keeper(save="3600 1")
    keeper.say("SET", "k", "old")
    keeper.say("SAVE")
    before = keeper.disk.files["dump.rdb"]
    keeper.say("SET", "k", "new")
    keeper.disk.fails_at = step
    assert keeper.say("SAVE").startswith(b"-ERR")
    assert keeper.say("SET", "k", "newer") == b"+OK\r\n", "only what was to happen by itself stops writes"
    keeper.say("BGSAVE")
    keeper.work()
    assert keeper.disk.files["dump.rdb"] == before
    assert all(file.abandoned for file in keeper.disk.begun[1:])
    assert keeper.info("rdb_last_bgsave_status") == "err"
    assert keeper.say("SET", "k", "newest").startswith(MISCONF)
    assert keeper.say("PING").startswith(MISCONF)
    assert keeper.say("GET", "k") == b"$5\r\nnewer\r\n"
    keeper.say("CONFIG", "SET", "stop-writes-on-bgsave-error", "no")
    assert keeper.say("SET", "k", "newest") == b"+OK\r\n"
    keeper.say("CONFIG", "SET", "stop-writes-on-bgsave-error", "yes")
    assert keeper.say("SET", "k", "x").startswith(MISCONF)
    keeper.disk.fails_at = ""
    keeper.say("BGSAVE")
    keeper.work()
    assert keeper.say("SET", "k", "x") == b"+OK\r\n"


def test_a_save_point_that_failed_is_tried_again_after_five_seconds() -> None:
    keeper = Keeper(save="10 1")
    keeper.say("SET", "k", "v")
    keeper.disk.fails_at = "write"
    tried = []
    for second in range(11, 25):
        before = len(keeper.disk.begun)
        keeper.at(second)
        keeper.work()
        if len(keeper.disk.begun) > before:
            tried.append(second)
    assert tried == [11, 17, 23]


def test_a_save_that_keeps_writes_out_is_tried_again_though_nothing_has_changed() -> None:
    """Nothing can change meanwhile: so nothing else would ever let writes in again."""
    keeper = Keeper(save="3600 1")
    keeper.disk.fails_at = "write"
    keeper.say("BGSAVE")
    keeper.work()
    assert keeper.say("SET", "k", "v").startswith(MISCONF)
    keeper.disk.fails_at = ""
    for second in range(1, 8):
        keeper.at(second)
        keeper.work()
    assert keeper.say("SET", "k", "v") == b"+OK\r\n"
    assert len(keeper.disk.begun) == 2


def test_flushall_empties_the_file_where_there_are_save_points() -> None:
    for save, left in (("3600 1", {}), ("", {b"k": b"v"})):
        keeper = Keeper(save=save)
        keeper.say("SET", "k", "v")
        keeper.say("SAVE")
        keeper.say("BGSAVE")
        keeper.say("FLUSHALL")
        assert held(keeper.disk.files["dump.rdb"]) == left


@pytest.mark.parametrize(
    ("save", "words", "is_saved"),
    [("", [], False), ("3600 1", [], True), ("3600 1", ["NOSAVE"], False), ("", ["SAVE"], True), ("", ["NOW"], False)],
)
def test_the_end_saves_if_there_are_save_points_or_if_asked_to(save: str, words: list[str], is_saved: bool) -> None:
    keeper = Keeper(save=save)
    keeper.say("SET", "k", "v")
    keeper.say("SHUTDOWN", *words)
    assert keeper.disk.stopped
    assert bool(keeper.disk.files) is is_saved


def test_a_node_that_cannot_save_stays_unless_it_is_forced() -> None:
    keeper = Keeper(save="3600 1")
    keeper.say("SET", "k", "v")
    keeper.disk.fails_at = "commit"
    assert keeper.say("SHUTDOWN").startswith(b"-ERR Errors trying to SHUTDOWN")
    assert not keeper.disk.stopped
    assert keeper.say("SET", "k", "w") == b"+OK\r\n"
    keeper.say("SHUTDOWN", "FORCE")
    assert keeper.disk.stopped


def test_the_file_says_where_it_stands_in_the_stream() -> None:
    keeper = Keeper()
    stream = keeper.server.journal.open_stream(100)
    replication = keeper.machine.replication
    replication.history.keep(1000)
    keeper.say("SELECT", 3)
    keeper.say("SET", "k", "v")
    keeper.say("BGSAVE")
    offset = stream.offset
    keeper.session.feed(encoded([b"SET", b"k", b"w"]))
    keeper.work()
    loader = Loader(Keyspace(16), START, True)
    loader.take(RdbReader().feed(keeper.disk.files["dump.rdb"]))
    told = {name: loader.aux[name] for name in (b"repl-id", b"repl-offset", b"repl-stream-db")}
    id_ = replication.history.replid.encode()
    assert told == {b"repl-id": id_, b"repl-offset": b"%d" % offset, b"repl-stream-db": b"3"}
    assert loader.keyspace.database(3).size == 1


def test_the_file_that_flushall_empties_stands_nowhere_in_the_stream() -> None:
    keeper = Keeper(save="3600 1")
    keeper.server.journal.open_stream(100)
    keeper.machine.replication.history.keep(1000)
    keeper.say("SET", "k", "v")
    keeper.say("FLUSHALL")
    loader = Loader(Keyspace(16), START, True)
    loader.take(RdbReader().feed(keeper.disk.files["dump.rdb"]))
    assert b"redis-ver" in loader.aux
    assert b"repl-id" not in loader.aux, "whoever stands where FLUSHALL began still has all"
