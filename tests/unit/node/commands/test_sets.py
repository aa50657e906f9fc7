"""What commands on sets do as Redis 7.2 does, where 7.0 differs, and what replicas hear of them."""

import pytest

from gossamer.node.commands.digest import digest_of_all
from gossamer.node.commands.sort.options import SortOptions
from gossamer.node.engine.data.snapshot import Snapshot
from gossamer.node.engine.stream.as_commands import AsCommands
from gossamer.node.resp.errors import Refusal
from gossamer.node.types.kind import STEP
from tests.unit.node.commands.one import One
from tests.unit.node.engine.stream.test_sinks import File

MEMBERS = [f"m{number}" for number in range(3000)]


def one_of(*requests: str) -> One:
    """A node that was told so before."""
    one = One()
    for request in requests:
        assert not one.say(*request.split()).startswith(b"-"), request
    return one


def encoding(one: One, key: str) -> bytes:
    return one.say("OBJECT", "ENCODING", key).split(b"\r\n")[1]


@pytest.mark.parametrize(
    ("requests", "form"),
    [
        (["SADD s 1 2 3"], b"intset"),
        (["SADD s 1 2 3 4"], b"hashtable"),
        (["SADD s 1 2 3", "SADD s 4"], b"hashtable"),
        (["SADD s 1", "SADD s a"], b"listpack"),
        (["SADD s a b c"], b"listpack"),
        (["SADD s a a a a"], b"hashtable"),
        (["SADD s a b c", "SADD s a b c a"], b"listpack"),
        (["SADD s a b c d", "SPOP s 3"], b"hashtable"),
        (["SADD s a b c d e f", "SPOP s 5"], b"listpack"),
        (["SADD s 1 2 3 4", "SUNIONSTORE s s", "SREM s 1", "SUNIONSTORE s s"], b"intset"),
        (["SADD r a b 1 2", "SADD t 1 2 3", "SINTERSTORE s r t"], b"intset"),
        (["SADD r a b 1 2", "SADD t a b c d", "SINTERSTORE s r t"], b"listpack"),
        (["SADD r a b c d e f", "SADD t a b c", "SADD u a b", "SDIFFSTORE s r t u"], b"listpack"),
        (["SADD r a b c d", "SADD t a", "SADD u b", "SADD v c", "SADD w x", "SDIFFSTORE s r t u v w"], b"hashtable"),
        (["SADD r 1", "SADD s 2", "SMOVE r s 1"], b"intset"),
    ],
)
def test_the_form_changes_as_in_7_2(requests: list[str], form: bytes) -> None:
    limits = ("CONFIG SET set-max-intset-entries 3", "CONFIG SET set-max-listpack-entries 3")
    assert encoding(one_of(*limits, *requests), "s") == form


def heard(*requests: str) -> list[str]:
    """What replicas are told of the last of ``requests``."""
    one, file = one_of(*requests[:-1]), File()
    one.server.journal.attach(file)
    one.say(*requests[-1].split())
    return [word for told in file.told for word in ([told] if isinstance(told, str) else told)]


def test_replicas_hear_what_was_drawn() -> None:
    assert heard("SADD s a", "SPOP s") == ["0 SREM s a"]
    assert heard("SADD s a b", "SPOP s 2") == ["0 DEL s"]
    assert heard("CONFIG SET lazyfree-lazy-server-del yes", "SADD s a b", "SPOP s 5") == ["0 UNLINK s"]
    assert heard("SADD s a b", "SPOP s 0") == []


def test_replicas_hear_much_in_several_requests() -> None:
    told = heard("SADD s " + " ".join(MEMBERS), "SPOP s 2500")
    assert [len(words.split()) - 3 for words in told] == [1024, 1024, 452]


def test_a_large_set_is_restated_in_steps() -> None:
    one = one_of("SADD s " + " ".join(MEMBERS), "PEXPIREAT s 99000000")
    words = AsCommands(Snapshot(one.server.keyspace))
    again = One()
    while not words.done:
        again.session.feed(words.next(1))
    assert again.session.take_output().count(b":") > len(MEMBERS) // STEP
    assert digest_of_all(again.server.keyspace) == digest_of_all(one.server.keyspace)


def test_a_small_set_is_scanned_whole() -> None:
    one = one_of("SADD s a")
    assert one.say("SSCAN", "s", "5", "COUNT", "1") == b"*2\r\n$1\r\n0\r\n*1\r\n$1\r\na\r\n"


@pytest.mark.parametrize("option", ["BY w_*", "GET #", "GET w_*"])
def test_a_cluster_takes_no_patterns_of_sort(option: str) -> None:
    argv = [b"SORT", b"s", *(word.encode() for word in option.split())]
    with pytest.raises(Refusal) as refused:
        SortOptions(argv, clustered=True, stores=True)
    assert refused.value.text == b"ERR %s option of SORT denied in Cluster mode." % argv[2]
    SortOptions([b"SORT", b"s", b"BY", b"constant"], clustered=True, stores=True)
