"""``vm-enabled``: values leave the memory and come back, and nobody sees a difference but in time."""

import pytest

from gossamer.node.engine.data.changes import SET
from gossamer.node.engine.data.spilled import STUB
from gossamer.node.engine.data.tally import OVERHEAD
from gossamer.node.persist.load import Loader
from gossamer.node.persist.reader import RdbReader
from tests.integration.every_type import fill
from tests.unit.node.commands.one import One
from tests.unit.node.engine.data.two_keys import TWO_KEYS, fill_for_two_keys
from tests.unit.node.vm.rig import Spilling

OK = b"+OK\r\n"
VALUE = b"v" * 1000


def bulk(text: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(text), text)


def everything(one: Spilling | One) -> None:
    """Every type in its forms."""
    for words in fill():
        assert not one.say(*words).startswith(b"-"), words


def keys_of(one: Spilling | One) -> list[bytes]:
    return sorted(one.server.keyspace.database(0).keys())


# --- out, and back


def test_what_takes_too_much_leaves_and_can_be_read() -> None:
    one = Spilling(limit=100_000, least=512)
    for number in range(300):
        assert one.say("SET", f"k{number}", VALUE + b"%d" % number) == OK
        assert one.server.keyspace.tally.held <= 100_000
    assert 200 < sum(one.is_away(b"k%d" % number) for number in range(300)) < 300
    for number in range(300):
        assert one.say("GET", f"k{number}") == bulk(VALUE + b"%d" % number)
        assert one.server.keyspace.tally.held <= 100_000


def test_the_coldest_leave_first() -> None:
    one = Spilling(limit=200_000, least=512)
    for number in range(100):
        one.say("SET", f"k{number}", VALUE)
        one.turn(1000)
    for _ in range(150):
        for number in range(10):
            one.say("GET", f"k{number}")
        one.turn(1000)
    for number in range(100, 250):
        for used in range(10):
            one.say("EXISTS" if used % 2 else "GET", f"k{used - used % 2}")
        one.say("SET", f"k{number}", VALUE)
    assert sum(one.is_away(b"k%d" % number) for number in range(0, 10, 2)) == 0
    assert sum(one.is_away(b"k%d" % number) for number in range(10, 100)) > 50


def test_every_type_comes_back_as_it_was() -> None:
    one, plain = Spilling(), One()
    plain.server.access.debug = "yes"
    everything(one)
    everything(plain)
    away = [key for key in keys_of(one) if one.is_away(key)]
    assert away == keys_of(one)
    faults = one.told("vm_stats_faults")
    assert one.say("DEBUG", "DIGEST") == plain.say("DEBUG", "DIGEST")
    assert [key for key in keys_of(one) if one.is_away(key)] == away, "to look at all is no use of it"
    for key in away:
        assert one.say("OBJECT", "ENCODING", key) == plain.say("OBJECT", "ENCODING", key)
        assert one.say("TYPE", key) == plain.say("TYPE", key)
        if not key.startswith(b"stream"):  # consumers were seen at a time that is the test's
            assert one.say("DUMP", key) == plain.say("DUMP", key)
    assert one.told("vm_stats_faults") == faults


def test_small_values_stay() -> None:
    one = Spilling(least=512)
    one.say("SET", "small", "v" * 511)
    one.say("SET", "large", "v" * 512)
    assert [one.is_away(key) for key in (b"small", b"large")] == [False, True]


def test_a_value_of_many_elements_stays() -> None:
    one = Spilling()
    one.say("SADD", "set", *range(10_001))
    one.say("SADD", "other", *range(9_000))
    assert [one.is_away(key) for key in (b"set", b"other")] == [False, True]


def test_without_it_nothing_leaves() -> None:
    one = Spilling(vm_enabled="no")
    one.say("SET", "k", VALUE)
    assert not one.is_away(b"k")
    assert one.say("INFO", "vm") == bulk(b"# Vm\r\nvm_enabled:0\r\n")
    assert b"vm_enabled" not in one.say("INFO", "everything")


