"""Lengths and strings: byte for byte as real servers write them, and read back from any place they may be cut at."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.persist import primitives
from gossamer.node.persist.codes import RdbError, Short
from gossamer.node.persist.primitives import put_length, put_string
from gossamer.node.persist.source import Source

LENGTHS = [
    (0, "00"),
    (63, "3f"),
    (64, "4040"),
    (16383, "7fff"),
    (16384, "8000004000"),
    (2**32 - 1, "80ffffffff"),
    (2**32, "810000000100000000"),
    (2**64 - 1, "81ffffffffffffffff"),
]
STRINGS = [
    (b"", "00"),
    (b"0", "c000"),
    (b"-128", "c080"),
    (b"127", "c07f"),
    (b"128", "c18000"),
    (b"-32768", "c10080"),
    (b"32768", "c200800000"),
    (b"2147483647", "c2ffffff7f"),
    (b"-2147483648", "c200000080"),
    (b"2147483648", "0a32313437343833363438"),
    (b"-2147483649", "0b2d32313437343833363439"),
    (b"007", "03303037"),
    (b"-0", "022d30"),
    (b"+1", "022b31"),
    (b" 1", "022031"),
    (b"1_0", "03315f30"),
    (b"1 ", "023120"),
]


def written(text: bytes, compress: bool = False) -> bytes:
    out = bytearray()
    put_string(out, text, compress)
    return bytes(out)


@pytest.mark.parametrize(("length", "coded"), LENGTHS)
def test_a_length_takes_the_shortest_form(length: int, coded: str) -> None:
    out = bytearray()
    put_length(out, length)
    assert out.hex() == coded
    assert Source(bytes(out)).length() == length


@pytest.mark.parametrize(("text", "coded"), STRINGS)
def test_a_string_is_an_integer_only_if_that_loses_nothing(text: bytes, coded: str) -> None:
    assert written(text).hex() == coded
    assert Source(written(text)).string() == text


@given(st.one_of(st.binary(), st.integers().map(lambda n: b"%d" % n), st.sampled_from([b"ab" * 99])), st.booleans())
def test_strings_come_back_and_tell_when_they_are_cut(text: bytes, compress: bool) -> None:
    coded = written(text, compress)
    source = Source(coded + b"rest")
    assert source.string() == text
    assert source.at == len(coded)
    for end in range(len(coded)):
        with pytest.raises(Short) as short:
            Source(coded[:end]).string()
        assert end < short.value.wanted <= len(coded)


def test_compression_must_be_worth_it() -> None:
    assert written(b"a" * 20, compress=True)[0] == 20
    assert written(b"a" * 21, compress=True)[0] == 0xC3
    assert written(bytes(range(60)), compress=True)[0] == 60


class Sizes(bytearray):
    """Takes the sizes of long strings instead of the strings."""

    def __iadd__(self, text: bytes) -> "Sizes":  # type: ignore[override, misc]
        return super().__iadd__(text if len(text) < 100 else b"%d" % len(text))


def test_a_string_of_4_gb_is_not_compressed(monkeypatch: pytest.MonkeyPatch) -> None:
    def compress(text: bytes) -> bytes:
        raise OverflowError("LZF takes less")

    monkeypatch.setattr(
        primitives, "lzf", compress
    )  # the twin in Python would try; in a compiled build it is the other
    out = Sizes()
    put_string(out, bytes(1 << 32), True)  # zeros that nobody reads take no memory
    assert bytes(out) == bytes.fromhex("810000000100000000") + b"%d" % (1 << 32)


@pytest.mark.parametrize("coded", ["82", "bf00", "c4", "ff", "c3c0", "c30205" + "0061", "81ffffffffffffffff"])
def test_what_is_no_string_is_refused(coded: str) -> None:
    with pytest.raises(RdbError):
        Source(bytes.fromhex(coded)).string()


def test_an_integer_is_no_length() -> None:
    with pytest.raises(RdbError, match="length"):
        Source(bytes.fromhex("c005")).length()
