"""``maxmemory``: which keys go, who is refused, and who is told."""

import pytest

from gossamer.cluster.slots import key_slot
from gossamer.node.config import Config, load_text
from gossamer.node.engine.data.changes import EVICTED, Listener
from gossamer.node.engine.data.eviction_pool import SIZE, EvictionPool
from gossamer.node.engine.data.memory_limit import NO_LIMIT_US, time_limit_us
from gossamer.node.engine.data.tally import OVERHEAD
from gossamer.node.engine.edge import Edge
from gossamer.node.engine.server import Server, serve
from gossamer.node.engine.stream.sink import Sink, Write
from gossamer.node.machine import Machine
from tests.unit.node.commands.one import One

OOM = b"-OOM command not allowed when used memory > 'maxmemory'.\r\n"
SIZE_OF_VALUE = 1000


class Told(Sink):
    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []

    def write(self, db: int, data: bytes, slot: int) -> None:
        self.writes.append(b" ".join(data.split(b"\r\n")[2::2]))

    def group(self, writes: list[Write]) -> None:
        self.writes.append(b"(")
        for write in writes:
            self.write(write.db, write.data, write.slot)
        self.writes.append(b")")


class Events(Listener):
    def __init__(self) -> None:
        self.evicted: list[bytes] = []

    def key_changed(self, db: int, key: bytes, event: bytes) -> None:
        if event == EVICTED:
            self.evicted.append(key)


def limited(policy: str, keys: int = 100, samples: int = 10) -> One:
    """A node that has room for about ``keys`` values."""
    one = One()
    assert one.say("CONFIG", "SET", "maxmemory-policy", policy, "maxmemory-samples", samples) == b"+OK\r\n"
    one.say("CONFIG", "SET", "maxmemory", used(one) + keys * (SIZE_OF_VALUE + OVERHEAD + 4))
    return one


def used(one: One) -> int:
    lines = one.say("INFO", "memory").split(b"\r\n")
    return int(next(line for line in lines if line.startswith(b"used_memory:")).partition(b":")[2])


def stat(one: One, name: str) -> int:
    lines = one.say("INFO", "stats").split(b"\r\n")
    return int(next(line for line in lines if line.startswith(name.encode() + b":")).partition(b":")[2])


def fill(one: One, first: int, behind: int, *options: str) -> list[bytes]:
    return [one.say("SET", f"k{number}", "v" * SIZE_OF_VALUE, *options) for number in range(first, behind)]


def there(one: One, numbers: range) -> int:
    return sum(one.say("EXISTS", f"k{number}") == b":1\r\n" for number in numbers)


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-lfu", "allkeys-random"])
def test_all_keys_make_room_for_new_ones(policy: str) -> None:
    one = limited(policy)
    events = Events()
    one.server.changes.listen(events)
    assert set(fill(one, 0, 400)) == {b"+OK\r\n"}
    assert 95 < one.server.keyspace.database(0).size <= 101
    assert stat(one, "evicted_keys") == len(events.evicted) == 400 - one.server.keyspace.database(0).size
    assert used(one) <= one.server.memory.limit + SIZE_OF_VALUE + 100


@pytest.mark.parametrize("policy", ["volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"])
def test_a_volatile_policy_spares_keys_that_do_not_expire(policy: str) -> None:
    one = limited(policy)
    fill(one, 0, 50)
    fill(one, 50, 300, "EX", "1000")
    assert there(one, range(50)) == 50
    assert stat(one, "evicted_keys") > 100
    refused = fill(one, 300, 500)
    assert refused[-1] == OOM
    assert one.server.keyspace.database(0).volatile == 0
    assert one.say("GET", "k0") == b"$1000\r\n" + b"v" * 1000 + b"\r\n"


def test_without_eviction_writes_are_refused() -> None:
    one = limited("noeviction")
    assert fill(one, 0, 150)[-1] == OOM
    assert stat(one, "evicted_keys") == 0
    assert one.say("DEL", "k0", "k1") == b":2\r\n"
    assert fill(one, 0, 1) == [b"+OK\r\n"]