def test_the_limit_may_change() -> None:
    one = Spilling(limit=1_000_000)
    one.say("SET", "k", VALUE)
    assert not one.is_away(b"k")
    assert one.say("CONFIG", "SET", "vm-max-memory", "0") == OK
    one.turn()
    assert one.is_away(b"k")
    assert one.say("CONFIG", "SET", "vm-enabled", "no").startswith(b"-ERR CONFIG SET failed")


# --- who waits


def test_others_are_served_while_a_value_is_read() -> None:
    one = Spilling()
    one.say("SET", "k", VALUE)
    one.store.late = True
    other = one.client()
    assert one.send(one.session, "GET", "k") == b""
    assert one.session.blocked
    assert one.send(other, "PING") == b"+PONG\r\n"
    assert one.send(other, "APPEND", "k", "x") == b""
    assert len(one.store.waiting) == 1, "both wait for one read"
    one.turn()
    assert one.session.take_output() == b""
    one.store.catch_up()
    one.turn()
    assert one.session.take_output() == bulk(VALUE)
    assert other.take_output() == b":1001\r\n"


def test_a_request_waits_for_all_its_values_once() -> None:
    one = Spilling()
    for key in "abc":
        one.say("SET", key, VALUE + key.encode())
    one.store.late = True
    assert one.send(one.session, "MGET", *"abcd") == b""
    assert len(one.store.waiting) == 3
    one.store.catch_up()
    one.turn()
    assert one.session.take_output() == b"*4\r\n" + b"".join(bulk(VALUE + key.encode()) for key in "abc") + b"$-1\r\n"


def test_a_transaction_waits_for_what_its_commands_need() -> None:
    one = Spilling()
    one.say("SET", "k", VALUE)
    one.say("MULTI")
    one.say("GET", "k")
    one.say("STRLEN", "k")
    one.store.late = True
    assert one.send(one.session, "EXEC") == b""
    one.store.catch_up()
    one.turn()
    assert one.session.take_output() == b"*2\r\n" + bulk(VALUE) + b":1000\r\n"


def test_who_leaves_while_a_value_is_read_is_forgotten() -> None:
    one = Spilling()
    one.say("SET", "k", VALUE)
    one.store.late = True
    other = one.client()
    assert one.send(other, "GET", "k") == b""
    one.machine.leave(other)
    one.store.catch_up()
    one.turn()
    assert other.take_output() == b""
    assert one.send(one.session, "PING") == b"+PONG\r\n"


def test_a_value_that_was_overwritten_meanwhile_does_not_come_back() -> None:
    one = Spilling(limit=0)
    one.say("SET", "k", VALUE)
    one.store.late = True
    other = one.client()
    assert one.send(other, "GET", "k") == b""
    assert one.send(one.session, "SET", "k", "new") == OK
    one.store.catch_up()
    one.turn()
    assert other.take_output() == bulk(b"new")


@pytest.mark.parametrize(
    "request_",
    [
        "TYPE k", "TTL k", "PTTL k", "EXISTS k", "EXPIRE k 100", "PERSIST k", "OBJECT ENCODING k", "MEMORY USAGE k",
        "RENAME k other", "COPY k other", "MOVE k 1", "TOUCH k", "SCAN 0 TYPE string", "SET k new", "DEL k", "UNLINK k",
        "SETEX k 9 v", "MSET k v", "RANDOMKEY", "KEYS *", "DBSIZE", "WATCH k", "MSETNX k v", "FLUSHALL", "SWAPDB 0 1",
    ],
)  # fmt: skip
def test_nothing_is_read_for_who_does_not_look_at_the_value(request_: str) -> None:
    one, plain = Spilling(), One()
    for each in (one, plain):
        each.say("SET", "k", VALUE)
    answer = one.say(*request_.split())
    if not request_.startswith(("MEMORY", "FLUSH")):
        assert answer == plain.say(*request_.split())
    assert one.store.reads == 0


def test_who_waits_for_a_list_gets_one_that_was_out_of_memory() -> None:
    one = Spilling()
    one.say("RPUSH", "list", VALUE)
    assert one.is_away(b"list")
    waiting = one.client()
    assert one.send(waiting, "BLPOP", "other", 0) == b""
    assert one.say("RENAME", "list", "other") == OK
    assert waiting.take_output() == b"*2\r\n" + bulk(b"other") + bulk(VALUE)


