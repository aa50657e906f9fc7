"""DEBUG PROTOCOL: a value of each RESP type, for tests of clients."""

from typing import Final

from gossamer.node.engine.serving.call import Call
from gossamer.node.resp.errors import RESP3_ONLY, Refusal
from gossamer.node.resp.reply import Raw, Reply, SetReply, Verbatim

BIG_NUMBER: Final = b"1234567999999999999999999999999999999"
ATTRIBUTE: Final = b"|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n"
AFTER_ATTRIBUTE: Final = b"$39\r\nSome real reply following the attribute\r\n"
PUSHED: Final = b">2\r\n$16\r\nserver-cpu-usage\r\n:42\r\n$40\r\nSome real reply following the push reply\r\n"
UNKNOWN_TYPE: Final = (
    b"ERR Wrong protocol type name. Please use one of the following: "
    b"string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false"
)
SAMPLES: Final[dict[bytes, Reply]] = {
    b"string": b"Hello World",
    b"integer": 12345,
    b"double": 3.141,
    b"null": None,
    b"array": [0, 1, 2],
    b"set": SetReply([0, 1, 2]),
    b"map": {0: False, 1: True, 2: False},
    b"verbatim": Verbatim(b"This is a verbatim\nstring"),
    b"true": True,
    b"false": False,
}


def sample(c: Call, kind: bytes) -> Reply:
    """A value of that RESP type, the same as Redis sends; clients test their readers with it."""
    resp3 = c.client.resp3
    if kind == b"bignum":
        return Raw(b"(%s\r\n" % BIG_NUMBER) if resp3 else BIG_NUMBER
    if kind == b"attrib":
        return Raw(ATTRIBUTE + AFTER_ATTRIBUTE if resp3 else AFTER_ATTRIBUTE)
    if kind == b"push":
        if not resp3:
            raise Refusal(RESP3_ONLY)
        return Raw(PUSHED)
    if kind not in SAMPLES:
        raise Refusal(UNKNOWN_TYPE)
    return SAMPLES[kind]
