"""How members are sent with their scores: flat in RESP2, in pairs in RESP3."""

from gossamer.node.engine.serving.call import Call
from gossamer.node.resp.reply import Reply


def scored(c: Call, items: list[tuple[bytes, float]]) -> Reply:
    """Members and scores as the protocol of the client has them."""
    return pairs(items) if c.client.resp3 else flat(items)


def pairs(items: list[tuple[bytes, float]]) -> Reply:
    """Each member with its score in an array of its own."""
    return items


def flat(items: list[tuple[bytes, float]]) -> list[Reply]:
    """Members and scores in turn."""
    out: list[Reply] = []
    for member, score in items:
        out.append(member)
        out.append(score)
    return out
