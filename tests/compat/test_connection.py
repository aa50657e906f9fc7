"""Connection commands and CLIENT, compared with a real server: replies, refusals and the order of checks."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.compat.pair import SETTINGS, Pair, Talk, Word, encode
from tests.compat.replies import Answer

PASSWORD = "s3cret"

LOGIN: list[Sequence[Word]] = [
    ("PING",), ("PING", "x"), ("PING", "a", "b"), ("ECHO", "x"), ("ECHO",),
    ("HELLO",), ("HELLO", 2), ("HELLO", 3), ("HELLO", 4), ("HELLO", "x"), ("HELLO", "03"), ("HELLO", 3, "FOO"),
    ("HELLO", 3, "SETNAME"), ("HELLO", 3, "SETNAME", "me"), ("HELLO", 2, "SETNAME", "a b"), ("HELLO", 2, "AUTH", "a"),
    ("HELLO", 3, "AUTH", "default", PASSWORD), ("HELLO", 2, "AUTH", "default", "bad"),
    ("HELLO", 2, "AUTH", "nobody", PASSWORD), ("HELLO", 3, "AUTH", "default", PASSWORD, "SETNAME", "a\n"),
    ("HELLO", 3, "SETNAME", "one", "SETNAME", "two"), ("HELLO", 2, "setname", "", "auth", "default", PASSWORD),
    ("AUTH", PASSWORD), ("AUTH", "bad"), ("AUTH", "default", PASSWORD), ("AUTH", "default", "bad"),
    ("AUTH", "nobody", PASSWORD), ("AUTH", "a", "b", "c"), ("AUTH",),
    ("SELECT", 0), ("SELECT", 3), ("SELECT", 16), ("SELECT", -1), ("SELECT", "x"), ("SELECT", "99999999999"),
    ("SELECT", "99999999999999999999"), ("SELECT",),
    ("RESET",), ("RESET", "x"), ("ASKING",), ("READONLY",), ("READWRITE",), ("READONLY", "x"),
    ("CLIENT", "GETNAME"), ("CLIENT", "SETNAME", "you"), ("CLIENT", "SETNAME", ""), ("CLIENT", "SETNAME", "é"),
    ("CLIENT", "SETNAME", "a b"), ("CLIENT", "SETNAME", "~"), ("CLIENT", "SETNAME", b"\x7f"), ("CLIENT",),
    ("CLIENT", "FOO"), ("CLIENT", "GETNAME", "x"), ("CLIENT", "NO-EVICT", "on"), ("CLIENT", "NO-EVICT", "x"),
    ("MULTI",), ("EXEC",), ("DISCARD",), ("GET", "k"), ("GET",), ("NOSUCH", "x"), ("MONITOR", "x"),
    ("DEBUG", "ERROR", "X y"), ("DEBUG",),
]  # fmt: skip

CLIENTS: list[Sequence[Word]] = [
    ("CLIENT", "LIST", "TYPE", "foo"), ("CLIENT", "LIST", "TYPE"), ("CLIENT", "LIST", "ID"),
    ("CLIENT", "LIST", "ID", "a"), ("CLIENT", "LIST", "ID", 9999999), ("CLIENT", "LIST", "ID", 0, -1),
    ("CLIENT", "LIST", "ID", 9999999, "a"), ("CLIENT", "LIST", "TYPE", "pubsub"), ("CLIENT", "LIST", "TYPE", "Master"),
    ("CLIENT", "LIST", "TYPE", "slave"), ("CLIENT", "LIST", "TYPE", "replica"), ("CLIENT", "LIST", "FOO"),
    ("CLIENT", "LIST", "FOO", "BAR"), ("CLIENT", "LIST", "TYPE", "normal", "ID", 1),
    ("CLIENT", "KILL"), ("CLIENT", "KILL", "1.1.1.1:1"), ("CLIENT", "KILL", "ID"), ("CLIENT", "KILL", "ID", "a"),
    ("CLIENT", "KILL", "ID", 0), ("CLIENT", "KILL", "ID", -1), ("CLIENT", "KILL", "ID", 9999999),
    ("CLIENT", "KILL", "TYPE", "foo"), ("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "foo"),
    ("CLIENT", "KILL", "TYPE", "pubsub"), ("CLIENT", "KILL", "USER", "nobody"), ("CLIENT", "KILL", "FOO", "bar"),
    ("CLIENT", "KILL", ""), ("CLIENT", "KILL", "ADDR", "", "SKIPME", "no"), ("CLIENT", "KILL", "LADDR", ""),
    ("CLIENT", "KILL", "ID", 5, "TYPE"), ("CLIENT", "KILL", "ADDR", "x", "LADDR", "y"),
    ("CLIENT", "KILL", "ADDR", "x", "USER", "default", "SKIPME", "no"), ("CLIENT", "KILL", "ID", "x", "FOO"),
    ("CLIENT", "PAUSE"), ("CLIENT", "PAUSE", "a"), ("CLIENT", "PAUSE", -1), ("CLIENT", "PAUSE", 0),
    ("CLIENT", "PAUSE", "a", "FOO"), ("CLIENT", "PAUSE", 0, "write"), ("CLIENT", "PAUSE", 0, "ALL"),
    ("CLIENT", "PAUSE", 1, "WRITE", "x"), ("CLIENT", "PAUSE", 9223372036854775807),
    ("CLIENT", "PAUSE", 9223372036854775808), ("CLIENT", "UNPAUSE"), ("CLIENT", "UNPAUSE", "x"),
    ("CLIENT", "REPLY", "FOO"), ("CLIENT", "REPLY", "ON"), ("CLIENT", "REPLY"), ("CLIENT", "NO-EVICT", "OFF"),
    ("CLIENT", "UNBLOCK", "a"), ("CLIENT", "UNBLOCK", 1), ("CLIENT", "UNBLOCK", 1, "FOO"),
    ("CLIENT", "UNBLOCK", "a", "FOO"), ("CLIENT", "UNBLOCK", 1, "timeout"), ("CLIENT", "UNBLOCK", 1, "ERROR"),
    ("CLIENT", "UNBLOCK", 1, "ERROR", "x"),
]  # fmt: skip


def without_ids(answer: Answer) -> Answer:
    """HELLO's reply names the connection, and each server counts on its own."""
    if isinstance(answer.content, tuple):
        words = list(answer.content)
        for at, word in enumerate(words[:-1]):
            if word.content == b"id":
                words[at + 1] = Answer("integer", 0)
            elif isinstance(word.content, tuple):
                words[at] = without_ids(word)
        return Answer(answer.kind, tuple(words))
    return answer