# --- a write that is under way


def test_a_value_can_be_read_and_changed_while_it_is_written() -> None:
    one = Spilling(limit=1_000_000)
    one.store.late = True
    one.say("SET", "k", VALUE)
    one.say("RPUSH", "list", VALUE)
    one.vm.limit = 990_000  # not so much less that the disk would be waited for
    one.vm.base = 990_000 - 500
    one.say("PING")
    assert one.is_away(b"k") or one.is_away(b"list")
    assert one.told("vm_stats_unwritten_bytes") > 900
    assert one.send(one.session, "APPEND", "k", "x") == b":1001\r\n"
    assert one.send(one.session, "RPUSH", "list", "x") == b":2\r\n"
    one.store.catch_up()
    one.vm.base = 0
    one.turn()
    assert one.say("GET", "k") == bulk(VALUE + b"x")
    assert one.say("LRANGE", "list", 0, -1) == b"*2\r\n" + bulk(VALUE) + bulk(b"x")
    assert one.told("vm_stats_unwritten_bytes") == 0
    assert one.store.kept == {}, "nobody needs what was written"


# --- places


@pytest.mark.parametrize(
    "requests",
    [
        ["DEL k"], ["SET k new"], ["GETDEL k"], ["FLUSHDB"], ["FLUSHALL ASYNC"], ["RPUSH l a", "RENAME l k"],
        ["EXPIRE k -1"], ["GETSET k new"], ["APPEND k x"], ["MSET k a"], ["SINTERSTORE k none"],
        ["COPY k other", "DEL k other"], ["MULTI", "DEL k", "EXEC"],
    ],
    ids=";".join,
)  # fmt: skip
def test_the_place_of_what_is_gone_is_free(requests: list[str]) -> None:
    one = Spilling(least=900)
    one.say("SET", "k", VALUE)
    assert len(one.store.kept) == 1
    one.vm.limit = 1 << 40
    for words in requests:
        assert not one.say(*words.split()).startswith(b"-")
    assert one.store.kept == {}
    assert one.told("vm_stats_swapped_objects") == 0
    assert one.told("vm_stats_used_bytes") == 0


def test_a_copy_is_read_for_itself() -> None:
    one = Spilling()
    one.say("RPUSH", "k", VALUE)
    one.say("COPY", "k", "other")
    assert len(one.store.kept) == 1
    one.say("RPUSH", "k", "x")
    one.say("RPUSH", "other", "y")
    assert one.say("LINDEX", "k", -1) == bulk(b"x")
    assert one.say("LINDEX", "other", -1) == bulk(b"y")


def test_the_tally_knows_what_is_in_memory() -> None:
    one = Spilling()
    empty = one.server.keyspace.tally.held
    one.say("SET", "k", VALUE)
    with_stub = one.server.keyspace.tally.held
    assert empty + OVERHEAD < with_stub < empty + OVERHEAD + 200
    one.vm.limit = 1 << 40
    one.say("GET", "k")
    assert one.server.keyspace.tally.held == empty + OVERHEAD + 1001
    one.say("DEL", "k")
    assert one.server.keyspace.tally.held == empty


# --- a disk that fails


def test_what_the_disk_refuses_stays_in_memory() -> None:
    one = Spilling()
    one.store.full = True
    for number in range(5):
        assert one.send(one.session, "SET", f"k{number}", VALUE) == OK
        one.machine.drain()
    assert not any(one.is_away(b"k%d" % number) for number in range(5))
    assert [line for line in one.edge.said if "No space left on device" in line] == [
        "warning: Values stay in memory, which they should leave: the store: No space left on device"
    ]
    assert one.told("vm_stats_write_errors") > 0
    assert b"vm_last_error:Values stay" in one.say("INFO", "vm")
    assert [one.say("GET", f"k{number}") for number in range(5)] == [bulk(VALUE)] * 5
    one.store.full = False
    one.turn(2000)
    one.turn()
    assert all(one.is_away(b"k%d" % number) for number in range(5))


