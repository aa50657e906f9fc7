"""INFO, CONFIG, SLOWLOG, LATENCY, MEMORY, DEBUG, TIME, SHUTDOWN and CLIENT PAUSE, compared with a real server."""

import re
from collections.abc import Sequence

import pytest

from tests.compat.pair import Pair, Word, encode
from tests.compat.replies import Answer

OURS_ONLY = {
    "gossamer_version", "gossamer_build", "unexpected_errors", "total_blocking_keys", "total_blocking_keys_on_nokey",
}  # fmt: skip
"""Fields of INFO that Redis 7.0 does not have; the last two are of 7.2."""


def info_fields(answer: Answer) -> list[str]:
    """The lines of INFO without their values, section titles included."""
    return [line.partition(b":")[0].decode() for line in answer.text.split(b"\r\n")]


ASKED = [
    [], ["default"], ["Server"], ["CLIENTS"], ["memory"], ["persistence"], ["stats"], ["replication"], ["cpu"],
    ["modules"], ["cluster"], ["keyspace", "cpu", "nothing", "cpu"], ["nothing"], ["nothing", "default"],
]  # fmt: skip


@pytest.mark.parametrize("sections", ASKED, ids=" ".join)
def test_info_has_the_sections_and_fields_of_redis_in_its_order(pair: Pair, sections: list[str]) -> None:
    pair.flush()
    pair.resp2.same("SET", "k", "v")
    theirs, ours = pair.resp2.both("INFO", *sections)
    assert [name for name in info_fields(ours) if name not in OURS_ONLY] == info_fields(theirs)


@pytest.mark.parametrize("word", ["all", "everything"])
def test_info_all_has_every_section(pair: Pair, word: str) -> None:
    pair.flush()
    theirs, ours = pair.resp3.both("INFO", word)
    assert ours.kind == theirs.kind == "verbatim"
    assert titles(ours) == titles(theirs)


def titles(answer: Answer) -> list[str]:
    return [name for name in info_fields(answer) if name.startswith("#")]


def counts_only(answer: Answer) -> Answer:
    """commandstats without the times, errorstats; order made equal (Redis' is that of its hash table)."""
    lines = [re.sub(rb"usec=\d+,usec_per_call=[0-9.]+", b"", line) for line in answer.text.split(b"\r\n")]
    return Answer(answer.kind, b"\n".join(sorted(line for line in lines if b"resetstat" not in line)))


COUNTED: list[Sequence[Word]] = [
    ("SET", "k", "v"), ("GET", "k"), ("GET",), ("INCR", "k"), ("NOSUCH",), ("CONFIG", "GET", "hz"), ("CONFIG", "GET"),
    ("CONFIG", "FOO"), ("MULTI",), ("GET",), ("EXEC",), ("SELECT", "x"), ("CLIENT", "ID", "x"), ("INCR", "k", "x"),
]  # fmt: skip


def test_info_counts_calls_and_errors_as_redis_does(pair: Pair) -> None:
    pair.flush()
    pair.resp2.same("CONFIG", "RESETSTAT")
    pair.resp2.run(COUNTED)
    pair.resp2.same("INFO", "commandstats", normal=counts_only)
    pair.resp2.same("INFO", "errorstats", normal=counts_only)
    pair.resp2.same("CONFIG", "RESETSTAT")
    pair.resp2.same("INFO", "commandstats", normal=counts_only)
    pair.resp2.same("INFO", "errorstats")


def test_info_counts_keys_by_database(pair: Pair) -> None:
    pair.flush()
    pair.resp2.run([("SET", "a", "1"), ("SET", "b", "1", "EX", "100"), ("SELECT", "3"), ("SET", "c", "1")])
    pair.resp2.same("INFO", "keyspace", normal=without_average)


def without_average(answer: Answer) -> Answer:
    """``avg_ttl`` is estimated now and then."""
    return Answer(answer.kind, re.sub(rb"avg_ttl=\d+", b"avg_ttl=", answer.text))


