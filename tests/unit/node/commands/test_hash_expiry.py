"""What the commands on fields that expire answer, tell clients and tell replicas, as Valkey 9.1.2 was seen to do it.

A line of a story: a request, the reply, the events, the requests in the stream. The time is 1,000,000 ms at first;
``LATER`` sets the clock forward, and ``AND EXPIRE`` lets the housekeeping look around.
"""

import shlex

import pytest

from gossamer.node.engine.data.changes import Listener
from gossamer.node.engine.data.snapshot import Snapshot
from gossamer.node.engine.stream.as_commands import AsCommands
from gossamer.node.engine.stream.sink import Sink, Write
from tests.compat.replies import read_answer
from tests.unit.node.commands.one import One

ENDS = """
HSET h a 1 b 2 -> integer(2) | hset | HSET h a 1 b 2
HEXPIRE h 100 FIELDS 2 a x -> array[integer(1), integer(-2)] | hexpire | HPEXPIREAT h 1100000 FIELDS 2 a x
HEXPIRE h 50 GT FIELDS 1 a -> array[integer(0)]
HEXPIRE h 500 GT FIELDS 2 a b -> array[integer(1), integer(0)] | hexpire | HPEXPIREAT h 1500000 GT FIELDS 2 a b
HPEXPIRE h 500000 XX FIELDS 2 a b -> array[integer(1), integer(0)] | hexpire | HPEXPIREAT h 1500000 XX FIELDS 2 a b
HPEXPIREAT h 1900000000000 FIELDS 1 a -> array[integer(1)] | hexpire | HPEXPIREAT h 1900000000000 FIELDS 1 a
HEXPIREAT h 1900000000 FIELDS 2 a b -> array[integer(1), integer(1)] | hexpire | HPEXPIREAT h 1900000000000 FIELDS 2 a b
HTTL h FIELDS 3 a b x -> array[integer(1899999000), integer(1899999000), integer(-2)]
HPEXPIRETIME h FIELDS 1 a -> array[integer(1900000000000)]
HEXPIRE h 0 FIELDS 1 a -> array[integer(2)] | hexpired | HDEL h a
HPERSIST h FIELDS 2 a b -> array[integer(-2), integer(1)] | hpersist | HPERSIST h FIELDS 2 a b
HPERSIST h FIELDS 2 a b -> array[integer(-2), integer(-1)]
HSET h a 1 b 2 c 3 -> integer(2) | hset | HSET h a 1 b 2 c 3
HEXPIRE h 0 FIELDS 3 a c x -> array[integer(2), integer(2), integer(-2)] | hexpired | HDEL h a c
HEXPIRE h 0 FIELDS 3 a b c -> array[integer(-2), integer(2), integer(-2)] | hexpired del | HDEL h b
HSETEX h EX 100 FIELDS 2 a 1 b 2 -> integer(1) | hset hexpire | HSETEX h PXAT 1100000 FIELDS 2 a 1 b 2
HINCRBY h a 1 -> integer(2) | hincrby | HINCRBY h a 1
HINCRBYFLOAT h a 0.5 -> b'2.5' | hincrbyfloat | HSET h a 2.5
HTTL h FIELDS 2 a b -> array[integer(100), integer(100)]
HSETEX h FIELDS 1 a 1 -> integer(1) | hset | HSETEX h FIELDS 1 a 1
HSETEX h KEEPTTL FIELDS 1 b 1 -> integer(1) | hset | HSETEX h KEEPTTL FIELDS 1 b 1
HTTL h FIELDS 2 a b -> array[integer(-1), integer(100)]
HSETEX h FXX PX 100000 FIELDS 1 b 1 -> integer(1) | hset hexpire | HSETEX h PXAT 1100000 FIELDS 1 b 1
HSETEX h FNX PX 100000 FIELDS 1 b 1 -> integer(0)
HSETEX h NX PX 100000 FIELDS 1 c 1 -> integer(0)
HSETEX h PXAT 1 FIELDS 1 b 1 -> integer(1) | hset hexpire hexpired | HDEL h b
HSETEX h PXAT 1 FIELDS 1 nn 1 -> integer(1) | hset hexpire hexpired
HSETEX h PXAT 1 FIELDS 2 a 1 nn 1 -> integer(1) | hset hexpire hexpired del | HDEL h a
HSETEX h2 PXAT 1 FIELDS 1 a 1 -> integer(1) | hset hexpire hexpired del
HSETEX h2 NX EX 100 FIELDS 1 a 1 -> integer(1) | hset hexpire | HSETEX h2 PXAT 1100000 FIELDS 1 a 1
HSETEX h2 XX FNX EX 100 FIELDS 1 b 1 -> integer(1) | hset hexpire | HSETEX h2 PXAT 1100000 FIELDS 1 b 1
HSET h2 a 1 -> integer(0) | hset | HSET h2 a 1
HTTL h2 FIELDS 2 a b -> array[integer(-1), integer(100)]
HSET h a 1 b 2 c 3 -> integer(3) | hset | HSET h a 1 b 2 c 3
HGETEX h FIELDS 2 a x -> array[b'1', nullbulk]
HGETEX h EX 100 FIELDS 2 a x -> array[b'1', nullbulk] | hexpire | HPEXPIREAT h 1100000 FIELDS 1 a
HGETEX h PERSIST FIELDS 3 a b x -> array[b'1', b'2', nullbulk] | hpersist | HPERSIST h FIELDS 1 a
HGETEX h PERSIST FIELDS 3 a b x -> array[b'1', b'2', nullbulk]
HGETEX h PXAT 1 FIELDS 2 a x -> array[b'1', nullbulk] | hexpired | HDEL h a
HGETEX h PXAT 1 FIELDS 2 b c -> array[b'2', b'3'] | hexpired del | HDEL h b c
HSET h a 1 b 2 c 3 -> integer(3) | hset | HSET h a 1 b 2 c 3
HGETDEL h FIELDS 2 a x -> array[b'1', nullbulk] | hdel | HGETDEL h FIELDS 2 a x
HGETDEL h FIELDS 1 x -> array[nullbulk]
HGETDEL h FIELDS 2 b c -> array[b'2', b'3'] | hdel del | HGETDEL h FIELDS 2 b c
HGETDEL h FIELDS 2 b c -> array[nullbulk, nullbulk]
HSET h a 1 b 2 c 3 -> integer(3) | hset | HSET h a 1 b 2 c 3
HEXPIRE h 100 NX FIELDS 2 b b -> array[integer(1), integer(0)] | hexpire | HPEXPIREAT h 1100000 NX FIELDS 2 b b
HEXPIRE h 0 FIELDS 2 b b -> array[integer(2), integer(-2)] | hexpired | HDEL h b
"""

