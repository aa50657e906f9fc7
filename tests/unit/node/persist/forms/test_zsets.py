"""Sorted sets are read from all their forms in RDB, and damaged ones are refused."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.persist.codes import RdbError, Short
from gossamer.node.persist.form import Style
from gossamer.node.persist.forms import zsets
from gossamer.node.persist.packed import listpack
from gossamer.node.persist.primitives import put_length, put_string
from gossamer.node.persist.source import Source
from gossamer.node.persist.values import put_value
from gossamer.node.types.kind import DONE, STEP
from gossamer.node.types.limits import EncodingLimits
from gossamer.node.types.zsets.zset import ZSET, ZSet
from tests.unit.node.persist.contents import read_whole

Items = list[tuple[bytes, float]]


def limits_of(entries: int) -> EncodingLimits:
    limits = EncodingLimits()
    limits.zset_max_listpack_entries = entries
    return limits


def set_of(scores: dict[bytes, float], entries: int = 128) -> ZSet:
    value = ZSet()
    for member, score in scores.items():
        value.add(member, score, limits_of(entries))
    return value


def items(value: object) -> Items:
    assert isinstance(value, ZSet)
    return value.items(0, value.length())


def read(code: int, body: bytes, entries: int = 128) -> ZSet:
    source = Source(body, limits=limits_of(entries))
    value = read_whole(source, code)
    assert source.at == len(body)
    assert isinstance(value, ZSet)
    return value


def string(text: bytes) -> bytes:
    out = bytearray()
    put_string(out, text)
    return bytes(out)


def binary(pairs: Items) -> bytes:
    out = bytearray()
    put_length(out, len(pairs))
    return bytes(out) + b"".join(string(member) + struct.pack("<d", score) for member, score in pairs)


def packed(*elements: bytes) -> bytes:
    return string(listpack.encode(list(elements)))


@given(
    scores=st.dictionaries(st.binary(max_size=70), st.floats(allow_nan=False), min_size=1),
    entries=st.sampled_from([0, 3, 128]),
)
def test_what_is_written_is_read_again(scores: dict[bytes, float], entries: int) -> None:
    value = set_of(scores, entries)
    out = bytearray()
    assert put_value(out, b"", value, Style()) == DONE
    assert out[0] == (zsets.LISTPACK if value.is_listpack() else zsets.BINARY_SCORES)
    again = read(out[0], bytes(out[1:]), entries)
    assert items(again) == items(value)
    assert ZSET.encoding(again) == ZSET.encoding(value)


def test_a_large_set_is_written_in_steps_from_its_end() -> None:
    value = set_of({b"%d" % number: float(number) for number in range(2 * STEP + 1)})
    out = bytearray()
    at, steps = 0, 0
    while at != DONE:
        at = put_value(out, b"", value, Style(), at)
        steps += 1
    assert steps == 3
    assert out[1:].startswith(b"\x47\xd1" + string(b"2000") + struct.pack("<d", 2000.0))
    assert items(read(out[0], bytes(out[1:]))) == items(value)


def test_scores_as_text_are_read() -> None:
    body = b"\x05" + b"\x01a\x0417.5" + b"\x01b\xfe" + b"\x01c\xff" + b"\x01d\x02-3" + b"\x01e\x030.1"
    found = items(read(zsets.TEXT_SCORES, body))
    assert found == [(b"c", -float("inf")), (b"d", -3.0), (b"e", 0.1), (b"a", 17.5), (b"b", float("inf"))]


def test_a_ziplist_is_read() -> None:
    entries = b"\x00\x01a" + b"\x03\xfe\x07" + b"\x03\x01b" + b"\x03\x041.25"
    ziplist = (11 + len(entries)).to_bytes(4, "little") + (10 + 9).to_bytes(4, "little") + b"\x04\0" + entries + b"\xff"
    value = read(zsets.ZIPLIST, string(ziplist))
    assert items(value) == [(b"b", 1.25), (b"a", 7.0)]
    assert ZSET.encoding(value) == b"listpack"


def test_a_listpack_stays_one_with_members_longer_than_allowed_now() -> None:
    value = read(zsets.LISTPACK, packed(b"x" * 300, b"2", b"a", b"1"))
    assert ZSET.encoding(value) == b"listpack"
    assert items(value) == [(b"a", 1.0), (b"x" * 300, 2.0)]
    assert ZSET.encoding(read(zsets.LISTPACK, packed(b"a", b"1", b"b", b"2"), entries=1)) == b"skiplist"


def test_more_bytes_are_asked_for_and_nothing_is_read_twice() -> None:
    body = binary([(b"a", 1.0), (b"b", 2.0)])
    for size in range(len(body)):
        with pytest.raises(Short):
            read(zsets.BINARY_SCORES, body[:size])


@pytest.mark.parametrize(
    ("code", "body"),
    [
        (zsets.BINARY_SCORES, b"\0"),
        (zsets.BINARY_SCORES, binary([(b"a", float("nan"))])),
        (zsets.BINARY_SCORES, binary([(b"a", 1.0), (b"a", 2.0)])),
        (zsets.BINARY_SCORES, binary([(b"a", 1.0), (b"a", 1.0)])),
        (zsets.TEXT_SCORES, b"\0"),
        (zsets.TEXT_SCORES, b"\x01\x01a\xfd"),
        (zsets.TEXT_SCORES, b"\x01\x01a\x03abc"),
        (zsets.TEXT_SCORES, b"\x01\x01a\0"),
        (zsets.LISTPACK, packed()),
        (zsets.LISTPACK, packed(b"a")),
        (zsets.LISTPACK, packed(b"a", b"x")),
        (zsets.LISTPACK, packed(b"a", b"nan")),
        (zsets.LISTPACK, packed(b"a", b"1", b"a", b"2")),
        (zsets.LISTPACK, string(b"no listpack")),
        (zsets.ZIPLIST, string(b"no ziplist")),
    ],
)
def test_what_is_no_sorted_set_is_refused(code: int, body: bytes) -> None:
    with pytest.raises(RdbError):
        read(code, body)
