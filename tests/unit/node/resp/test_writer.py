"""Every kind of reply in both protocols."""

import pytest

from gossamer.node.resp.reply import (
    NO_REPLY,
    NULL_ARRAY,
    OK,
    Failure,
    MapReply,
    Push,
    Raw,
    Reply,
    SetReply,
    Status,
    StatusSet,
    Verbatim,
)
from gossamer.node.resp.writer import encode


@pytest.mark.parametrize(
    ("reply", "resp2", "resp3"),
    [
        (None, b"$-1\r\n", b"_\r\n"),
        (NULL_ARRAY, b"*-1\r\n", b"_\r\n"),
        (OK, b"+OK\r\n", b"+OK\r\n"),
        (Status(b"QUEUED"), b"+QUEUED\r\n", b"+QUEUED\r\n"),
        (b"ab", b"$2\r\nab\r\n", b"$2\r\nab\r\n"),
        (b"x" * 2000, b"$2000\r\n" + b"x" * 2000 + b"\r\n", b"$2000\r\n" + b"x" * 2000 + b"\r\n"),
        (bytearray(b"ab"), b"$2\r\nab\r\n", b"$2\r\nab\r\n"),
        ("ä", b"$2\r\n\xc3\xa4\r\n", b"$2\r\n\xc3\xa4\r\n"),
        (0, b":0\r\n", b":0\r\n"),
        (-5, b":-5\r\n", b":-5\r\n"),
        (2**62, b":4611686018427387904\r\n", b":4611686018427387904\r\n"),
        (True, b":1\r\n", b"#t\r\n"),
        (False, b":0\r\n", b"#f\r\n"),
        (1.5, b"$3\r\n1.5\r\n", b",1.5\r\n"),
        ([1, [b"a", None]], b"*2\r\n:1\r\n*2\r\n$1\r\na\r\n$-1\r\n", b"*2\r\n:1\r\n*2\r\n$1\r\na\r\n_\r\n"),
        ({b"a": 1}, b"*2\r\n$1\r\na\r\n:1\r\n", b"%1\r\n$1\r\na\r\n:1\r\n"),
        (SetReply([b"a"]), b"*1\r\n$1\r\na\r\n", b"~1\r\n$1\r\na\r\n"),
        (
            MapReply([[b"a", 1], [b"a", 2]]),
            b"*2\r\n*2\r\n$1\r\na\r\n:1\r\n*2\r\n$1\r\na\r\n:2\r\n",
            b"%2\r\n$1\r\na\r\n:1\r\n$1\r\na\r\n:2\r\n",
        ),
        (StatusSet(["fast"]), b"*1\r\n+fast\r\n", b"~1\r\n+fast\r\n"),
        (Push([b"a"]), b"*1\r\n$1\r\na\r\n", b">1\r\n$1\r\na\r\n"),
        (Verbatim(b"hi"), b"$2\r\nhi\r\n", b"=6\r\ntxt:hi\r\n"),
        (Failure(b"ERR no"), b"-ERR no\r\n", b"-ERR no\r\n"),
        (Raw(b"+x\r\n"), b"+x\r\n", b"+x\r\n"),
        (NO_REPLY, b"", b""),
    ],
)
def test_a_reply_on_the_wire(reply: Reply, resp2: bytes, resp3: bytes) -> None:
    assert encode(reply, False) == resp2
    assert encode(reply, True) == resp3


def test_what_is_no_reply_is_our_own_mistake() -> None:
    with pytest.raises(TypeError):
        encode(object(), False)  # type: ignore[arg-type]


@pytest.mark.parametrize("around", [0, 999, 1024, 9999, 10_000, 99_999, 100_000, 999_999, 10**9, -1000])
def test_integers_of_any_length(around: int) -> None:
    for number in range(around - 30, around + 30):
        assert encode(number, False) == b":" + str(number).encode() + b"\r\n"
