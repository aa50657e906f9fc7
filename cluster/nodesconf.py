"""nodes.conf: the cluster as a node remembers it, text ⇄ Topology."""

from re import compile as pattern
from typing import Final

_NODE_ID: Final = pattern(rb"[0-9a-z]{40}")


def is_node_id(raw: bytes) -> bool:
    """40 characters of 0-9 and a-z: what Redis and Valkey accept as node and shard ids."""
    return _NODE_ID.fullmatch(raw) is not None


def is_storable(text: str) -> bool:
    """True if ``text`` can be one field of a line: printable, and nothing that separates or quotes fields."""
    return text.isprintable() and not any(c in " ,=\"'" for c in text)
