"""Elements of the collections that clients write: as a request puts one in, as replies show them, as a node has them.

An element of a list or a set is itself. One of a hash or a sorted set is a field or a member, whose value or score is
made of it; if it has another one, that is told with it, and it is nobody's element.
"""

from typing import Final

from gossamer.node.engine.data.kinds import kind_of
from gossamer.node.engine.data.spilled import in_memory
from gossamer.node.engine.stream.as_commands import WORDS
from gossamer.node.types.hashes.kind import HASH
from gossamer.node.types.kind import DONE, Value
from gossamer.node.types.zsets.zset import ZSET

COLLECTIONS: Final = (
    ("queue", ("RPUSH", "RPUSH", "RPUSH", "LPOP", "LPOP", "LRANGE")),
    ("bag", ("SADD", "SADD", "SADD", "SPOP", "SPOP", "SMEMBERS")),
    ("table", ("HSET", "HSET", "HGETALL")),
    ("ranking", ("ZADD", "ZADD", "ZADD", "ZPOPMIN", "ZPOPMIN", "ZRANGE")),
)
"""Keys of each tag that are collections, and what is done with them."""
IN_PAIRS: Final = ("HGETALL", "ZPOPMIN", "ZRANGE")
"""Who answers with an element and what belongs to it, in turn."""
FAITHFUL: Final = dict(WORDS)
"""What makes a value again, as it was before a test planted something."""


def request_of(verb: str, key: str, element: str) -> list[str]:
    if verb == "HSET":
        return [verb, key, element, element]
    if verb == "ZADD":
        return [verb, key, score_of(element), element]
    if verb in ("RPUSH", "SADD", "SET"):
        return [verb, key, element]
    return [verb, key, *{"LRANGE": ("0", "-1"), "ZRANGE": ("0", "-1", "WITHSCORES")}.get(verb, ())]


def score_of(member: str) -> str:
    return member.rpartition(".")[2]


def found(verb: str, reply: bytes) -> str | None:
    """The string, or the elements with blanks between, that a whole reply has; None for none."""
    lines = reply.split(b"\r\n")
    if not reply.startswith(b"*"):
        return None if reply == b"$-1\r\n" else lines[1].decode()
    words = [line.decode() for line in lines[2::2] if line]
    if verb in IN_PAIRS:
        words = paired(words[::2], words[1::2], scores=verb != "HGETALL")
    return " ".join(words) or (None if verb == "ZPOPMIN" else "")


def elements_of(value: Value) -> list[str]:
    """By the request that makes the collection again. It may be out of memory."""
    value = in_memory(value)
    kind = kind_of(value)
    request, at = FAITHFUL[kind](b"k", value, -1, 0)
    assert at == DONE, "a collection of a run is small"
    words = [line.decode() for line in request.split(b"\r\n")[6::2]]
    if kind is HASH:
        return paired(words[::2], words[1::2], scores=False)
    return paired(words[1::2], words[::2], scores=True) if kind is ZSET else words


def paired(elements: list[str], others: list[str], scores: bool) -> list[str]:
    pairs = zip(elements, others, strict=True)
    return [e if other == (score_of(e) if scores else e) else f"{e}={other}" for e, other in pairs]


def contents(value: Value) -> object:
    """Equal if two nodes have the same."""
    value = in_memory(value)
    return value if isinstance(value, (bytes, bytearray)) else sorted(elements_of(value))
