"""Streams as a type of data."""

from typing import Final

from gossamer.node.types.kind import Kind, Value
from gossamer.node.types.streams.group import Group
from gossamer.node.types.streams.stream import Stream


class StreamKind(Kind):
    def encoding(self, value: Value) -> bytes:
        return b"stream"

    def size(self, value: Value) -> int:
        assert isinstance(value, Stream)
        return value.size()

    def length(self, value: Value) -> int:
        """A stream is an element itself: it exists without any."""
        assert isinstance(value, Stream)
        return 1 + value.amount()

    def effort(self, value: Value) -> int:
        """Of the groups Redis looks at the first one, and takes it that all are like that."""
        assert isinstance(value, Stream)
        nodes = len(value.nodes) + 1
        if not value.groups:
            return nodes
        first = value.groups[min(value.groups)]
        return nodes + len(value.groups) * (1 + first.pending.count)

    def copy(self, value: Value) -> Value:
        assert isinstance(value, Stream)
        return value.copy()

    def free(self, value: Value, most: int) -> int:
        assert isinstance(value, Stream)
        room = most
        while room > 0 and value.nodes:
            live = value.nodes.pop().live
            value.length -= live
            room -= max(live, 1)
        while room > 0 and value.groups:
            name = next(iter(value.groups))
            group = value.group(name)
            assert group is not None
            room -= free_group(group, room)
            if not group.pending.chunks and not group.consumers:
                del value.groups[name]
        return value.amount() and 1 + value.amount()


def free_group(group: Group, most: int) -> int:
    """Let go of about so many pending entries and consumers; how many it was, at least 1."""
    room = most
    pending, extent = group.pending, group.extent
    while room > 0 and pending.chunks:
        count = len(pending.chunks.pop().nacks)
        extent.pending -= count
        room -= count
    while room > 0 and group.consumers:
        group.consumers.popitem()
        extent.consumers -= 1
        room -= 1
    return max(most - room, 1)


STREAM: Final = StreamKind(b"stream")