OVER = """
HSET h a 1 b 2 c 3 d 4 -> integer(4) | hset | HSET h a 1 b 2 c 3 d 4
HPEXPIRE h 1 FIELDS 2 a b -> array[integer(1), integer(1)] | hexpire | HPEXPIREAT h 1000001 FIELDS 2 a b
LATER 2
HLEN h -> integer(4)
HGETALL h -> array[b'c', b'3', b'd', b'4']
HKEYS h -> array[b'c', b'd']
HVALS h -> array[b'3', b'4']
HGET h a -> nullbulk
HMGET h a c -> array[nullbulk, b'3']
HEXISTS h a -> integer(0)
HSTRLEN h a -> integer(0)
HRANDFIELD h 9 WITHVALUES -> array[b'c', b'3', b'd', b'4']
HSCAN h 0 -> array[b'0', array[b'c', b'3', b'd', b'4']]
HPTTL h FIELDS 2 a c -> array[integer(-2), integer(-1)]
HPERSIST h FIELDS 2 a c -> array[integer(-2), integer(-1)]
HEXPIRE h 100 FIELDS 2 a c -> array[integer(-2), integer(1)] | hexpire | HPEXPIREAT h 1100002 FIELDS 2 a c
HGETEX h PERSIST FIELDS 1 a -> array[nullbulk]
HGETDEL h FIELDS 1 a -> array[nullbulk]
HDEL h a -> integer(0)
HLEN h -> integer(4)
HSETNX h a 5 -> integer(1) | hexpired hset | HSET h a 5
HPEXPIRE h 1 FIELDS 1 a -> array[integer(1)] | hexpire | HPEXPIREAT h 1000003 FIELDS 1 a
LATER 2
HSET h a 6 -> integer(1) | hexpired hset | HSET h a 6
HPEXPIRE h 1 FIELDS 1 a -> array[integer(1)] | hexpire | HPEXPIREAT h 1000005 FIELDS 1 a
LATER 2
HINCRBY h a 6 -> integer(6) | hexpired hincrby | HSET h a 6
HPEXPIRE h 1 FIELDS 1 a -> array[integer(1)] | hexpire | HPEXPIREAT h 1000007 FIELDS 1 a
LATER 2
HINCRBYFLOAT h a 6 -> b'6' | hexpired hincrbyfloat | HSET h a 6
HPEXPIRE h 1 FIELDS 1 a -> array[integer(1)] | hexpire | HPEXPIREAT h 1000009 FIELDS 1 a
LATER 2
HSETEX h FXX FIELDS 1 a 1 -> integer(0)
HSETEX h FNX FIELDS 1 a 1 -> integer(1) | hexpired hset | HSETEX h FIELDS 1 a 1
HPEXPIRE h 1 FIELDS 1 a -> array[integer(1)] | hexpire | HPEXPIREAT h 1000011 FIELDS 1 a
LATER 2
HSETEX h KEEPTTL FIELDS 1 a 1 -> integer(1) | hexpired hset | HDEL h a, HSETEX h KEEPTTL FIELDS 1 a 1
HTTL h FIELDS 1 a -> array[integer(-1)]
HGETALL h -> array[b'c', b'3', b'd', b'4', b'a', b'1']
HDEL h a d -> integer(2) | hdel | HDEL h a d
LATER 1000 AND EXPIRE ->  | hexpired | HDEL h b
HGETALL h -> array[b'c', b'3']
HPEXPIRE h 1 FIELDS 1 c -> array[integer(1)] | hexpire | HPEXPIREAT h 1001013 FIELDS 1 c
LATER 1000 AND EXPIRE ->  | hexpired del | HDEL h c
EXISTS h -> integer(0)
"""