@pytest.mark.parametrize("limit", ["2mb", "2000000", "2M"])
def test_a_limit_from_the_file_holds_from_the_start(limit: str) -> None:
    config = Config()
    load_text(config, f"maxmemory {limit}", "redis.conf", lambda _: [])
    one = One()
    one.server = serve(config, Edge())
    one.machine = Machine(one.server)
    one.session = one.machine.accept("127.0.0.1:1", "127.0.0.1:2")
    one.server.begin_batch(1_000_000)
    assert one.say("SET", "small", "v") == b"+OK\r\n"
    assert one.say("SET", "large", "v" * (2 << 20)) == b"+OK\r\n", "what it brings itself is counted afterwards"
    assert one.say("SET", "other", "v") == OOM
    assert one.say("GET", "small") == b"$1\r\nv\r\n"
    assert one.say("DEL", "large") == b":1\r\n"
    assert one.say("SET", "other", "v") == b"+OK\r\n"


def test_the_least_recently_used_go_first() -> None:
    one = limited("allkeys-lru")
    fill(one, 0, 90)
    one.server.begin_batch(1_100_000)
    for number in range(0, 90, 2):
        one.say("GET", f"k{number}")
    one.server.begin_batch(1_200_000)
    fill(one, 90, 130)
    evens, odds = there(one, range(0, 90, 2)), there(one, range(1, 90, 2))
    assert evens > 40
    assert odds < 25


def test_the_least_frequently_used_go_first() -> None:
    one = limited("allkeys-lfu")
    fill(one, 0, 90)
    for _ in range(30):
        for number in range(0, 90, 2):
            one.say("GET", f"k{number}")
    assert one.say("OBJECT", "FREQ", "k0") > b":5\r\n"
    assert one.say("OBJECT", "IDLETIME", "k0").startswith(b"-ERR An LFU maxmemory policy is selected")
    fill(one, 90, 130)
    assert there(one, range(0, 90, 2)) > 40


def test_the_soonest_to_expire_go_first() -> None:
    one = limited("volatile-ttl")
    for number in range(90):
        one.say("SET", f"k{number}", "v" * SIZE_OF_VALUE, "EX", 1000 - number)
    fill(one, 90, 120)
    assert there(one, range(20)) > 18
    assert there(one, range(70, 90)) < 10


def test_replicas_and_files_are_told_before_the_command_that_needed_room() -> None:
    one = limited("allkeys-random", 10)
    fill(one, 0, 12)
    told = Told()
    one.server.journal.attach(told)
    fill(one, 20, 21)
    assert told.writes[0].startswith(b"DEL k")
    assert told.writes[-1].startswith(b"SET k20 ")
    assert b"(" not in told.writes
    one.say("CONFIG", "SET", "lazyfree-lazy-eviction", "yes")
    told.writes = []
    one.say("MULTI")
    one.say("SET", "x", "v" * 3000)
    one.say("EXEC")
    one.say("PING")
    assert {write.split()[0] for write in told.writes if b"k" in write} == {b"UNLINK"}


class SlowEdge(Edge):
    """On which each look at the clock takes a millisecond."""

    def __init__(self) -> None:
        super().__init__()
        self.now_us = 0

    def microseconds(self) -> int:
        self.now_us += 1000
        return self.now_us


