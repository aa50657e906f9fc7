"""All of a hash in one reply: HGETALL, HKEYS, HVALS. One of many fields is made in steps."""

from typing import Final

from gossamer.node.commands.hashes.present import seen_at
from gossamer.node.engine.clients.long_reply import LongReply
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import HASH, READONLY, command
from gossamer.node.engine.table.keyspec import ACCESS, RO, first
from gossamer.node.resp.reply import Raw, Reply
from gossamer.node.resp.writer import bulk
from gossamer.node.types.hashes.hash import Hash
from gossamer.node.types.kind import DONE, STEP

READ: Final = first(RO, ACCESS)

# What of each field is wanted.
FIELDS: Final = 1
VALUES: Final = 2


@command("HGETALL", arity=2, flags=READONLY, keys=READ, acl=HASH)
def hgetall(c: Call, key: bytes) -> Reply:
    return whole(c, key, FIELDS | VALUES)


@command("HKEYS", arity=2, flags=READONLY, keys=READ, acl=HASH)
def hkeys(c: Call, key: bytes) -> Reply:
    return whole(c, key, FIELDS)


@command("HVALS", arity=2, flags=READONLY, keys=READ, acl=HASH)
def hvals(c: Call, key: bytes) -> Reply:
    return whole(c, key, VALUES)


def whole(c: Call, key: bytes, wanted: int) -> Reply:
    replies = c.server.long_replies
    made = replies.made_for(c.client)
    if made is not None:
        return made.reply
    value = c.read(key, Hash)
    as_map = wanted == FIELDS | VALUES and c.client.resp3
    if value is not None and value.length > STEP:
        return replies.make(c.client, WholeHash(value, wanted, as_map, seen_at(c)))
    texts = [] if value is None else value.all_pairs(seen_at(c))
    if as_map:
        return dict(zip(texts[::2], texts[1::2], strict=True))
    return part_of(texts, wanted)


def part_of(texts: list[bytes], wanted: int) -> list[bytes]:
    """Of fields and values in turn."""
    if wanted == FIELDS:
        return texts[::2]
    return texts[1::2] if wanted == VALUES else texts


class WholeHash(LongReply):
    """``value`` as it is now. ``as_map``: the reply is a map; ``now`` hides fields that are over."""

    def __init__(self, value: Hash, wanted: int, as_map: bool, now: int) -> None:
        super().__init__()
        self.value: Hash = value.copy()
        self.wanted: int = wanted
        self.as_map: bool = as_map
        self.now: int = now
        self.at: int = 0
        self.count: int = 0
        self.pieces: list[bytes] = []

    def step(self) -> None:
        texts, self.at = self.value.pairs(self.at, self.now)
        texts = part_of(texts, self.wanted)
        self.count += len(texts)
        self.pieces.append(b"".join([bulk(text) for text in texts]))
        if self.at == DONE:
            head = b"%%%d\r\n" % (self.count // 2) if self.as_map else b"*%d\r\n" % self.count
            self.reply = Raw(b"".join([head, *self.pieces]))
            self.done = True

    def close(self) -> None:
        self.pieces = []
        self.value = Hash()