class Events(Listener):
    def __init__(self) -> None:
        self.told: list[str] = []

    def key_changed(self, db: int, key: bytes, event: bytes) -> None:
        self.told.append(event.decode())


class Stream(Sink):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def write(self, db: int, data: bytes, slot: int) -> None:
        self.told.append(b" ".join(word.text for word in read_answer(data)[0].items).decode())

    def group(self, writes: list[Write]) -> None:
        for write in writes:
            self.write(write.db, write.data, write.slot)


class Teller:
    def __init__(self) -> None:
        self.one = One()
        self.now = 1_000_000
        self.events, self.stream = Events(), Stream()
        self.one.server.changes.listen(self.events)
        self.one.server.journal.attach(self.stream)

    def line(self, request: str) -> str:
        words = shlex.split(request)
        reply = ""
        if words[0] == "LATER":
            self.now += int(words[1])
            self.one.server.begin_batch(self.now)
            if len(words) > 2:
                self.one.machine.tick(self.now)
            self.one.machine.drain()
        else:
            reply = repr(read_answer(self.one.say(*words))[0])
        parts = [reply, " ".join(self.events.told), ", ".join(self.stream.told)]
        self.events.told, self.stream.told = [], []
        while parts and not parts[-1]:
            parts.pop()
        return " -> ".join([request, *([" | ".join(parts)] if parts else [])])


@pytest.mark.parametrize("story", [ENDS, OVER], ids=["ends", "over"])
def test_it_is_as_valkey_does_it(story: str) -> None:
    teller = Teller()
    lines = story.strip().split("\n")
    assert [teller.line(line.partition(" -> ")[0]) for line in lines] == lines


