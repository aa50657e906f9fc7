"""Whole requests are parsed alike by the module in C and by its twin in Python."""

import sys
import tracemalloc
from types import ModuleType
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossamer.cluster import build
from gossamer.node.resp import plain, requests
from tests.unit.node.resp.conftest import NAME

PING: Final = b"*1\r\n$4\r\nPING\r\n"
INPUT: Final = st.lists(
    st.sampled_from(
        [b"*", b"$", b"\r\n", b"\r", b"0", b"1", b"2", b"3", b"12", b"a", b"\0", b"*1\r\n$1\r\na\r\n", PING]
    )
    | st.binary(max_size=3),
    max_size=14,
).map(b"".join)


def test_the_build_has_its_module() -> None:
    assert requests.parse_request.__module__ == (NAME if build.name() == "compiled" else plain.__name__)


@given(data=INPUT, start=st.integers(0, 20), most=st.integers(0, 5), size=st.integers(0, 40))
def test_both_parse_the_same(native: ModuleType, data: bytes, start: int, most: int, size: int) -> None:
    assert native.parse_request(data, start) == plain.parse_request(data, start)
    assert native.parse_requests(data, start, most, size) == plain.parse_requests(data, start, most, size)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"*", b"*1", b"*1\r", b"*1\r\n", b"*1\r\n$", b"*1\r\n$1\r\na", b"*1\r\n$1\r\na\r", b"*0\r\n", b"*-1\r\n",
        b"*01\r\n$1\r\na\r\n", b"*1\r\n$01\r\na\r\n", b"*1\r\n$-1\r\n", b"*1\r\n:1\r\n\r\n", b"PING\r\n", b" " + PING,
        b"*99999999999999999\r\n" + b"$0\r\n\r\n" * 9, b"*1\r\n$99999999999999999\r\na\r\n",
        b"*9999999999999999\r\n$0\r\n\r\n", b"*1\r\n$9223372036854775807\r\na\r\n", b"*2\r\n" + PING[4:],
    ],
)  # fmt: skip
def test_what_is_odd_or_not_whole_is_no_request(means: ModuleType, data: bytes) -> None:
    assert means.parse_request(data, 0) is None
    assert means.parse_requests(data, 0, 10, 1000) == ([], 0)
    assert means.parse_requests(PING + data, 0, 10, 1000) == ([[b"PING"]], len(PING))


def test_a_request_is_parsed_where_it_stands(means: ModuleType) -> None:
    data = PING + b"*3\r\n$3\r\nSET\r\n$0\r\n\r\n$4\r\n\r\n\0a\r\n" + PING[:-1]
    assert means.parse_request(data, 0) == ([b"PING"], len(PING))
    assert means.parse_request(data, len(PING)) == ([b"SET", b"", b"\r\n\0a"], len(data) - len(PING) + 1)
    assert means.parse_requests(data, 0, 10, 1000) == (
        [[b"PING"], [b"SET", b"", b"\r\n\0a"]],
        len(data) - len(PING) + 1,
    )
    assert means.parse_requests(data, 0, 1, 1000) == ([[b"PING"]], len(PING))
    assert means.parse_requests(data, 0, 10, 1) == ([[b"PING"]], len(PING)), "one is told, however long"
    assert means.parse_request(data, len(data) + 5) is None


@given(st.lists(st.lists(st.sampled_from([b"", b"SET", b"GET", b"key", b"kex", 64 * b"x", 65 * b"x"]), min_size=1)))
def test_requests_that_have_arguments_in_common(means: ModuleType, argvs: list[list[bytes]]) -> None:
    data = b"".join([plain.encoded(argv) for argv in argvs])
    assert means.parse_requests(data, 0, 1000, len(data) + 1) == (argvs, len(data))


def test_an_argument_that_comes_again_is_the_same_object(native: ModuleType) -> None:
    data = b"".join([plain.encoded([b"SET", b"key", number + 70 * b"x"]) for number in (b"1", b"1", b"2")])
    one, two, three = native.parse_requests(data, 0, 10, 1000)[0]
    assert one[0] is two[0] is three[0]
    assert one[1] is two[1] is three[1]
    assert one[2] is not two[2], "to compare long ones would cost more than it brings"


def test_a_promised_count_allocates_nothing(means: ModuleType) -> None:
    tracemalloc.start()
    try:
        assert means.parse_request(b"*1000000000\r\n$1\r\na\r\n" + b"$1\r\na\r\n" * 100, 0) is None
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_nothing_is_left_behind(native: ModuleType) -> None:
    """What was parsed of a request that is not whole is freed, and so is what was told."""
    argument = b"x" * 2000
    request = b"*3\r\n" + b"$2000\r\n%b\r\n" % argument * 3
    native.parse_request(request, 0)
    tracemalloc.start()
    try:
        for _ in range(1000):
            assert native.parse_request(request[:-1], 0) is None
            assert native.parse_request(request, 0) is not None
            assert (
                len(native.parse_requests(request * 3 + b"*2\r\n" + b"$2000\r\n%b\r\n" % argument, 0, 10, 100_000)[0])
                == 3
            )
        assert tracemalloc.get_traced_memory()[0] < 50_000
    finally:
        tracemalloc.stop()
    assert sys.getrefcount(request) < 10


@pytest.mark.parametrize(
    ("function", "arguments", "error"),
    [
        ("parse_request", (), TypeError), ("parse_request", (PING,), TypeError),
        ("parse_request", ("text", 0), TypeError), ("parse_request", (bytearray(PING), 0), TypeError),
        ("parse_request", (PING, None), TypeError), ("parse_request", (PING, -1), ValueError),
        ("parse_request", (PING, 1 << 70), OverflowError), ("parse_requests", (PING, 0), TypeError),
        ("parse_requests", (PING, 0, None, 1), TypeError), ("parse_requests", (PING, 0, 1, "1"), TypeError),
        ("parse_requests", (PING, 0, -1, 1), ValueError),
    ],
)  # fmt: skip
def test_other_arguments_are_refused(
    native: ModuleType, function: str, arguments: tuple[object, ...], error: type[Exception]
) -> None:
    with pytest.raises(error):
        getattr(native, function)(*arguments)
