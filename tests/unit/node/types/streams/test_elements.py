"""Elements are those of real listpacks, and are read as they were written."""

from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.persist.packed import listpack
from gossamer.node.types.streams.elements import number, number_at, size_at, text, text_at

TEXTS = st.one_of(
    st.binary(max_size=200),
    st.integers(-(2**64), 2**64).map(lambda value: b"%d" % value),
    st.sampled_from([b"x" * 4095, b"x" * 4096, b"x" * 16400, b"-", b"--1", b"-0", b"00", b"1" * 20, b" 1", b"1_0"]),
)


@given(value=TEXTS)
def test_a_text_is_what_a_listpack_has(value: bytes) -> None:
    element = text(value)
    assert element == listpack.encode([value])[6:-1]
    assert size_at(element + b"\xff", 0) == len(element)
    assert text_at(element, 0) == value


@given(value=st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-70000, 70000)))
def test_a_number_is_what_a_listpack_has(value: int) -> None:
    element = number(value)
    assert element == text(b"%d" % value)
    assert number_at(element, 0) == value