ARGUMENTS: list[Sequence[Word]] = [
    ("TIME", "x"), ("LOLWUT",), ("LOLWUT", "VERSION"), ("LOLWUT", "VERSION", "a"), ("LOLWUT", "VERSION", 7),
    ("LOLWUT", 1, 2, 3), ("SHUTDOWN", "FOO"), ("SHUTDOWN", "NOSAVE", "SAVE"), ("SHUTDOWN", "ABORT"),
    ("SHUTDOWN", "ABORT", "NOW"), ("SHUTDOWN", "NOW", "ABORT"), ("MULTI",), ("SHUTDOWN",), ("DISCARD",),
    ("CONFIG",), ("CONFIG", "FOO"), ("CONFIG", "GET"), ("CONFIG", "GET", "nothing"), ("CONFIG", "GET", "maxclients"),
    ("CONFIG", "GET", "MaxClients", "timeout", "maxclients"), ("CONFIG", "SET", "a"), ("CONFIG", "SET", "a", "b"),
    ("CONFIG", "SET", "a", "b", "c"), ("CONFIG", "SET", "maxclients", "abc"), ("CONFIG", "SET", "databases", 3),
    ("CONFIG", "SET", "timeout", 0, "timeout", 0), ("CONFIG", "SET", "timeout", 10, "maxclients", "x"),
    ("CONFIG", "GET", "timeout"), ("CONFIG", "REWRITE"), ("CONFIG", "REWRITE", "x"), ("CONFIG", "RESETSTAT", "x"),
    ("SLOWLOG",), ("SLOWLOG", "FOO"), ("SLOWLOG", "GET", "a"), ("SLOWLOG", "GET", -2), ("SLOWLOG", "GET", -1),
    ("SLOWLOG", "GET", 0), ("SLOWLOG", "GET", 1, 2), ("SLOWLOG", "LEN"), ("SLOWLOG", "LEN", 1), ("SLOWLOG", "RESET"),
    ("LATENCY",), ("LATENCY", "FOO"), ("LATENCY", "RESET"), ("LATENCY", "LATEST"), ("LATENCY", "HISTORY", "foo"),
    ("LATENCY", "HISTORY"), ("LATENCY", "RESET", "foo", "bar"), ("LATENCY", "GRAPH", "foo"),
    ("LATENCY", "HISTOGRAM", "foo"), ("LATENCY", "HISTOGRAM", "lpush"), ("LATENCY", "HISTOGRAM", "config|foo"),
    ("MEMORY",), ("MEMORY", "FOO"), ("MEMORY", "USAGE"), ("MEMORY", "USAGE", "no"), ("MEMORY", "PURGE"),
    ("MEMORY", "USAGE", "no", "SAMPLES"), ("MEMORY", "USAGE", "no", "FOO", 1),
    ("MEMORY", "USAGE", "no", "SAMPLES", "a"),
    ("MEMORY", "USAGE", "no", "SAMPLES", -1), ("MEMORY", "USAGE", "no", "SAMPLES", 1, "SAMPLES", 0),
    ("DEBUG",), ("DEBUG", "FOO"), ("DEBUG", "foo", "bar"), ("DEBUG", "SLEEP"), ("DEBUG", "SLEEP", "a"),
    ("DEBUG", "SLEEP", 0), ("DEBUG", "SLEEP", 1, 2), ("DEBUG", "OBJECT"), ("DEBUG", "OBJECT", "no"),
    ("DEBUG", "OBJECT", "no", "fast"), ("DEBUG", "SET-ACTIVE-EXPIRE"), ("DEBUG", "SET-ACTIVE-EXPIRE", "1"),
    ("DEBUG", "SET-ACTIVE-EXPIRE", "1x"), ("DEBUG", "POPULATE"), ("DEBUG", "POPULATE", "a"), ("DEBUG", "POPULATE", -1),
    ("DEBUG", "POPULATE", 3), ("DEBUG", "POPULATE", 3, "p"), ("DEBUG", "POPULATE", 5, "p", 10), ("GET", "p:4"),
    ("DEBUG", "POPULATE", 3, "q", 2), ("GET", "q:1"), ("DEBUG", "POPULATE", 3, "q", "x"), ("GET", "key:0"),
    ("DEBUG", "POPULATE", 3, "q", -2), ("DEBUG", "POPULATE", 3, "q", 2, 3), ("DBSIZE",), ("GET", "p:1"),
    ("DEBUG", "POPULATE", 2, "r", 0), ("GET", "r:1"), ("DEBUG", "LOG", "x"), ("DEBUG", "LOG"), ("DEBUG", "HELP", "x"),
    ("DEBUG", "ERROR", "ERR foo"), ("DEBUG", "ERROR", "a\r\nb"), ("DEBUG", "ERROR"), ("DEBUG", "ERROR", ""),
    ("DEBUG", "JMAP"), ("DEBUG", "PROTOCOL"), ("DEBUG", "PROTOCOL", "foo"), ("DEBUG", "STRINGMATCH-LEN", "a", "b"),
    ("DEBUG", "STRINGMATCH-LEN", "1", "a", "b"), ("DEBUG", "REPLICATE"), ("DEBUG", "REPLICATE", "x", "y"),
    ("DEBUG", "PROTOCOL", "Push"), ("DEBUG", "SDSLEN"), ("DEBUG", "SDSLEN", "no"), ("DEBUG", "LISTPACK", "no"),
    ("DEBUG", "QUICKLIST", "no", 1), ("DEBUG", "HTSTATS-KEY", "no"), ("DEBUG", "LISTPACK", "p:1"),
    ("DEBUG", "QUICKLIST", "p:1"), ("DEBUG", "HTSTATS-KEY", "p:1"), ("DEBUG", "RELOAD"), ("DEBUG", "RELOAD", "x"),
    ("DEBUG", "RELOAD", "noflush", "MERGE"), ("DBSIZE",), ("GET", "p:4"), ("DEBUG", "DICT-RESIZING"),
    ("DEBUG", "QUICKLIST-PACKED-THRESHOLD", "200b"), ("DEBUG", "QUICKLIST-PACKED-THRESHOLD", "x"),
    ("DEBUG", "QUICKLIST-PACKED-THRESHOLD", "4gb"), ("DEBUG", "QUICKLIST-PACKED-THRESHOLD", 0),
    ("DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", 1), ("RESTORE", "c", 0, b"\0\1x\n\0" + bytes(8)), ("GET", "c"),
    ("DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", 0), ("RESTORE", "d", 0, b"\0\1x\n\0" + b"1" * 8),
    ("DEBUG", "REPLYBUFFER", "x", 1), ("DEBUG", "REPLYBUFFER", "resizing", 1), ("DEBUG", "REPLYBUFFER", "resizing"),
    ("DEBUG", "REPLYBUFFER", "peak-reset-time", "x"), ("DEBUG", "REPLYBUFFER", "peak-reset-time", "never"),
    ("DEBUG", "REPLYBUFFER", "peak-reset-time", "reset"),
]  # fmt: skip


