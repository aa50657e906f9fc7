"""Replies as bytes, in RESP2 or RESP3 (redis.io, "RESP protocol specification").

Small headers are ready-made, because most replies are short. A long string is not copied: it leaves in pieces, the
stored value between its head and its end.
"""

from collections.abc import Mapping
from typing import Final

from gossamer.cluster.text import bytes_of
from gossamer.node.resp.doubles import format_double
from gossamer.node.resp.reply import (
    Double,
    Failure,
    MapReply,
    NoReply,
    NullArray,
    Push,
    Raw,
    Reply,
    SetReply,
    Status,
    StatusSet,
    Verbatim,
)
from gossamer.node.store import texts

INTEGERS: Final[list[bytes]] = [b":%d\r\n" % n for n in range(1024)]
THOUSANDS: Final[list[bytes]] = [b":%d" % n for n in range(1000)]
LAST_DIGITS: Final[list[bytes]] = [b"%03d\r\n" % n for n in range(1000)]
ARRAY_HEADS: Final[list[bytes]] = [b"*%d\r\n" % n for n in range(1024)]
CRLF: Final = b"\r\n"
bulk: Final = texts.to_item

LONG: Final = 8192
"""Bytes from which three pieces of output cost less than a copy in one (measured on TCP)."""


def encode(reply: Reply, resp3: bool) -> bytes:
    """``reply`` on the wire."""
    if isinstance(reply, Status):
        return reply.line
    if isinstance(reply, bytes):
        return bulk(reply)
    if reply is None:
        return b"_\r\n" if resp3 else b"$-1\r\n"
    if isinstance(reply, bool):
        if resp3:
            return b"#t\r\n" if reply else b"#f\r\n"
        return b":1\r\n" if reply else b":0\r\n"
    if isinstance(reply, int):
        return INTEGERS[reply] if 0 <= reply < 1024 else integer(reply)
    if isinstance(reply, float):
        text = format_double(reply)
        return b",%s\r\n" % text if resp3 else bulk(text)
    if isinstance(reply, (list, tuple)):
        count = len(reply)
        if count == 0:
            return ARRAY_HEADS[0]
        out: list[bytes] = [ARRAY_HEADS[count] if count < 1024 else b"*%d\r\n" % count]
        out += [encode(item, resp3) for item in reply]
        return b"".join(out)
    return _encode_rare(reply, resp3)


def integer(number: int) -> bytes:
    """Lengths and counters of up to a million cost two look-ups; compiled, a format costs three times as much."""
    if 1000 <= number < 1_000_000:
        return THOUSANDS[number // 1000] + LAST_DIGITS[number % 1000]
    return b":%d\r\n" % number


def put_long(out: list[bytes], text: bytes) -> int:
    """Add a bulk string to ``out`` in pieces, ``text`` itself among them; the bytes added."""
    head = b"$%d\r\n" % len(text)
    out.append(head)
    out.append(text)
    out.append(CRLF)
    return len(head) + len(text) + 2


def _encode_rare(reply: Reply, resp3: bool) -> bytes:
    if isinstance(reply, str):
        return bulk(bytes_of(reply))
    if isinstance(reply, Failure):
        return b"-%s\r\n" % reply.text
    if isinstance(reply, bytearray):
        return bulk(bytes(reply))
    if isinstance(reply, Double):
        return b",%s\r\n" % reply.text if resp3 else bulk(reply.text)
    if isinstance(reply, Verbatim):
        if resp3:
            return b"=%d\r\n%s:%s\r\n" % (len(reply.text) + 4, reply.form, reply.text)
        return bulk(reply.text)
    if isinstance(reply, NullArray):
        return b"_\r\n" if resp3 else b"*-1\r\n"
    if isinstance(reply, (Raw, NoReply)):
        return reply.data if isinstance(reply, Raw) else b""
    return _encode_aggregate(reply, resp3)


def _encode_aggregate(reply: Reply, resp3: bool) -> bytes:
    out: list[bytes] = []
    if isinstance(reply, Mapping):
        out.append(b"%%%d\r\n" % len(reply) if resp3 else b"*%d\r\n" % (2 * len(reply)))
        for key, value in reply.items():
            out.append(encode(key, resp3))
            out.append(encode(value, resp3))
    elif isinstance(reply, SetReply):
        out.append((b"~%d\r\n" if resp3 else b"*%d\r\n") % len(reply.items))
        out += [encode(member, resp3) for member in reply.items]
    elif isinstance(reply, MapReply):
        out.append((b"%%%d\r\n" if resp3 else b"*%d\r\n") % len(reply.pairs))
        for pair in reply.pairs:
            if not resp3:
                out.append(b"*2\r\n")
            out += [encode(item, resp3) for item in pair]
    elif isinstance(reply, StatusSet):
        out.append((b"~%d\r\n" if resp3 else b"*%d\r\n") % len(reply.items))
        out += [b"+%s\r\n" % bytes_of(word) for word in reply.items]
    elif isinstance(reply, Push):
        out.append((b">%d\r\n" if resp3 else b"*%d\r\n") % len(reply.items))
        out += [encode(item, resp3) for item in reply.items]
    else:
        raise TypeError(f"a handler returned {type(reply).__name__}, which is no reply")
    return b"".join(out)
