"""A set as SADD, and PEXPIREAT behind the last one."""

from gossamer.node.resp.requests import encoded
from gossamer.node.types.kind import DONE, Value
from gossamer.node.types.sets.set import Set


def words(key: bytes, value: Value, expire: int, at: int) -> tuple[bytes, int]:
    assert isinstance(value, Set)
    members, at = value.step(at)
    out = encoded([b"SADD", key, *members]) if members else b""
    if at == DONE and expire >= 0:
        out += encoded([b"PEXPIREAT", key, b"%d" % expire])
    return out, at
