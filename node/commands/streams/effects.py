"""What replicas are told of groups: requests that do the same wherever and whenever they run.

What a group delivers hangs on what it has delivered before, and on the time. So each entry that becomes pending, or
another consumer's, is told by itself.
"""

from gossamer.node.engine.serving.call import Call
from gossamer.node.types.streams.group import Group
from gossamer.node.types.streams.ids import id_text
from gossamer.node.types.streams.pending import Nack


def tell_claim(c: Call, key: bytes, group: Group, entry_id: int, nack: Nack) -> None:
    """All that is known of a pending entry; if the entry does not exist, that it is not pending."""
    if c.server.journal.open:
        what = [b"XCLAIM", key, group.name, nack.owner, b"0", id_text(entry_id)]
        when = [b"TIME", b"%d" % nack.delivered_ms, b"RETRYCOUNT", b"%d" % nack.deliveries]
        c.propagate(*what, *when, b"FORCE", b"JUSTID", b"LASTID", id_text(group.last_id))


def tell_group(c: Call, key: bytes, group: Group) -> None:
    """How far a group has come."""
    if c.server.journal.open:
        read = b"%d" % group.entries_read
        c.propagate(b"XGROUP", b"SETID", key, group.name, id_text(group.last_id), b"ENTRIESREAD", read)


def tell_consumer(c: Call, key: bytes, group: Group, name: bytes) -> None:
    """A consumer that was made on the way, and has nothing that would tell of it."""
    if c.server.journal.open:
        c.propagate(b"XGROUP", b"CREATECONSUMER", key, group.name, name)