def test_what_takes_too_long_goes_on_between_the_batches() -> None:
    one = One()
    one.server = Server(edge=SlowEdge())
    one.machine = Machine(one.server)
    one.session = one.machine.accept("127.0.0.1:1", "127.0.0.1:2")
    one.server.begin_batch(1_000_000)
    one.say("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    fill(one, 0, 200)
    poked: list[None] = []
    one.server.memory.on_work = lambda: poked.append(None)
    one.say("CONFIG", "SET", "maxmemory", 1 << 20)
    assert poked
    assert one.say("SET", "small", "v") == b"+OK\r\n", "eviction goes on, and nothing is refused"
    before = one.server.keyspace.database(0).size
    assert 150 < before < 200
    while one.machine.has_work:
        one.machine.work()
    assert one.server.keyspace.database(0).size == 0


def test_nothing_is_evicted_while_writes_pause() -> None:
    one = limited("allkeys-lru", 110)
    fill(one, 0, 100)
    one.say("CLIENT", "PAUSE", 1000, "WRITE")
    one.say("CONFIG", "SET", "maxmemory", 1)
    one.say("GET", "k0")
    assert not one.machine.has_work
    assert one.server.keyspace.database(0).size == 100
    one.server.begin_batch(1_002_000)
    one.say("GET", "k0")
    assert one.server.keyspace.database(0).size == 0


@pytest.mark.parametrize(("ignores", "left"), [("yes", 100), ("no", 0)])
def test_a_replica_has_what_its_primary_has(ignores: str, left: int) -> None:
    one = limited("allkeys-lru", 110)
    fill(one, 0, 100)
    one.say("CONFIG", "SET", "replica-ignore-maxmemory", ignores)
    one.server.lazy_expire_deletes = False
    one.say("CONFIG", "SET", "maxmemory", 1)
    one.say("GET", "k0")
    while one.machine.has_work:
        one.machine.work()
    assert one.server.keyspace.database(0).size == left


def test_all_databases_are_looked_at() -> None:
    for policy in ("allkeys-lru", "allkeys-random"):
        one = limited(policy)
        for db in (0, 3, 7):
            one.say("SELECT", db)
            fill(one, 0, 30)
        one.say("SELECT", 9)
        fill(one, 0, 90)
        assert all(one.server.keyspace.database(db).size < 30 for db in (0, 3, 7))


def test_clients_that_have_left_cost_no_key() -> None:
    one = limited("allkeys-lru")
    fill(one, 0, 50)
    slow = one.machine.accept("127.0.0.1:7", "127.0.0.1:2")
    slow.feed(b"GET k0\r\n" * 49)
    used(one)
    one.machine.leave(slow)
    one.server.begin_batch(1_000_001)
    fill(one, 50, 99)
    assert stat(one, "evicted_keys") == 0


def test_slots_that_have_left_make_room_before_keys_that_are_here() -> None:
    one = One()
    one.server = Server(clustered=True)
    one.machine = Machine(one.server)
    one.session = one.machine.accept("127.0.0.1:1", "127.0.0.1:2")
    one.server.begin_batch(1_000_000)
    one.server.clustered = False  # who serves which slot is not the question here
    for number in range(300):
        one.say("SET", f"{{a}}{number}", "v" * SIZE_OF_VALUE)
        one.say("SET", f"{{b}}{number}", "v" * SIZE_OF_VALUE)
    one.say("CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "maxmemory", used(one) + 500)
    one.server.drop_slots((key_slot(b"{a}"),))
    for number in range(100):
        assert one.say("SET", f"{{c}}{number}", "v" * SIZE_OF_VALUE) == b"+OK\r\n"
    assert stat(one, "evicted_keys") == 0
    assert one.server.keyspace.database(0).size == 400


def test_more_samples_than_keys() -> None:
    one = limited("allkeys-lru", 10, samples=(1 << 31) - 1)
    fill(one, 0, 40)
    assert stat(one, "evicted_keys") >= 29


def test_the_same_node_evicts_the_same_keys() -> None:
    """The simulator relies on it."""

    def left() -> list[bytes]:
        one = limited("allkeys-lfu")
        fill(one, 0, 300)
        return sorted(one.server.keyspace.database(0).keys())

    assert left() == left()


# --- the pool


def test_the_pool_keeps_the_idlest() -> None:
    pool = EvictionPool()
    for number in range(100):
        pool.offer(0, b"%d" % number, number * 37 % 100)
    assert [candidate.idleness for candidate in pool.candidates] == list(range(100 - SIZE, 100))
    taken = pool.take()
    assert taken is not None
    assert taken.idleness == 99
    pool.clear()
    assert pool.take() is None


def test_tenacity() -> None:
    assert [time_limit_us(tenacity) for tenacity in (0, 1, 10, 11, 100)] == [0, 50, 500, 575, NO_LIMIT_US]
    assert 60_000_000 < time_limit_us(99) < 200_000_000


# --- clients


def test_the_client_that_costs_most_is_put_off() -> None:
    one = One()
    small, large, exempt = (one.machine.accept(f"127.0.0.1:{port}", "127.0.0.1:2") for port in (5, 6, 7))
    exempt.feed(b"CLIENT NO-EVICT on\r\n")
    one.say("CONFIG", "SET", "maxmemory-clients", "500kb")
    for client, size in ((small, 50_000), (large, 300_000), (exempt, 400_000)):
        client.feed(b"*2\r\n$4\r\nECHO\r\n$500000\r\n" + b"x" * size)
    one.server.begin_batch(1_000_500)
    one.machine.drain()
    assert [client.killed for client in (small, large, exempt)] == [False, True, False]
    assert stat(one, "evicted_clients") == 1


def test_the_limit_of_clients_may_be_a_share() -> None:
    one = One()
    for text, maxmemory, limit in (
        ("5%", "100mb", 5 << 20),
        ("5%", "0", 0),
        ("1%", "1mb", 128 << 10),
        ("1", "0", 128 << 10),
        ("0", "1gb", 0),
    ):
        one.say("CONFIG", "SET", "maxmemory-clients", text, "maxmemory", maxmemory)
        assert one.server.client_memory.limit == limit
