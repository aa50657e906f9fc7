"""Requests in any pieces come out whole, and what is not RESP is refused in Redis' words."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.resp.errors import ProtocolError
from gossamer.node.resp.inline import split_words
from gossamer.node.resp.parser import MAX_INLINE, Parser
from gossamer.node.resp.tokens import TokenParser

PARSERS = [Parser, TokenParser]
ARGS = st.lists(
    st.binary(max_size=40) | st.sampled_from([b"", b"\r\n", b"$3\r\nfoo", b"x" * 5000]), min_size=1, max_size=5
)


def packed(argv: list[bytes]) -> bytes:
    return b"*%d\r\n" % len(argv) + b"".join(b"$%d\r\n%s\r\n" % (len(arg), arg) for arg in argv)


def everything(parser: Parser, pieces: list[bytes]) -> list[list[bytes]]:
    out = []
    for piece in pieces:
        parser.feed(piece)
        while (argv := parser.next()) is not None:
            out.append(argv)
    return out


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    return [*pieces, data]


@pytest.mark.parametrize("kind", PARSERS)
@given(requests=st.lists(ARGS, max_size=6), sizes=st.lists(st.integers(1, 60), max_size=20))
def test_requests_survive_any_cut(kind: type[Parser], requests: list[list[bytes]], sizes: list[int]) -> None:
    data = b"".join(packed(argv) for argv in requests)
    assert everything(kind(), cut(data, sizes)) == requests


@given(data=st.binary(max_size=200) | st.text(alphabet="*$0123-\r\n ab'\"\\x", max_size=60).map(str.encode))
def test_both_parsers_read_garbage_alike(data: bytes) -> None:
    def read(parser: Parser) -> object:
        out = []
        try:
            parser.feed(data)
            while (argv := parser.next()) is not None:
                out.append(argv)
        except ProtocolError as error:
            return out, error.text
        return out, None, parser.buffered()

    assert read(Parser()) == read(TokenParser())


@pytest.mark.parametrize("kind", PARSERS)
@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (b"*x\r\n", b"invalid multibulk length"),
        (b"*2147483648\r\n", b"invalid multibulk length"),
        (b"*99999999999999999999\r\n", b"invalid multibulk length"),
        (b"*1\r\nfoo\r\n", b"expected '$', got 'f'"),
        (b"*1\r\n\nfoo\r\n", b"expected '$', got ' '"),
        (b"*1\r\n$x\r\n", b"invalid bulk length"),
        (b"*1\r\n$-1\r\n", b"invalid bulk length"),
        (b"*1\r\n$536870913\r\n", b"invalid bulk length"),
        (b'set "a\r\n', b"unbalanced quotes in request"),
        (b"x" * (MAX_INLINE + 1), b"too big inline request"),
        (b"*" + b"1" * (MAX_INLINE + 1), b"too big mbulk count string"),
        (b"*1\r\n$" + b"1" * (MAX_INLINE + 1), b"too big bulk count string"),
    ],
)
def test_what_is_not_resp_is_refused_in_redis_words(kind: type[Parser], sent: bytes, text: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        everything(kind(), [sent])
    assert caught.value.text == text


@pytest.mark.parametrize("kind", PARSERS)
def test_strangers_may_only_send_short_requests(kind: type[Parser]) -> None:
    parser = kind()
    parser.trusted = False
    assert everything(parser, [packed([b"AUTH", b"x"])]) == [[b"AUTH", b"x"]]
    with pytest.raises(ProtocolError, match="unauthenticated multibulk length"):
        everything(parser, [b"*11\r\n"])
    parser = kind()
    parser.trusted = False
    with pytest.raises(ProtocolError, match="unauthenticated bulk length"):
        everything(parser, [b"*1\r\n$16385\r\n"])


@pytest.mark.parametrize("kind", PARSERS)
def test_empty_requests_are_skipped(kind: type[Parser]) -> None:
    assert everything(kind(), [b"*0\r\n*-1\r\n\r\n\n" + packed([b"PING"])]) == [[b"PING"]]


@pytest.mark.parametrize("kind", PARSERS)
def test_a_promised_length_allocates_nothing(kind: type[Parser]) -> None:
    parser = kind()
    tracemalloc.start()
    try:
        assert everything(parser, [b"*1000000000\r\n$536870912\r\nabc"]) == []
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000
    assert parser.buffered() < 100


@pytest.mark.parametrize("kind", PARSERS)
def test_a_long_argument_in_small_pieces_costs_linear_time(kind: type[Parser]) -> None:
    body = b"x" * 4_000_000
    data = packed([b"SET", b"k", body])
    pieces = [data[at : at + 1000] for at in range(0, len(data), 1000)]
    assert everything(kind(), pieces) == [[b"SET", b"k", body]]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"  set  a b ", [b"set", b"a", b"b"]),
        (b'set "a b" "\\x41\\n\\q"', [b"set", b"a b", b"A\nq"]),
        (b"set 'a\\'b' c", [b"set", b"a'b", b"c"]),
        (b'set "a"b', None),
        (b"set 'a", None),
        (b'""', [b""]),
        (b"a\vb \fc \v d\f", [b"a\vb", b"c", b"d\f"]),
        (b"'a'\vb", [b"a", b"b"]),
    ],
)
def test_inline_words_may_be_quoted(line: bytes, words: list[bytes] | None) -> None:
    assert split_words(line) == words


@pytest.mark.parametrize("kind", PARSERS)
@pytest.mark.parametrize("sent", [b"GET \0 a\r\n", b"*1\0\r\n$4\r\n", b"*1\r\n$4\0x\r\nPING\r\n", b"*1\r\n\0\r\n"])
def test_a_line_with_a_nul_never_ends(kind: type[Parser], sent: bytes) -> None:
    assert everything(kind(), [sent, b"PING\r\n"]) == []


@given(
    requests=st.lists(ARGS | st.just([]), min_size=1, max_size=8),
    most=st.integers(0, 8),
    size=st.integers(0, 300),
    kept=st.integers(0, 8),
    half=st.integers(0, 12),
)
def test_what_is_read_ahead_and_put_back_is_read_again(
    requests: list[list[bytes]], most: int, size: int, kept: int, half: int
) -> None:
    parser = Parser()
    parser.feed(b"".join(packed(argv) for argv in requests) + packed([b"ECHO", b"half"])[:half])
    requests = [argv for argv in requests if argv]  # an empty one is none
    assert parser.next() == (requests[0] if requests else None)
    ahead = parser.ahead(most, size)
    assert len(ahead) <= most
    assert ahead == requests[1 : 1 + len(ahead)]
    parser.back(min(kept, len(ahead)))
    assert everything(parser, [b""]) == requests[1 + min(kept, len(ahead)) :]


def test_nothing_is_read_ahead_that_is_odd_or_not_whole() -> None:
    for behind in (b"PING\r\n", b"*0\r\n", b"*1\r\n$04\r\nPING\r\n", b"*x\r\n", b"*1\r\n$4\r\nPING\r", b"*1\r\n$4\r\n"):
        parser = Parser()
        parser.feed(packed([b"PING"]) + behind)
        assert parser.next() == [b"PING"]
        assert parser.ahead(10, 1000) == []


@pytest.mark.parametrize("kind", PARSERS)
def test_a_request_that_was_told_is_not_counted_as_input(kind: type[Parser]) -> None:
    parser = kind()
    assert everything(parser, [b"*2\r\n$4\r\nEC", b"HO\r\n$1\r\na\r\n"]) == [[b"ECHO", b"a"]]
    assert parser.buffered() == 0