def test_a_full_disk_refuses_writes_only_at_maxmemory() -> None:
    one = Spilling(maxmemory=str((1 << 20) + 10_000))
    one.store.full = True
    answers = [one.say("SET", f"k{number}", VALUE) for number in range(20)]
    assert answers[:6] == [OK] * 6
    assert answers[-1].startswith(b"-OOM")
    one.store.full = False
    one.turn(2000)
    assert [one.say("SET", f"k{number}", VALUE) for number in range(20)] == [OK] * 20


def test_a_value_that_cannot_be_read_is_an_error_and_never_another_value() -> None:
    one = Spilling(least=500)
    one.say("SET", "k", VALUE)
    one.say("SET", "other", VALUE)
    one.store.broken = "Input/output error"
    error = b"-IOERR a value that is not in memory cannot be read back from the store: Input/output error\r\n"
    for words in ("GET k", "APPEND k x", "STRLEN k", "MGET k", "DUMP k", "DEBUG DIGEST-VALUE k", "DEBUG DIGEST"):
        assert one.say(*words.split()) == error, words
    assert one.say("TYPE", "k") == b"+string\r\n"
    assert one.say("SAVE").startswith(b"-ERR")
    assert any("Error saving the database to disk: a value" in line for line in one.edge.said)
    assert one.say("BGSAVE") == b"+Background saving started\r\n"
    one.turn()
    assert any("Background saving error: a value" in line for line in one.edge.said)
    assert one.told("vm_stats_read_errors") >= 7
    assert one.say("SET", "k", "new") == OK
    assert one.say("GET", "k") == bulk(b"new")
    one.store.broken = ""
    assert one.say("GET", "other") == bulk(VALUE)


@pytest.mark.parametrize("request_", TWO_KEYS)
def test_a_request_that_meets_a_value_that_cannot_be_read_does_no_half(request_: str) -> None:
    plain = filled_for_two_keys()
    expected = plain.say(*request_.split())
    after = plain.say("DEBUG", "DIGEST")
    for readable in range(50):
        one = filled_for_two_keys()
        before = one.say("DEBUG", "DIGEST")
        one.store.reads = 0
        one.store.broken, one.store.broken_from = "Input/output error", readable
        answer = one.say(*request_.split())
        reads = one.store.reads
        one.store.broken = ""
        if not answer.startswith(b"-IOERR"):
            assert (answer, one.say("DEBUG", "DIGEST")) == (expected, after)
            assert reads <= readable
            return
        assert one.say("DEBUG", "DIGEST") == before
    raise AssertionError("it reads ever more values")


def filled_for_two_keys() -> Spilling:
    one = Spilling()
    fill_for_two_keys(one.say)
    assert all(one.is_away(key) for key in keys_of(one))
    return one


@pytest.mark.parametrize("request_", ["RENAME k other", "COPY k other REPLACE"])
def test_a_stub_of_two_keys_in_its_own_place_takes_what_it_took(request_: str) -> None:
    one = Spilling()
    one.say("SET", "k", VALUE)
    one.say("COPY", "k", "other")
    one.say("RPUSH", "list", VALUE)
    held = one.server.keyspace.tally.held
    assert one.say(*request_.split()) in (OK, b":1\r\n")
    one.say("DEL", "k")
    assert one.server.keyspace.tally.held == held - OVERHEAD - len("k") - STUB


@pytest.mark.parametrize("preamble", ["yes", "no"])
def test_a_rewrite_that_cannot_read_a_value_fails(preamble: str) -> None:
    one = Spilling(aof_use_rdb_preamble=preamble)
    one.say("SET", "k", VALUE)
    one.store.broken = "Input/output error"
    one.say("BGREWRITEAOF")
    one.turn()
    assert any("rewrite terminated by an error: a value" in line for line in one.edge.said), one.edge.said


def test_damage_is_found_though_the_store_has_no_checksum() -> None:
    one = Spilling()
    one.say("RPUSH", "k", VALUE)
    (place,) = one.store.kept
    one.store.kept[place] = one.store.kept[place][:-20]
    assert one.say("LRANGE", "k", 0, -1).startswith(b"-IOERR")


# --- snapshots