@SETTINGS
@given(program=st.lists(st.sampled_from(LOGIN), max_size=12), guarded=st.booleans())
def test_a_connection_logs_in_and_chooses_as_with_redis(
    pair: Pair, program: list[Sequence[Word]], guarded: bool
) -> None:
    pair.flush()
    if guarded:
        pair.tell_redis("CONFIG", "SET", "requirepass", PASSWORD)
        pair.machine.server.config.set([("requirepass", PASSWORD)])
    try:
        pair.talk().run(program, normal=without_ids)
    finally:
        pair.tell_redis("CONFIG", "SET", "requirepass", "")


@pytest.mark.parametrize("protocol", [2, 3])
def test_every_login_command_alone(pair: Pair, protocol: int) -> None:
    pair.flush()
    for words in LOGIN:
        talk = pair.talk(3 if protocol == 3 else 2)
        talk.same(*words, normal=without_ids)


@pytest.mark.parametrize("protocol", [2, 3])
def test_client_checks_its_arguments_in_the_order_of_redis(pair: Pair, protocol: int) -> None:
    pair.flush()
    talk = pair.talk(3 if protocol == 3 else 2)
    for words in CLIENTS:
        talk.same(*words)


def fields(line: bytes) -> list[bytes]:
    return [field.split(b"=", 1)[0] for field in line.split()]


TRUE_HERE = (b"name", b"age", b"flags", b"db", b"sub", b"psub", b"ssub", b"multi", b"events", b"cmd", b"user",
             b"redir", b"resp")  # fmt: skip
"""Fields of CLIENT LIST that do not depend on the process or its buffers; an age may be a second more on one side."""


def comparable(answer: Answer) -> Answer:
    shown = [b" ".join(field for field in line.split() if field.split(b"=")[0] in TRUE_HERE)
             for line in answer.text.splitlines()]  # fmt: skip
    return Answer(answer.kind, re.sub(rb"age=[0-5] ", b"age=few ", b"\n".join(shown)))


