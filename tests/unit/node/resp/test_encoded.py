"""Requests as RESP, in C and in Python: byte for byte what Redis would write."""

from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.resp.parser import Parser


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ([], b"*0\r\n"),
        ([b"PING"], b"*1\r\n$4\r\nPING\r\n"),
        ([b"SET", b"", b"a\r\nb\0"], b"*3\r\n$3\r\nSET\r\n$0\r\n\r\n$5\r\na\r\nb\0\r\n"),
    ],
)
def test_a_request_is_an_array_of_bulk_strings(means: ModuleType, argv: list[bytes], expected: bytes) -> None:
    assert means.encoded(argv) == expected


@pytest.mark.parametrize("size", [9, 10, 99, 100, 1023, 1024, 100_000])
def test_lengths_of_any_number_of_digits(means: ModuleType, size: int) -> None:
    assert means.encoded([b"GET", b"x" * size]) == b"*2\r\n$3\r\nGET\r\n$%d\r\n%b\r\n" % (size, b"x" * size)
    assert means.encoded([b"a"] * size) == b"*%d\r\n" % size + b"$1\r\na\r\n" * size


@given(st.lists(st.binary(max_size=1100), min_size=1, max_size=6))
def test_the_parser_reads_what_was_written(means: ModuleType, argv: list[bytes]) -> None:
    parser = Parser()
    parser.feed(means.encoded(argv))
    assert parser.next() == argv
    assert parser.buffered() == 0


@given(st.lists(st.lists(st.binary(max_size=300), max_size=4), max_size=50))
def test_requests_behind_each_other_are_those_that_stand_alone(means: ModuleType, requests: list[list[bytes]]) -> None:
    array = bytearray(b"before")
    for argv in requests:
        means.append_encoded(array, argv)
    assert array == b"before" + b"".join([means.encoded(argv) for argv in requests])


def test_what_is_no_request_leaves_the_array_as_it_was(native: ModuleType) -> None:
    array = bytearray(b"before")
    for wrong in ((b"GET", b"k"), [b"GET", "k"], None):
        with pytest.raises(TypeError):
            native.append_encoded(array, wrong)
    with pytest.raises(TypeError):
        native.append_encoded(b"before", [b"GET"])
    with memoryview(array), pytest.raises(BufferError):
        native.append_encoded(array, [b"GET", b"k"])
    assert array == b"before"


@pytest.mark.parametrize("argv", [(b"GET", b"k"), [b"GET", "k"], [b"GET", bytearray(b"k")], [None], None])
def test_the_one_in_c_takes_nothing_but_lists_of_bytes(native: ModuleType, argv: object) -> None:
    with pytest.raises(TypeError):
        native.encoded(argv)