NEVER = -1
USUAL_US = 10_000
"""Of slowlog-log-slower-than."""


@pytest.mark.parametrize("protocol", [2, 3])
def test_arguments_are_checked_in_the_order_of_redis(pair: Pair, protocol: int) -> None:
    pair.flush()
    pair.tell_redis("CONFIG", "SET", "timeout", "0")
    talk = pair.talk(3 if protocol == 3 else 2)
    talk.same("CONFIG", "SET", "slowlog-log-slower-than", NEVER)  # whoever the machine has held up has been slow
    for words in ARGUMENTS:
        talk.same(*words, normal=by_name if words[:2] == ("CONFIG", "GET") else None)
        if words == ("DEBUG", "PROTOCOL", "Push") and protocol == 3:
            talk.next("what follows the push")
    talk.same("CONFIG", "SET", "slowlog-log-slower-than", USUAL_US)


TYPES = ["string", "integer", "double", "null", "array", "set", "map", "verbatim", "true", "false", "bignum"]


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("kind", TYPES)
def test_debug_protocol_sends_each_type(pair: Pair, kind: str, protocol: int) -> None:
    pair.flush()
    pair.talk(3 if protocol == 3 else 2).same("DEBUG", "PROTOCOL", kind)


def test_debug_protocol_sends_an_attribute(pair: Pair) -> None:
    pair.flush()
    pair.resp2.same("DEBUG", "PROTOCOL", "attrib")
    talk = pair.resp3
    talk._send(encode(["DEBUG", "PROTOCOL", "attrib"]))
    reply = talk.ours.session.take_output()
    assert talk.theirs.socket.recv(len(reply)) == reply


def without_address(answer: Answer) -> Answer:
    return Answer(answer.kind, re.sub(rb"at:0x[0-9a-f]+|lru:\d+ lru_seconds_idle:\d+", b"", answer.text))


@pytest.mark.parametrize("value", ["", "x", "12", "-129", "40000", "2147483648", "9" * 30, "y" * 20, "x1" * 100])
def test_debug_object_describes_strings(pair: Pair, value: str) -> None:
    """Redis compresses long repetitive texts, we tell the length without; so those are compared without it."""
    pair.flush()
    pair.resp2.same("SET", "k", value)

    def normal(answer: Answer) -> Answer:
        text = without_address(answer).text
        return Answer(answer.kind, re.sub(rb"serializedlength:\d+", b"", text) if len(value) > 20 else text)

    pair.resp2.same("DEBUG", "OBJECT", "k", normal=normal)


