"""Fields whose time is over: who sees them, and what becomes of one that is written to.

They are in the hash until somebody deletes them, and HLEN counts them. Nobody else sees them, but for the primary,
whose stream says when they go.
"""

from gossamer.node.engine.data.changes import HEXPIRED
from gossamer.node.engine.serving.call import Call
from gossamer.node.types.hashes.hash import Hash


def seen_at(c: Call) -> int:
    """``now`` for the methods of a hash."""
    return 0 if c.privileged else c.now


def drop_if_over(c: Call, key: bytes, value: Hash, field: bytes) -> bool:
    """``field`` is about to be written: if its time is over it is deleted first, and the field is a new one. Was it so?

    ``value``, which ``key`` has, was given out to be changed.
    """
    if not value.is_over(field, seen_at(c)):
        return False
    value.remove(field)
    c.server.stats.expired_fields += 1
    c.also(key, HEXPIRED)
    return True
