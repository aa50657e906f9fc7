"""What XREADGROUP gives to a consumer."""

from gossamer.node.commands.streams.effects import tell_claim, tell_group
from gossamer.node.commands.streams.shown import shown
from gossamer.node.engine.serving.call import Call
from gossamer.node.resp.reply import NULL_ARRAY, Reply
from gossamer.node.types.streams.group import Consumer, Group
from gossamer.node.types.streams.ids import id_text
from gossamer.node.types.streams.pending import Nack, PendingCursor
from gossamer.node.types.streams.progress import note_read
from gossamer.node.types.streams.stream import Stream


class Delivery:
    """To ``consumer`` of ``group``, from ``stream``, which is at ``key``; all of it to be changed."""

    def __init__(self, c: Call, key: bytes, stream: Stream, group: Group, consumer: Consumer) -> None:
        self.c: Call = c
        self.key: bytes = key
        self.stream: Stream = stream
        self.group: Group = group
        self.consumer: Consumer = consumer

    def has_new(self) -> bool:
        return self.stream.length > 0 and self.stream.top() > self.group.last_id

    def new(self, count: int, pending: bool) -> list[Reply]:
        """Up to ``count`` entries that the group has not read; they are ``pending`` then."""
        out: list[Reply] = []
        group, consumer, now = self.group, self.consumer, self.c.now
        cursor = self.stream.cursor(group.last_id + 1)
        while count and cursor.next():
            count -= 1
            note_read(self.stream, group, cursor.id)
            if pending:
                group.assign(cursor.id, consumer, now, 1)
                consumer.active_ms = now
                tell_claim(self.c, self.key, group, cursor.id, Nack(consumer.name, now, 1))
            out.append(shown(cursor))
        tell_group(self.c, self.key, group)
        return out

    def history(self, first: int, count: int) -> list[Reply]:
        """Up to ``count`` entries from ``first`` on that are pending for the consumer, once more."""
        out: list[Reply] = []
        cursor = PendingCursor(self.group.pending, first, self.consumer.name)
        while count and cursor.next():
            count -= 1
            found = self.stream.find(cursor.id)
            if found is None:
                out.append([id_text(cursor.id), NULL_ARRAY])
            else:
                out.append(shown(found))
                self.group.assign(cursor.id, self.consumer, self.c.now, cursor.nack.deliveries + 1)
        return out
