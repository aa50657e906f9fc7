"""DEBUG DIGEST and DIGEST-VALUE are Redis' own: every type in each form, ends, members of any bytes, many databases."""

import pytest

from tests.compat.pair import Pair, Talk
from tests.compat.replies import Answer
from tests.integration.every_type import FAR_MS, fill

NOTHING = Answer("status", b"0" * 40)
REQUESTS = list(fill())
KEYS = sorted({words[1] for words in REQUESTS if words[0] not in {"XGROUP", "XREADGROUP"}})
STREAMS = [key for key in KEYS if key.startswith("stream")]
SCORES = ("0", "-0", "2.5", "3.0000000000000004", "1e17", "-1e17", "inf", "-inf", "7")
"""In 7.0 they have the digits that they have in 7.2. The others: ``MORE_DIGITS`` of the walk, which asks Valkey."""
MEMBERS = (b"", b"\x00\xff", b"-0", b"007", b"12345678901234567890", b"x" * 70, b"\r\n")


def filled(pair: Pair) -> Talk:
    pair.flush()
    talk = pair.resp2
    talk.run(REQUESTS)
    return talk


def digest(talk: Talk) -> Answer:
    return talk.same("DEBUG", "DIGEST")


def test_every_type_in_each_form(pair: Pair) -> None:
    talk = filled(pair)
    found = talk.same("DEBUG", "DIGEST-VALUE", *KEYS)
    assert NOTHING.content not in {answer.content for answer in found.items}
    assert len({answer.content for answer in found.items}) == len(KEYS), "each has a digest of its own"
    whole = digest(talk)
    assert pair.resp3.same("DEBUG", "DIGEST") == whole


def test_of_a_time_to_live_it_counts_that_there_is_one(pair: Pair) -> None:
    talk = filled(pair)
    for key in KEYS:
        before = talk.same("DEBUG", "DIGEST-VALUE", key), digest(talk)
        talk.same("PEXPIREAT", key, FAR_MS + 7)
        with_end = talk.same("DEBUG", "DIGEST-VALUE", key), digest(talk)
        assert with_end != before or key == "ends"
        talk.same("PEXPIREAT", key, FAR_MS + 100_000)
        assert (talk.same("DEBUG", "DIGEST-VALUE", key), digest(talk)) == with_end
        talk.same("PERSIST", key)
        assert (talk.same("DEBUG", "DIGEST-VALUE", key), digest(talk)) == before or key == "ends"


@pytest.mark.parametrize("key", STREAMS)
def test_of_a_stream_the_entries_count_and_the_groups_do_not(pair: Pair, key: str) -> None:
    talk = filled(pair)
    before = talk.same("DEBUG", "DIGEST-VALUE", key)
    for words in (
        ("XGROUP", "CREATE", key, "third", "$"),
        ("XREADGROUP", "GROUP", "third", "carol", "STREAMS", key, ">"),
        ("XREADGROUP", "GROUP", "other", "carol", "COUNT", "1", "STREAMS", key, ">"),
        ("XGROUP", "DESTROY", key, "group"),
        ("XSETID", key, "9999-0"),
    ):
        talk.same(*words)
        assert talk.same("DEBUG", "DIGEST-VALUE", key) == before, words
    talk.same("XADD", key, "9999-1", "f", "v")
    assert talk.same("DEBUG", "DIGEST-VALUE", key) != before
    talk.same("XDEL", key, "9999-1")
    assert talk.same("DEBUG", "DIGEST-VALUE", key) == before
    talk.same("XTRIM", key, "MAXLEN", "0")
    assert talk.same("DEBUG", "DIGEST-VALUE", key) != before
    digest(talk)


@pytest.mark.parametrize("most", ["0", "128"], ids=["skiplist", "listpack"])
def test_scores_that_are_hard_to_print(pair: Pair, most: str) -> None:
    pair.flush()
    talk = pair.resp2
    talk.same("CONFIG", "SET", "zset-max-listpack-entries", most)
    try:
        for number, score in enumerate(SCORES):
            talk.same("ZADD", f"z{number}", score, "m")
            talk.same("ZADD", "all", score, f"m{number}")
        talk.same("DEBUG", "DIGEST-VALUE", "all", *(f"z{number}" for number in range(len(SCORES))))
        digest(talk)
    finally:
        talk.same("CONFIG", "SET", "zset-max-listpack-entries", 128)


def test_members_of_any_bytes(pair: Pair) -> None:
    pair.flush()
    talk = pair.resp2
    for number, member in enumerate(MEMBERS, 1):
        talk.run([("RPUSH", "l", member), ("SADD", "s", member), ("ZADD", "z", 1, member), ("SET", member, member)])
        talk.run([("HSET", "h", member, member), ("XADD", "x", f"{number}-0", member, member)])
        talk.same("DEBUG", "DIGEST-VALUE", "l", "s", "z", "h", "x", member)
    digest(talk)


def test_a_string_is_the_same_however_it_came(pair: Pair) -> None:
    pair.flush()
    talk = pair.resp2
    talk.run([("SET", "a", "1234"), ("APPEND", "b", "12"), ("APPEND", "b", "34"), ("INCRBY", "c", 1234)])
    found = talk.same("DEBUG", "DIGEST-VALUE", "a", "b", "c", "none").items
    assert found[0] == found[1] == found[2] != found[3] == NOTHING


def test_the_number_of_the_database_counts(pair: Pair) -> None:
    pair.flush()
    talk = pair.resp2
    assert digest(talk) == NOTHING
    talk.same("SET", "k", "v")
    first = digest(talk)
    talk.run([("SELECT", 9), ("SET", "l", "w"), ("SADD", "s", "a"), ("SELECT", 15), ("SET", "k", "v", "PX", 1_000_000)])
    several = digest(talk)
    assert talk.same("DEBUG", "DIGEST-VALUE", "k", "l").items[1] == NOTHING, "of the database that is selected"
    talk.run([("SWAPDB", 9, 15)])
    assert digest(talk) != several
    talk.run([("SWAPDB", 9, 15)])
    assert digest(talk) == several
    talk.run([("FLUSHDB",), ("SELECT", 9), ("DEL", "l"), ("MOVE", "s", 3), ("SELECT", 3), ("DEL", "s")])
    assert digest(talk) == first, "a database that is empty now counts as one that was never used"
    talk.same("MOVE", "k", 5)
    talk.run([("SELECT", 0), ("MOVE", "k", 5)])
    assert digest(talk) != first


@pytest.mark.parametrize("line", ["DEBUG DIGEST x", "DEBUG DIGEST-VALUE", "debug digest-value none", "DEBUG digest"])
def test_what_else_may_be_asked(pair: Pair, line: str) -> None:
    pair.flush()
    for talk in (pair.resp2, pair.resp3):
        talk.same(*line.split())


def test_a_transaction_is_told_what_holds_within_it(pair: Pair) -> None:
    pair.flush()
    talk = pair.resp2
    talk.run([("SET", "k", "v"), ("MULTI",), ("DEBUG", "DIGEST"), ("APPEND", "k", "w"), ("DEBUG", "DIGEST")])
    talk.same("DEBUG", "DIGEST-VALUE", "k")
    found = talk.same("EXEC").items
    assert found[0] != found[2]