@pytest.mark.parametrize(
    ("request_", "refusal"),
    [
        ("HEXPIRE h 10 FIELDS 2 a", "numfields"),
        ("HEXPIRE h 10 FIELDS 0 a", "numfields"),
        ("HEXPIRE h 10 FIELDS x a", "not an integer"),
        ("HEXPIRE h x FIELDS 2 a", "numfields"),
        ("HEXPIRE h 10 FIELD 1 a", "numfields"),
        ("HEXPIRE h 10 FOO FIELDS 1 a", "Unsupported option FOO"),
        ("HEXPIRE h -1 FIELDS 1 a", "invalid expire time in 'hexpire'"),
        ("HEXPIRE h 9223372036854775 FIELDS 1 a", "invalid expire time in 'hexpire'"),
        ("HPEXPIRE h 9223372036854775807 FIELDS 1 a", "invalid expire time in 'hpexpire'"),
        ("HEXPIRE h 10 NX XX FIELDS y a", "NX and XX, GT or LT"),
        ("HEXPIRE h x GT LT FIELDS 1 a", "GT and LT"),
        ("HEXPIRE text 10 FIELDS 1 a", "WRONGTYPE"),
        ("HTTL h FIELDS 2 a", "syntax error"),
        ("HTTL h FOO 1 a", "syntax error"),
        ("HTTL text FIELDS x a", "not an integer"),
        ("HPERSIST h FIELDS 2 a", "numfields"),
        ("HPERSIST h FOO 1 a", "syntax error"),
        ("HGETDEL h FOO 1 a", "syntax error"),
        ("HGETDEL text FIELDS 2 a", "numfields"),
        ("HGETEX h FOO 1 a", "numfields"),
        ("HGETEX h BAD FIELDS x a", "syntax error"),
        ("HGETEX h EX FIELDS 1 a", "syntax error"),
        ("HGETEX h EX 10 PERSIST FIELDS 1 a", "syntax error"),
        ("HGETEX none EX -1 FIELDS 1 a", "invalid expire time in 'hgetex'"),
        ("HGETEX text EX -1 FIELDS 1 a", "WRONGTYPE"),
        ("HSETEX h FIELDS 1 a 1 b", "numfields"),
        ("HSETEX h BAD FIELDS 5 a 1", "syntax error"),
        ("HSETEX h FNX FXX FIELDS 1 a 1", "syntax error"),
        ("HSETEX h EX 10 KEEPTTL FIELDS 1 a 1", "syntax error"),
        ("HSETEX h EX -1 FIELDS 1 a 1", "invalid expire time in 'hsetex'"),
        ("HSETEX text EX -1 FIELDS 1 a 1", "WRONGTYPE"),
    ],
)
def test_a_request_is_refused_as_valkey_does_it(request_: str, refusal: str) -> None:
    one = One()
    one.say("SET", "text", "x")
    one.say("HSET", "h", "a", 1)
    assert refusal.encode() in one.say(*request_.split())
    assert one.say("HTTL", "h", "FIELDS", 1, "a") == b"*1\r\n:-1\r\n"


@pytest.mark.parametrize("command", ["COPY h other", "RENAME h other", "MOVE h 1"])
def test_ends_go_where_the_hash_goes_and_are_kept_there(command: str) -> None:
    one = One()
    one.say("HSET", "h", "a", 1, "b", 2)
    one.say("HPEXPIRE", "h", 500, "FIELDS", 1, "a")
    one.say(*command.split())
    db = one.server.keyspace.database(1 if command.startswith("MOVE") else 0)
    one.server.begin_batch(1_002_000)
    one.machine.tick(1_002_000)
    value = db.get_raw(b"h" if command.startswith("MOVE") else b"other")
    assert value is not None
    assert one.server.stats.expired_fields == (2 if command.startswith("COPY") else 1)


def test_dump_and_restatement_make_the_ends_again() -> None:
    one = One()
    for at in range(1200):
        one.say("HSET", "h", f"field{at}", at)
    one.say("HPEXPIREAT", "h", 5_000_000, "FIELDS", 2, "field7", "field8")
    one.say("HPEXPIREAT", "h", 6_000_000, "FIELDS", 1, "field1199")
    told = one.say("HPEXPIRETIME", "h", "FIELDS", 4, "field7", "field8", "field9", "field1199")
    payload = read_answer(one.say("DUMP", "h"))[0].text
    restated = AsCommands(Snapshot(one.server.keyspace))
    requests = b""
    while not restated.done:
        requests += restated.next(10_000)
    digest = one.say("DEBUG", "DIGEST-VALUE", "h")
    for restore in (True, False):
        other = One()
        if restore:
            other.say("RESTORE", "h", 0, payload)
        else:
            other.session.feed(requests)
            other.session.take_output()
        assert other.say("DEBUG", "DIGEST-VALUE", "h") == digest
        assert other.say("HPEXPIRETIME", "h", "FIELDS", 4, "field7", "field8", "field9", "field1199") == told


def test_many_fields_are_deleted_in_pieces() -> None:
    teller = Teller()
    for at in range(3000):
        teller.one.say("HSET", "h", f"field{at}", at)
    teller.one.say("HPEXPIRE", "h", 1, "FIELDS", 2999, *[f"field{at}" for at in range(2999)])
    teller.stream.told = []
    teller.now += 2
    teller.one.server.begin_batch(teller.now)
    teller.one.machine.tick(teller.now)
    teller.one.machine.drain()
    assert teller.one.say("HLEN", "h") == b":1\r\n"
    sizes = [len(words.split()) - 2 for words in teller.stream.told]
    assert sum(sizes) == 2999
    assert max(sizes) < 1000
