"""The commands that make a list again: RPUSH with a step's elements each."""

from gossamer.node.resp.requests import encoded
from gossamer.node.types.kind import DONE, Value
from gossamer.node.types.lists.kind import step


def words(key: bytes, value: Value, expire: int, at: int) -> tuple[bytes, int]:
    """The requests of a step, see ``as_commands.py``."""
    elements, at = step(value, at)
    after = encoded([b"PEXPIREAT", key, b"%d" % expire]) if at == DONE and expire >= 0 else b""
    return encoded([b"RPUSH", key, *elements]) + after, at