def loaded(data: bytes) -> One:
    one = One()
    reader, loader = RdbReader(), Loader(one.server.keyspace.apart(), one.server.now, True)
    loader.take(reader.feed(data))
    loader.take(reader.finish())
    one.server.keyspace.replace(loader.keyspace, one.server.now)
    one.server.access.debug = "yes"
    return one


@pytest.mark.parametrize("compression", ["yes", "no"])
def test_a_file_has_what_is_not_in_memory(compression: str) -> None:
    one = Spilling(rdbcompression=compression)
    everything(one)
    faults = one.told("vm_stats_faults")
    assert one.say("SAVE") == OK
    assert one.told("vm_stats_faults") == faults
    assert loaded(bytes(one.edge.file.data)).say("DEBUG", "DIGEST") == one.say("DEBUG", "DIGEST")


def test_a_snapshot_shows_what_was_there_when_it_began() -> None:
    one = Spilling(rdb_key_save_delay="1000")
    everything(one)
    before = one.say("DEBUG", "DIGEST")
    one.send(one.session, "BGSAVE")
    keys = keys_of(one)
    for number, key in enumerate(keys):
        one.send(one.session, *[("DEL", key), ("SET", key, "new"), ("RENAME", key, key + b"2")][number % 3])
        one.turn()
    one.send(one.session, "RPUSH", "list:large", "more")
    while one.machine.saves.in_progress:
        one.turn(10)
    assert loaded(bytes(one.edge.file.data)).say("DEBUG", "DIGEST") == before
    one.say("FLUSHALL")
    assert one.store.kept == {}, "the snapshot has let go of it"


def test_fields_expire_though_their_hash_is_not_in_memory() -> None:
    one = Spilling()
    one.say("HSET", "h", "f", VALUE, "g", "v")
    one.say("HPEXPIRE", "h", 5000, "FIELDS", 1, "f")
    assert one.is_away(b"h")
    one.now += 6000
    one.server.begin_batch(one.now)
    one.machine.attend(one.now)
    one.machine.drain()
    assert one.say("HGETALL", "h") == b"*2\r\n" + bulk(b"g") + bulk(b"v")
    assert one.server.stats.expired_fields == 1


def test_slots_leave_with_what_is_not_in_memory() -> None:
    one = Spilling(cluster_enabled="yes")
    db = one.server.keyspace.database(0)
    one.server.clustered = False  # nobody has told it of a cluster
    one.say("SET", "k", VALUE)
    assert one.store.kept
    one.server.lazyfree.take(db, db.part_of(b"k"))
    one.turn()
    one.turn()
    assert one.store.kept == {}


def test_what_the_account_does_not_know_of_counts_up_to_a_part() -> None:
    one = Spilling(limit=1_000_000, least=512)
    number = 0
    while one.server.keyspace.tally.held <= 950_000:  # a key takes more without the table in C
        number += 1
        one.say("SET", f"k{number}", VALUE)
    assert one.server.keyspace.tally.held < 960_000
    one.edge.resident = 1_100_000
    one.turn(1000)
    assert 900_000 < one.server.keyspace.tally.held <= 950_000, "the half of what is too much"
    for _ in range(20):
        one.turn(1000)
    assert one.server.keyspace.tally.held <= 1_000_000 - 1_000_000 // 6
    assert one.server.keyspace.tally.held > 800_000, "and no more"
    one.edge.resident = 900_000
    for _ in range(20):
        one.turn(1000)
    assert one.vm.room == 1_000_000


def test_a_node_that_finds_nothing_to_put_away_rests() -> None:
    one = Spilling(least=512)
    one.send(one.session, "SET", "small", "v")
    one.machine.drain()
    assert one.vm.excess() > 0
    assert not one.machine.has_work
    one.send(one.session, "SET", "large", "v" * 100_000)
    assert one.is_away(b"large"), "there is much more than there was"
    one.send(one.session, "SET", "k", VALUE)
    assert not one.is_away(b"k")
    one.turn(1001)
    assert one.is_away(b"k"), "it was looked for again"


