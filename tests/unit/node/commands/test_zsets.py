"""What commands on sorted sets do as Redis 7.2 does, where 7.0 differs, and what replicas hear of them."""

import pytest

from gossamer.node.commands.digest import digest_of_all
from gossamer.node.engine.data.snapshot import Snapshot
from gossamer.node.engine.stream.as_commands import AsCommands
from gossamer.node.types.kind import STEP
from gossamer.node.types.zsets.zset import ZSet
from tests.unit.node.commands.one import One
from tests.unit.node.engine.stream.test_sinks import File
from tests.unit.node.replication.joined import Node


def one_of(*requests: str) -> One:
    """A node that was told so before."""
    one = One()
    for request in requests:
        assert not one.say(*request.split()).startswith(b"-")
    return one


def encoding(one: One, key: str) -> bytes:
    return one.say("OBJECT", "ENCODING", key).split(b"\r\n")[1]


@pytest.mark.parametrize("command", ["ZRANK", "ZREVRANK"])
def test_a_rank_comes_with_its_score(command: str) -> None:
    one = one_of("ZADD z 0.1 x")
    assert one.say(command, "z", "x", "WITHSCORE") == b"*2\r\n:0\r\n$3\r\n0.1\r\n"
    assert one.say(command, "z", "no", "withscore") == b"*-1\r\n"
    assert one.say(command, "none", "x", "WITHSCORE") == b"*-1\r\n"
    assert one.say(command, "z", "no") == b"$-1\r\n"
    assert one.say(command, "z", "x", "WITHSCORES") == b"-ERR syntax error\r\n"
    wrong = b"-ERR wrong number of arguments for '%s' command\r\n" % command.lower().encode()
    assert one.say(command, "z", "x", "WITHSCORE", "x") == wrong
    one.say("HELLO", "3")
    assert one.say(command, "z", "x", "WITHSCORE") == b"*2\r\n:0\r\n,0.1\r\n"
    assert one.say(command, "z", "no", "WITHSCORE") == b"_\r\n"


def test_scores_are_sent_in_few_digits() -> None:
    one = one_of("ZADD z 0.1 a 1e20 b 3e-7 c 12345678901234567 d")
    said = one.say("ZMSCORE", "z", "a", "b", "c", "d")
    assert said == b"*4\r\n$3\r\n0.1\r\n$5\r\n1e+20\r\n$4\r\n3e-7\r\n$17\r\n12345678901234568\r\n"


def test_a_walk_shows_scores_of_a_large_set_in_17_digits() -> None:
    one = one_of("ZADD small 0.1 x", "CONFIG SET zset-max-listpack-entries 0", "ZADD large 0.1 x")
    assert one.say("ZSCAN", "small", 0) == b"*2\r\n$1\r\n0\r\n*2\r\n$1\r\nx\r\n$3\r\n0.1\r\n"
    assert one.say("ZSCAN", "large", 0) == b"*2\r\n$1\r\n0\r\n*2\r\n$1\r\nx\r\n$19\r\n0.10000000000000001\r\n"


