"""Sets are written in a form that the reader knows, read from all of them, and refused if they are damaged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.persist.codes import REDIS_10, REDIS_11, VALKEY_80, Format, RdbError
from gossamer.node.persist.form import Style
from gossamer.node.persist.forms import sets
from gossamer.node.persist.packed import intset, listpack
from gossamer.node.persist.primitives import put_length, put_string
from gossamer.node.persist.source import Source
from gossamer.node.persist.values import put_value
from gossamer.node.types.kind import DONE
from gossamer.node.types.limits import DEFAULTS
from gossamer.node.types.sets.set import HASHTABLE, INTSET, LISTPACK, Set
from tests.unit.node.persist.contents import read_whole

MEMBERS = st.sets(st.one_of(st.binary(max_size=300), st.integers(-(2**63), 2**63 - 1).map(lambda n: b"%d" % n)))


def set_of(*members: bytes) -> Set:
    value = Set()
    for member in members:
        value.add(member, DEFAULTS)
    return value


def written(value: Set, target: Format) -> tuple[int, bytes]:
    """The type and the body."""
    out = bytearray()
    at = put_value(out, b"", value, Style(target))
    while at != DONE:
        at = put_value(out, b"", value, Style(target), at)
    return out[0], bytes(out[1:])


def read(code: int, body: bytes) -> Set:
    source = Source(body)
    value = read_whole(source, code)
    assert source.at == len(body)
    assert isinstance(value, Set)
    return value


def string(text: bytes) -> bytes:
    out = bytearray()
    put_string(out, text)
    return bytes(out)


def one_by_one(*members: bytes) -> bytes:
    out = bytearray()
    put_length(out, len(members))
    return bytes(out) + b"".join(string(member) for member in members)


@given(members=MEMBERS, target=st.sampled_from([REDIS_10, REDIS_11, VALKEY_80]))
def test_what_is_written_is_read_again(members: set[bytes], target: Format) -> None:
    members = members or {b""}
    value = set_of(*members)
    again = read(*written(value, target))
    assert set(again.members()) == members
    assert again.form == value.form


@pytest.mark.parametrize("count", [3000, 1000])
def test_a_large_set_is_written_in_steps(count: int) -> None:
    value = set_of(*(b"member:%d" % number for number in range(count)))
    code, body = written(value, REDIS_11)
    assert code == sets.MEMBERS
    assert set(read(code, body).members()) == set(value.members())


def test_redis_7_0_is_given_no_listpack() -> None:
    assert written(set_of(b"a"), REDIS_10)[0] == sets.MEMBERS
    assert written(set_of(b"a"), REDIS_11)[0] == sets.LISTPACK
    assert written(set_of(b"1"), REDIS_10)[0] == sets.INTSET


@pytest.mark.parametrize(
    ("code", "body", "form"),
    [
        (sets.MEMBERS, one_by_one(*(b"%d" % number for number in range(512))), INTSET),
        (sets.MEMBERS, one_by_one(*(b"%d" % number for number in range(513))), HASHTABLE),
        (sets.MEMBERS, one_by_one(*(b"m%d" % number for number in range(128))), LISTPACK),
        (sets.MEMBERS, one_by_one(*(b"m%d" % number for number in range(129))), HASHTABLE),
        (sets.MEMBERS, one_by_one(b"x" * 65), HASHTABLE),
        (sets.INTSET, string(intset.encode(list(range(512)))), INTSET),
        (sets.INTSET, string(intset.encode(list(range(513)))), HASHTABLE),
        (sets.LISTPACK, string(listpack.encode([b"1", b"2"])), LISTPACK),
        (sets.LISTPACK, string(listpack.encode([b"x" * 300])), LISTPACK),
        (sets.LISTPACK, string(listpack.encode([b"m%d" % number for number in range(129)])), HASHTABLE),
    ],
)
def test_what_is_read_has_the_form_that_redis_gives_it(code: int, body: bytes, form: int) -> None:
    assert read(code, body).form == form


@pytest.mark.parametrize(
    ("code", "body"),
    [
        (sets.MEMBERS, one_by_one()),
        (sets.MEMBERS, one_by_one(b"a", b"b", b"a")),
        (sets.MEMBERS, one_by_one(b"1", b"2", b"1")),
        (sets.MEMBERS, one_by_one(*(b"m%d" % number for number in range(600)), b"m5")),
        (sets.INTSET, string(intset.encode([]))),
        (sets.INTSET, string(intset.encode([1, 2])[:-1])),
        (sets.INTSET, string(b"\x02\0\0\0\x02\0\0\0\2\0\1\0")),
        (sets.INTSET, string(b"\x02\0\0\0\x02\0\0\0\1\0\1\0")),
        (sets.LISTPACK, string(listpack.encode([]))),
        (sets.LISTPACK, string(listpack.encode([b"a", b"b", b"a"]))),
        (sets.LISTPACK, string(listpack.encode([b"a", b"b"])[:-1])),
    ],
)
def test_a_damaged_set_is_refused(code: int, body: bytes) -> None:
    with pytest.raises(RdbError):
        read(code, body)
