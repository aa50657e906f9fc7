"""The commands that make a sorted set again: ZADD with a step's members each."""

from gossamer.node.resp.doubles import format_double
from gossamer.node.resp.requests import encoded
from gossamer.node.types.kind import DONE, STEP, Value
from gossamer.node.types.zsets.zset import ZSet


def words(key: bytes, value: Value, expire: int, at: int) -> tuple[bytes, int]:
    """The requests of a step, see ``as_commands.py``."""
    assert isinstance(value, ZSet)
    stop = min(at + STEP, value.length())
    request = [b"ZADD", key]
    for member, score in value.items(at, stop):
        request.append(format_double(score))
        request.append(member)
    if stop < value.length():
        return encoded(request), stop
    after = encoded([b"PEXPIREAT", key, b"%d" % expire]) if expire >= 0 else b""
    return encoded(request) + after, DONE