def test_one_value_among_many_that_may_not_leave_is_found() -> None:
    one = Spilling(least=512)
    for number in range(5000):
        one.server.keyspace.database(0).store(*place(one, b"small%d" % number), b"v", SET)
    one.send(one.session, "SET", "large", VALUE)
    for _ in range(20):
        one.turn()
    assert one.is_away(b"large")
    for _ in range(20):
        one.turn()
    assert not one.machine.has_work, "all keys were looked at in vain"


# --- beside maxmemory


def full_of_stubs(policy: str = "allkeys-lru") -> tuple[Spilling, int]:
    """A node that ``maxmemory`` leaves no room, and all whose values are away; how many keys it has."""
    one = Spilling(least=512, maxmemory=str((1 << 20) + 400_000), maxmemory_policy=policy)
    keys = 0
    while not one.server.stats.evicted_keys and keys < 5000:
        assert one.send(one.session, "SET", f"old{keys}", VALUE) == OK
        keys += 1
    for _ in range(20):
        one.turn()
    return one, one.server.keyspace.database(0).size


def asked(one: Spilling, key: bytes) -> bytes:
    """The value of ``key``, whenever it comes; the node is left to itself."""
    out = one.send(one.session, "GET", key)
    for _ in range(100):
        if out:
            break
        one.turn()
        out = one.session.take_output()
    return out


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-lfu", "allkeys-random"])
def test_new_values_leave_before_old_keys_are_evicted(policy: str) -> None:
    one, keys = full_of_stubs(policy)
    assert keys > 1000
    one.turn(1000)
    for number in range(500):
        assert one.send(one.session, "SET", f"new{number}", VALUE) == OK
        if number % 7 == 0:
            one.turn()
    one.turn()
    assert one.server.keyspace.database(0).size >= keys - keys // 20, "each new key costs an old one, hardly more"
    assert one.server.stats.evicted_keys < 500 + keys // 20


def test_values_that_come_back_leave_before_keys_are_evicted() -> None:
    one, keys = full_of_stubs()
    evicted = one.server.stats.evicted_keys
    answers = [asked(one, key) for key in keys_of(one)]
    assert answers.count(bulk(VALUE)) > keys - keys // 20
    assert one.server.stats.evicted_keys - evicted < keys // 20


def test_values_leave_before_writes_are_refused() -> None:
    one = Spilling(least=512, maxmemory=str((1 << 20) + 400_000))
    one.store.late = True  # nothing is written between the batches
    one.vm.limit = 1 << 40
    answers = [one.send(one.session, "SET", f"k{number}", VALUE) for number in range(300)]
    one.vm.limit = 0
    answers += [one.send(one.session, "SET", f"k{number}", VALUE) for number in range(300, 900)]
    assert answers == [OK] * 900
    while (answer := one.send(one.session, "SET", f"k{len(answers)}", VALUE)) == OK:
        answers.append(answer)
        assert len(answers) < 4000
    assert answer.startswith(b"-OOM")
    assert sum(one.is_away(b"k%d" % number) for number in range(len(answers))) > len(answers) - 5


def test_nothing_is_looked_for_among_all_keys_while_what_arrives_is_noted() -> None:
    one, _ = full_of_stubs()
    assert one.vm.coldest.arrivals.all_noted
    at = one.vm.coldest.cursor, one.vm.coldest.at
    for number in range(200):
        one.send(one.session, "SET", f"new{number}", VALUE)
    one.send(one.session, "DEL", "new199")
    assert (one.vm.coldest.cursor, one.vm.coldest.at) == at
    assert len(one.vm.coldest.arrivals.keys) < 200
    one.send(one.session, "FLUSHALL")
    one.turn()
    assert not one.vm.coldest.arrivals.keys


def test_a_request_that_has_waited_for_a_value_keeps_it_until_it_has_run() -> None:
    one, _ = full_of_stubs()
    key = next(key for key in keys_of(one) if one.is_away(key))
    before = one.server.changes.fetched
    assert asked(one, key) == bulk(VALUE)
    assert one.server.changes.fetched == before, "it was not read a second time, with everybody waiting"


def place(one: Spilling, key: bytes) -> tuple[int, bytes]:
    return one.server.keyspace.database(0).part_of(key), key