def test_the_slow_log_keeps_the_same_entries_without_secrets(pair: Pair) -> None:
    pair.flush()
    talk = pair.resp2
    for words in (
        ("CONFIG", "SET", "slowlog-log-slower-than", "0"),
        ("CLIENT", "SETNAME", "me"),
        ("SET", "k", "v" * 200),
        ("DEL", *"k" * 40),
        ("INCR", "k", "x"),
        ("GET", "k", "x"),
        ("AUTH", "default", "secret"),
        ("AUTH", "secret"),
        ("HELLO", 2, "AUTH", "default", "secret", "SETNAME", "you"),
        ("CONFIG", "SET", "masterauth", "secret", "timeout", 0),
        ("MIGRATE", "127.0.0.1", 1, "missing", 0, 10, "COPY", "AUTH", "secret"),
        ("MIGRATE", "127.0.0.1", 1, "", 0, 10, "auth2", "me", "secret", "KEYS", "missing", "AUTH", "auth2"),
        ("MIGRATE", "127.0.0.1", 1, "missing", 0, 10, "AUTH", "secret", "what"),
    ):
        talk.both(*words)
    try:
        theirs, ours = talk.both("SLOWLOG", "GET", 20)
        assert [entry.items[3] for entry in ours.items] == [entry.items[3] for entry in theirs.items]
        assert [entry.items[5] for entry in ours.items] == [entry.items[5] for entry in theirs.items]
        assert len(ours.items[0].items) == len(theirs.items[0].items) == 6
    finally:
        talk.both("CONFIG", "SET", "slowlog-log-slower-than", USUAL_US, "masterauth", "")


def by_name(answer: Answer) -> Answer:
    """CONFIG GET answers in the order of a hash table."""
    if not isinstance(answer.content, tuple):
        return answer
    pairs = sorted(zip(answer.content[::2], answer.content[1::2], strict=True), key=repr)
    return Answer(answer.kind, tuple(word for pair in pairs for word in pair))


def test_config_get_answers_in_both_protocols(pair: Pair) -> None:
    pair.flush()
    for talk in (pair.resp2, pair.resp3):
        talk.same("CONFIG", "GET", "slowlog*", "maxmemory-policy", normal=by_name)
        talk.same("CONFIG", "SET", "slowlog-max-len", 64, "hz", 20)
        talk.same("CONFIG", "GET", "slowlog-max-len", "hz", normal=by_name)
        talk.same("CONFIG", "SET", "slowlog-max-len", 128, "hz", 10)


@pytest.mark.parametrize("mode", ["WRITE", "ALL"])
def test_a_pause_holds_what_redis_holds(pair: Pair, mode: str) -> None:
    pair.flush()
    operator, other = pair.talk(), pair.talk()
    operator.same("SET", "k", "1")
    operator.same("CLIENT", "PAUSE", 60000 if mode == "WRITE" else 1000, mode)
    held: list[Sequence[Word]] = [("INCR", "k"), ("GET", "k"), ("PING",)]
    if mode == "WRITE":
        other.run([("GET", "k"), ("PING",), ("MULTI",), ("GET", "k"), ("EXEC",), ("MULTI",)])
        held = [("INCR", "k"), ("EXEC",), ("GET", "k")]
    for words in held:
        other.theirs.send(encode(words))
        other.ours.session.feed(encode(words))  # by a clock that stands, or the second might be over
    pair.machine.drain()
    assert other.ours.session.out_bytes == 0
    if mode == "WRITE":
        operator.same("CLIENT", "UNPAUSE")
    else:  # even UNPAUSE would be held: our clock is moved, theirs runs out while we wait for the reply
        pair.machine.server.begin_batch(pair.machine.server.pause.until)
        pair.machine.drain()
    for words in held:
        other.next(*words)


@pytest.mark.parametrize("name", ["CONFIG", "SLOWLOG"])
def test_help_names_the_same_subcommands(pair: Pair, name: str) -> None:
    pair.flush()
    theirs, ours = pair.resp2.both(name, "HELP")
    assert usages(ours) == usages(theirs)


@pytest.mark.parametrize(
    ("name", "missing"),
    [("LATENCY", []), ("MEMORY", [])],
)
def test_help_names_the_subcommands_that_are_there(pair: Pair, name: str, missing: list[str]) -> None:
    pair.flush()
    theirs, ours = pair.resp2.both(name, "HELP")
    assert sorted(usages(ours)) == sorted(usage for usage in usages(theirs) if usage not in missing)


def usages(answer: Answer) -> list[str]:
    return [line for line in (item.text.decode() for item in answer.items) if not line.startswith(" ")]