@pytest.mark.parametrize("before", [
    [], [("SELECT", 5)], [("CLIENT", "SETNAME", "me")], [("HELLO", 3)], [("CLIENT", "NO-EVICT", "on")],
    [("SELECT", 5), ("HELLO", 3), ("CLIENT", "SETNAME", "me"), ("RESET",)],
    [("WATCH", "k"), ("SET", "k", "v")], [("MONITOR",), ("RESET",)],
])  # fmt: skip
def test_client_info_shows_the_state_of_the_connection(pair: Pair, before: list[Sequence[Word]]) -> None:
    pair.flush()
    talk = pair.talk()
    talk.run(before, normal=without_ids)
    talk.same("CLIENT", "INFO", normal=comparable)


def test_the_line_of_client_list_has_the_fields_of_redis_in_its_order(pair: Pair) -> None:
    pair.flush()
    theirs, ours = pair.resp2.both("CLIENT", "INFO")
    assert fields(ours.text) == [*fields(theirs.text), b"lib-name", b"lib-ver"], "7.2 has two more"
    assert ours.text.endswith(b"\n")


WATCHED: list[Sequence[Word]] = [
    ("SET", "k", b"\x00\xff\"\\\n\t"), ("SELECT", "3"), ("AUTH", "default", "x"), ("CONFIG", "GET", "hz"),
    ("NOSUCH",), ("GET",), ("MULTI",), ("INCR", "n"), ("EXEC",), ("CLIENT", "GETNAME"),
]  # fmt: skip


def test_a_monitor_shows_as_one_and_leaves_the_data_alone(pair: Pair) -> None:
    pair.flush()
    monitor, other = pair.talk(), pair.talk()
    monitor.same("MONITOR")
    for words in (("GET", "k"), ("SET", "k", "v"), ("DEL", "k")):
        monitor.same(*words)
    other.run(WATCHED)
    for _ in range(7):
        monitor.next("MONITOR's line", normal=without_origin)


def without_origin(answer: Answer) -> Answer:
    return Answer(answer.kind, re.sub(rb"^[0-9.]+ \[(\d+) [0-9.:]+\]", rb"T [\1 A]", answer.text))


REPLY_MODES: list[Sequence[Word]] = [("CLIENT", "REPLY", "SKIP"), ("PING",), ("NOSUCH",), ("GET",), ("SET", "k", "v")]


@SETTINGS
@given(program=st.lists(st.sampled_from(REPLY_MODES), max_size=8), off=st.booleans())
def test_client_reply_silences_the_same_replies(pair: Pair, program: list[Sequence[Word]], off: bool) -> None:
    """What is not silenced is counted by the marker that follows."""
    pair.flush()
    talk = pair.talk()
    if off:
        talk._send(request("CLIENT", "REPLY", "OFF"))
    for words in program:
        talk._send(request(*words))
    talk._send(request("CLIENT", "REPLY", "ON") + request("ECHO", "end"))
    while talk.next("the reply").content != b"end":
        pass


def request(*words: Word) -> bytes:
    return encode(words)


def test_a_client_ends_another_and_itself(pair: Pair) -> None:
    pair.flush()
    victim, killer = pair.talk(), pair.talk()
    ids = [answer.number for answer in victim.both("CLIENT", "ID")]
    kill(killer, ids)
    assert killer.next("CLIENT KILL ID").content == 1
    assert victim.next("the end").kind == "closed"
    ids = [answer.number for answer in killer.both("CLIENT", "ID")]
    kill(killer, ids)
    assert killer.next("CLIENT KILL ID").content == 0
    kill(killer, ids, "SKIPME", "no")
    assert killer.next("CLIENT KILL ID").content == 1
    assert killer.next("the end").kind == "closed"


def kill(talk: Talk, ids: list[int], *more: Word) -> None:
    """The same connection has another number on either side."""
    talk.theirs.send(request("CLIENT", "KILL", "ID", ids[0], *more))
    talk.ours.send(request("CLIENT", "KILL", "ID", ids[1], *more))


def test_quit_answers_and_ends(pair: Pair) -> None:
    pair.flush()
    talk: Talk = pair.talk()
    talk.same("QUIT", "now", "please")
    assert talk.next("the end").kind == "closed"


def test_help_names_the_same_subcommands(pair: Pair) -> None:
    """Their own words stay theirs; what can be typed is compared. SETINFO and NO-TOUCH are of 7.2."""
    pair.flush()
    ours, theirs = (usages(answer) for answer in reversed(pair.resp2.both("CLIENT", "HELP")))
    later = ["SETINFO <option> <value>", "NO-TOUCH (ON|OFF)"]
    assert [usage for usage in ours if usage not in later] == theirs


def usages(answer: Answer) -> list[str]:
    lines = [item.text.decode() for item in answer.items]
    return [line for line in lines if not line.startswith(" ")]