@pytest.mark.parametrize(
    ("requests", "form"),
    [
        (["ZADD z 1 a 1 b 1 c"], b"listpack"),
        (["ZADD z 1 a 1 a 1 a 1 a"], b"skiplist"),
        (["ZADD z 1 a", "ZADD z 2 a 2 a 2 a 2 a"], b"skiplist"),
        (["ZADD z 1 a 1 b 1 c", "ZADD z 1 d"], b"skiplist"),
        ([f"ZADD z 1 {'x' * 64} 1 b"], b"listpack"),
        ([f"ZADD z 1 a 1 {'x' * 65}"], b"skiplist"),
        (["ZADD y 1 a 1 b 1 c 1 d", "ZRANGESTORE z y 0 2"], b"listpack"),
        (["ZADD y 1 a 1 b 1 c 1 d", "ZRANGESTORE z y 0 3"], b"skiplist"),
        (["ZADD y 1 a 1 b 1 c 1 d", "ZINTERSTORE z 2 y y"], b"skiplist"),
        (["ZADD y 1 a 1 b 1 c 1 d", "ZADD x 1 a", "ZINTERSTORE z 2 x y"], b"listpack"),
    ],
)
def test_the_form_is_chosen_as_in_7_2(requests: list[str], form: bytes) -> None:
    assert encoding(one_of("CONFIG SET zset-max-listpack-entries 3", *requests), "z") == form


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ("ZADD z 5 a", ["0 ZADD z 5 a"]),
        ("ZADD z 1 a", []),
        ("ZADD z NX 5 a", []),
        ("ZADD none XX 5 a", []),
        ("ZADD z GT INCR -1 a", []),
        ("ZINCRBY z 0.5 a", ["0 ZINCRBY z 0.5 a"]),
        ("ZREM z no", []),
        ("ZPOPMIN z 2", ["0 ZPOPMIN z 2"]),
        ("ZPOPMIN z 0", []),
        ("ZMPOP 2 none z MAX COUNT 10", ["0 ZPOPMAX z 3"]),
        ("BZMPOP 0 2 none z MIN", ["0 ZPOPMIN z 1"]),
        ("BZPOPMAX none z 0", ["0 ZPOPMAX z"]),
        ("ZRANGESTORE y z 0 0", ["0 ZRANGESTORE y z 0 0"]),
        ("ZRANGESTORE y z 7 8", []),
        ("ZDIFFSTORE z 2 z z", ["0 ZDIFFSTORE z 2 z z"]),
        ("ZREMRANGEBYRANK z 1 0", []),
    ],
)
def test_replicas_hear_of_what_changes(request_: str, told: list[str]) -> None:
    node, file = Node(1), File()
    node.tell("ZADD z 1 a 2 b 3 c")
    node.server.journal.attach(file)
    node.tell(request_)
    assert file.told == told


def test_a_set_without_members_is_gone() -> None:
    one = one_of("ZADD z 1 a")
    for add, remove in (
        ("ZADD z 1 a", "ZREM z a"),
        ("ZADD z 1 a", "ZPOPMAX z"),
        ("ZADD z 1 a", "ZREMRANGEBYRANK z 0 -1"),
    ):
        one.say(*add.split())
        one.say(*remove.split())
        assert one.say("EXISTS", "z") == b":0\r\n"


@pytest.mark.parametrize("entries", [0, 3 * STEP])
def test_the_words_of_a_set_make_it_again(entries: int) -> None:
    """In steps, with its time to live."""
    one, other = One(), One()
    one.say("CONFIG", "SET", "zset-max-listpack-entries", entries)
    for number in range(2 * STEP + 1):
        one.say("ZADD", "z", str(number / 3), number)
    one.say("ZADD", "z", "-inf", "a", "inf", b"\r\n")
    one.say("PEXPIREAT", "z", 9_000_000_000_000)
    writer = AsCommands(Snapshot(one.server.keyspace))
    while not writer.done:
        more = other.session.feed(writer.next(1000))
        assert not more
        assert b"-ERR" not in other.session.take_output()
    assert digest_of_all(other.server.keyspace) == digest_of_all(one.server.keyspace)


def test_a_copy_goes_its_own_way() -> None:
    one = One()
    for number in range(1000):
        one.say("ZADD", "z", number, number)
    one.say("COPY", "z", "y")
    one.say("ZREMRANGEBYRANK", "z", 0, 499)
    one.say("ZINCRBY", "y", "0.5", 999)
    assert one.say("ZCARD", "z") == b":500\r\n"
    assert one.say("ZRANK", "y", 500) == b":500\r\n"
    assert one.say("ZSCORE", "z", 999) == b"$3\r\n999\r\n"


def test_memory_is_counted_and_given_back() -> None:
    one = One()
    for number in range(500):
        one.say("ZADD", "z", number, number)
    value = one.stored(b"z")
    assert isinstance(value, ZSet)
    full = value.size()
    assert full > 500 * 100
    assert int(one.say("MEMORY", "USAGE", "z")[1:-2]) > full
    one.say("ZREMRANGEBYRANK", "z", 1, -1)
    assert value.size() < full / 100


@pytest.mark.parametrize("name", ["ZUNION", "ZINTER"])
def test_the_largest_set_is_added_last(name: str) -> None:
    """In another order the sum has another last digit."""
    one = One()
    one.say("ZADD", "small", "4e-300", "m", 1, "x")
    one.say("ZADD", "large", "1e-300", "m", 1, "x", 1, "y")
    for keys in (("small", "large", "small", "small"), ("large", "small", "small", "small")):
        assert b"\r\n1.3000000000000002e-299\r\n" in one.say(name, 4, *keys, "WITHSCORES")
