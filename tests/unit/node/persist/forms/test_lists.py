"""Lists in RDB: what is written is read again, old forms are read, and what is damaged makes no list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.persist.codes import REDIS_10, RdbError, Short
from gossamer.node.persist.form import Elements, Style
from gossamer.node.persist.forms import lists
from gossamer.node.persist.packed import listpack
from gossamer.node.persist.primitives import put_length, put_string
from gossamer.node.persist.source import Source
from gossamer.node.persist.values import put_value, read_value
from gossamer.node.types.kind import DONE
from gossamer.node.types.limits import EncodingLimits
from gossamer.node.types.lists.kind import LIST
from gossamer.node.types.lists.list import List
from tests.unit.node.persist.contents import read_whole

ENTRIES = b"\x00\x01a\x03\xfe\x17\xff"
"""The elements ``a`` and 23, each behind the size of the one before it, and the end."""
ZIPLIST = b"\x11\0\0\0\x0d\0\0\0\x02\0" + ENTRIES


def list_of(elements: list[bytes], limits: EncodingLimits | None = None) -> List:
    value = List()
    for element in elements:
        value.will_grow(1, len(element), limits or EncodingLimits())
        value.push_right(element)
    return value


def written(value: List) -> bytes:
    """The number of the type, then the value, in as many steps as it takes."""
    out = bytearray()
    at = put_value(out, b"", value, Style(REDIS_10))
    while at != DONE:
        at = put_value(out, b"", value, Style(REDIS_10), at)
    return bytes(out)


def read(code: int, body: bytes) -> List:
    source = Source(body)
    value = read_whole(source, code)
    assert source.at == len(body)
    assert isinstance(value, List)
    return value


def body_of(*parts: bytes | int) -> bytes:
    """Lengths and strings."""
    out = bytearray()
    for part in parts:
        if isinstance(part, int):
            put_length(out, part)
        else:
            put_string(out, part)
    return bytes(out)


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=30), st.sampled_from([1, 5, 60, 400]))
def test_a_list_is_read_as_it_was_written(elements: list[bytes], times: int) -> None:
    value = list_of(elements * times)
    data = written(value)
    again = read(data[0], data[1:])
    assert again.elements(0, again.length) == elements * times
    assert LIST.encoding(again) == LIST.encoding(value)
    assert written(value.copy()) == data


def test_a_listpack_is_one_node_however_many_elements_it_has() -> None:
    value = list_of([b"7"] * 1500)
    assert LIST.encoding(value) == b"listpack"
    data = written(value)
    assert data == bytes([lists.NODES]) + body_of(1, lists.PACKED, listpack.encode([b"7"] * 1500))


@pytest.mark.parametrize(
    ("code", "body", "elements"),
    [
        (lists.SINGLES, body_of(2, b"a", b"23"), [b"a", b"23"]),
        (lists.ZIPLIST, body_of(ZIPLIST), [b"a", b"23"]),
        (lists.ZIPLISTS, body_of(2, ZIPLIST, ZIPLIST), [b"a", b"23"] * 2),
        (lists.NODES, body_of(2, lists.PLAIN, b"long", lists.PACKED, listpack.encode([b"b"])), [b"long", b"b"]),
        (lists.NODES, body_of(2, lists.PACKED, listpack.encode([]), lists.PACKED, listpack.encode([b"b"])), [b"b"]),
    ],
)
def test_every_form_is_read(code: int, body: bytes, elements: list[bytes]) -> None:
    value = read(code, body)
    assert value.elements(0, value.length) == elements
    for size in range(len(body)):
        with pytest.raises(Short):
            read_whole(Source(body[:size]), code)


@pytest.mark.parametrize(
    ("nodes", "encoding"),
    [
        (body_of(1, lists.PACKED, listpack.encode([b"a"])), b"listpack"),
        (body_of(2, lists.PACKED, listpack.encode([b"a"]), lists.PACKED, listpack.encode([b"b"])), b"quicklist"),
        (body_of(1, lists.PLAIN, b"a"), b"quicklist"),
        (body_of(1, lists.PACKED, listpack.encode([b"x" * 5000] * 2)), b"quicklist"),
    ],
)
def test_a_list_of_one_node_is_a_listpack_if_it_fits(nodes: bytes, encoding: bytes) -> None:
    assert LIST.encoding(read(lists.NODES, nodes)) == encoding


@pytest.mark.parametrize(
    ("code", "body"),
    [
        (lists.SINGLES, body_of(0)),
        (lists.ZIPLISTS, body_of(0)),
        (lists.NODES, body_of(0)),
        (lists.NODES, body_of(1, lists.PACKED, listpack.encode([]))),
        (lists.NODES, body_of(1, 3, b"a")),
        (lists.NODES, body_of(1, 0, b"a")),
        (lists.NODES, body_of(1, lists.PACKED, listpack.encode([b"a"])[:-1])),
        (lists.NODES, body_of(1, lists.PACKED, b"")),
        (lists.ZIPLIST, body_of(b"")),
        (lists.ZIPLIST, body_of(ZIPLIST[:-1])),
    ],
)
def test_what_is_damaged_makes_no_list(code: int, body: bytes) -> None:
    with pytest.raises(RdbError):
        read_whole(Source(body), code)


def test_a_long_list_is_read_in_steps() -> None:
    body = body_of(3000, *[b"%d" % number for number in range(3000)])
    source = Source(body)
    value = read_value(source, lists.SINGLES)
    assert isinstance(value, Elements)
    steps = 0
    while value.left:
        value.step(source)
        steps += 1
    assert steps == 3
    assert LIST.length(value.value) == 3000
