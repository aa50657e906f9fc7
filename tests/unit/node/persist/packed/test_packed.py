"""What real servers pack is read, what is packed here is theirs byte for byte, and damage is told, whatever it is."""

from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.persist.codes import RdbError
from gossamer.node.persist.packed import intset, listpack, ziplist, zipmap

INTEGERS: Final = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-70000, 70000),
    st.builds(
        lambda bits, sign, more: sign * (1 << bits) + more,
        st.integers(6, 62),
        st.sampled_from([1, -1]),
        st.integers(-1, 1),
    ),
)
ELEMENTS: Final = st.one_of(
    st.binary(max_size=80),
    INTEGERS.map(lambda number: b"%d" % number),
    st.sampled_from(
        [b"", b"-0", b"007", b"+1", b" 1", b"1 ", b"9223372036854775808", b"x" * 4096, b"y" * 63, b"z" * 64]
    ),
)
ZIPLIST: Final = bytes.fromhex("1800000013000000040000f20202616204fec803c02c01ff")
"""1, ab, -56, 300: written by hand after the format's description."""
ZIPMAP: Final = b"\x02\x03foo\x03\x00bar\x05hello\x05\x02world??\xff"
Decode = Callable[[bytes], object]


@given(st.lists(ELEMENTS, max_size=40))
def test_a_listpack_comes_back(elements: list[bytes]) -> None:
    assert listpack.decode(listpack.encode(elements)) == elements


@pytest.mark.parametrize(
    ("element", "form"),
    [
        (b"0", "00 01"),
        (b"127", "7f 01"),
        (b"128", "c0 80 02"),
        (b"-1", "df ff 02"),
        (b"-4096", "d0 00 02"),
        (b"4096", "f1 00 10 03"),
        (b"-32769", "f2 ff 7f ff 04"),
        (b"-2147483648", "f3 00 00 00 80 05"),
        (b"9223372036854775807", "f4 ff ff ff ff ff ff ff 7f 09"),
        (b"a", "81 61 02"),
        (b"", "80 01"),
    ],
)
def test_an_element_of_a_listpack_has_its_shortest_form(element: bytes, form: str) -> None:
    packed = listpack.encode([element])
    assert packed[6:-1] == bytes.fromhex(form)


@pytest.mark.parametrize("size", [125, 126, 127, 128, 16381, 16382, 16384, 1 << 21])
def test_the_size_at_the_end_of_an_element_grows_with_it(size: int) -> None:
    packed = listpack.encode([b"x" * size, b"y"])
    assert listpack.decode(packed) == [b"x" * size, b"y"]


@pytest.mark.parametrize("last", [b"\xc0", b"\xdf", b"\x81", b"\xe0", b"\xf0", b"\xf1", b"\xf4"])
def test_a_listpack_that_ends_within_an_element_is_damaged(last: bytes) -> None:
    for behind in (b"\xff", b"\x01\xff"):
        data = (listpack.HEADER_SIZE + len(last + behind)).to_bytes(4, "little") + b"\x01\x00" + last + behind
        with pytest.raises(RdbError):
            listpack.decode(data)


def test_a_listpack_that_does_not_know_its_count_is_read() -> None:
    packed = bytearray(listpack.encode([b"a", b"b"]))
    packed[4:6] = b"\xff\xff"
    assert listpack.decode(bytes(packed)) == [b"a", b"b"]


@given(st.sets(INTEGERS, max_size=40))
def test_an_intset_comes_back(numbers: set[int]) -> None:
    assert intset.decode(intset.encode(sorted(numbers))) == sorted(numbers)


@pytest.mark.parametrize(("numbers", "size"), [([-32768, 32767], 12), ([-32769], 12), ([2**31], 16), ([], 8)])
def test_an_intset_is_as_narrow_as_its_numbers_allow(numbers: list[int], size: int) -> None:
    assert len(intset.encode(numbers)) == size


@pytest.mark.parametrize("numbers", [b"\1\0\1\0", b"\2\0\1\0"])
def test_an_intset_out_of_order_is_refused(numbers: bytes) -> None:
    with pytest.raises(RdbError, match="not in order"):
        intset.decode(b"\2\0\0\0\2\0\0\0" + numbers)


def test_a_ziplist_is_read() -> None:
    assert ziplist.decode(ZIPLIST) == [b"1", b"ab", b"-56", b"300"]


def test_a_zipmap_is_read() -> None:
    assert zipmap.decode(ZIPMAP) == [b"foo", b"bar", b"hello", b"world"]


@pytest.mark.parametrize(
    ("decode", "whole"),
    [
        (listpack.decode, listpack.encode([b"a", b"300", b"-5", b"x" * 70, b"70000", b"y" * 5000])),
        (ziplist.decode, ZIPLIST),
        (zipmap.decode, ZIPMAP),
        (intset.decode, intset.encode([-5, 1, 70000])),
    ],
    ids=["listpack", "ziplist", "zipmap", "intset"],
)
def test_any_damage_is_an_error_or_another_value_and_never_a_surprise(decode: Decode, whole: bytes) -> None:
    for at in range(min(len(whole), 200)):
        for byte in {0, 1, 0x3F, 0x40, 0x7F, 0x80, 0xC0, 0xE0, 0xF0, 0xF4, 0xFE, 0xFF, whole[at] ^ 1, whole[at] ^ 0x80}:
            damaged = whole[:at] + bytes((byte,)) + whole[at + 1 :]
            for data in (damaged, whole[:at], whole[at:], damaged + b"\xff"):
                try:
                    decode(data)
                except RdbError:
                    continue
