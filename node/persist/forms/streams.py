"""Streams in RDB: the nodes as listpacks, what is known beside them, the groups with what is pending (rdb.c of 7.2).

Three forms: the second added what the stream counts, the third when a consumer was active. A node of ours is the
listpack that the file wants, and the other way round, once it has been looked at.
"""

from typing import Final

from gossamer.node.persist import codes
from gossamer.node.persist.codes import REDIS_11, RdbError
from gossamer.node.persist.form import Elements, Style
from gossamer.node.persist.forms.stream_node import listpack_of, node_of
from gossamer.node.persist.primitives import put_length, put_string
from gossamer.node.persist.source import Source
from gossamer.node.types.kind import DONE, STEP, Value
from gossamer.node.types.streams.group import UNKNOWN, Consumer, Group
from gossamer.node.types.streams.ids import SEQUENCE_BITS, WORD
from gossamer.node.types.streams.pending import Chunk, Nack
from gossamer.node.types.streams.progress import entries_up_to
from gossamer.node.types.streams.stream import Stream

ID_SIZE: Final = 16
NOBODY: Final = b"nobody"
"""Owner of what is pending until the consumers have been read; this object, not its text."""


SIGN: Final = 1 << 63
PIECE: Final = 256
"""Pending entries that are written at once."""

# --- reading


class StreamElements(Elements):
    """``left`` is 1 until all has been read: how much there is turns out on the way."""

    def __init__(self, source: Source, code: int) -> None:
        self.stream: Stream = Stream()
        super().__init__(self.stream, 1)
        self.code: int = code
        self.nodes: int = source.length()
        self.is_known: bool = False
        """The nodes, and what is known beside them, have been read."""
        self.groups: int = 0
        """These are still to come, as are the next ones."""
        self.pending: int = 0
        self.is_counted: bool = True
        """It has been read how many consumers the present group has."""
        self.consumers: int = 0
        self.owned: int = 0
        self.nobodys: int = 0
        """Pending entries of the present group that no consumer has yet."""
        self.group: Group | None = None
        self.consumer: Consumer | None = None

    def step(self, source: Source) -> None:
        room = STEP
        while self.left and room > 0:
            before = self.stream.length
            self.read(source)
            source.start = source.at
            room -= 1 + self.stream.length - before

    def read(self, source: Source) -> None:
        if self.nodes:
            self.read_node(source)
        elif not self.is_known:
            self.read_facts(source)
        elif self.pending:
            self.read_pending(source)
        elif not self.is_counted:
            self.consumers = source.length()
            self.is_counted = True
        elif self.owned:
            self.read_owned(source)
        elif self.consumers:
            self.read_consumer(source)
        elif self.groups:
            self.read_group(source)
        group_is_read = self.is_counted and not (self.pending or self.consumers or self.owned)
        if group_is_read and self.nobodys:
            raise RdbError("a stream has pending entries without a consumer")
        self.left = int(not self.is_known or not group_is_read or self.groups > 0)

    def read_node(self, source: Source) -> None:
        name, data = source.string(), source.string()
        if len(name) != ID_SIZE:
            raise RdbError("the id of a node of a stream has another size than ids have")
        stream = self.stream
        node = node_of(int.from_bytes(name, "big"), data, stream.nodes[-1] if stream.nodes else None)
        stream.adopt(node)
        stream.length += node.live
        self.nodes -= 1

    def read_facts(self, source: Source) -> None:
        """What stands behind the nodes."""
        stream = self.stream
        length, last_id = source.length(), read_id(source)
        deleted_id, added = 0, length
        if self.code != codes.STREAM_LISTPACKS:
            read_id(source)  # the first id: the nodes have it
            deleted_id, added = read_id(source), source.length()
        groups = source.length()
        if length != stream.length or last_id < stream.top():
            raise RdbError("a stream says another length or last id than its entries do")
        if added >= SIGN:
            raise RdbError("a stream says that it had more entries than can be counted")
        stream.last_id = last_id
        stream.forget_behind(last_id)
        stream.max_deleted_id, stream.entries_added = deleted_id, added
        stream.find_first()
        self.groups = groups
        self.is_known = True

    def read_group(self, source: Source) -> None:
        name, last_id = source.string(), read_id(source)
        if self.code != codes.STREAM_LISTPACKS:
            read = source.length()
        else:
            read = entries_up_to(self.stream, last_id)
        pending = source.length()
        if name in self.stream.groups:
            raise RdbError("a stream has two groups of one name")
        self.group = self.stream.add_group(name, last_id, read if read < SIGN else UNKNOWN)
        self.pending = self.nobodys = pending
        self.is_counted = False
        self.groups -= 1

    def read_pending(self, source: Source) -> None:
        entry_id = int.from_bytes(source.take(ID_SIZE), "big")
        delivered_ms, deliveries = source.signed(8), source.length()
        if deliveries >= SIGN:
            raise RdbError("an entry of a stream was delivered more often than can be counted")
        assert self.group is not None
        if self.group.pending.get(entry_id) is not None:
            raise RdbError("an entry of a stream is pending twice in a group")
        self.group.pending.put(entry_id, Nack(NOBODY, delivered_ms, deliveries))
        self.pending -= 1

    def read_consumer(self, source: Source) -> None:
        name, seen_ms = source.string(), source.signed(8)
        active_ms = source.signed(8) if self.code == codes.STREAM_LISTPACKS_3 else seen_ms
        owned = source.length()
        assert self.group is not None
        if name in self.group.consumers:
            raise RdbError("a group of a stream has two consumers of one name")
        self.consumer = self.group.add_consumer(name, seen_ms)
        self.consumer.active_ms = active_ms
        self.owned = owned
        self.consumers -= 1

    def read_owned(self, source: Source) -> None:
        entry_id = int.from_bytes(source.take(ID_SIZE), "big")
        assert self.group is not None
        assert self.consumer is not None
        nack = self.group.pending.get(entry_id)
        if nack is None or nack.owner is not NOBODY:
            raise RdbError("a consumer has an entry that is not pending, or another's")
        self.group.own(entry_id, self.consumer, nack.delivered_ms, nack.deliveries)
        self.owned -= 1
        self.nobodys -= 1


def read_id(source: Source) -> int:
    return source.length() << SEQUENCE_BITS | source.length()


def read_first(source: Source) -> Elements:
    return StreamElements(source, codes.STREAM_LISTPACKS)


def read_second(source: Source) -> Elements:
    return StreamElements(source, codes.STREAM_LISTPACKS_2)


def read_third(source: Source) -> Elements:
    return StreamElements(source, codes.STREAM_LISTPACKS_3)


# --- writing
#
# A position is the number of a node, or, behind the nodes, a group (from 1), a part of it and a chunk of what is
# pending. Part 0 is the group itself, the others are its consumers.

GROUP: Final = 64
PART: Final = 32
CHUNK: Final = (1 << PART) - 1


def put_stream(out: bytearray, key: bytes | bytearray, value: Value, style: Style, at: int) -> int:
    assert isinstance(value, Stream)
    if at == 0:
        third = style.format.version >= REDIS_11.version
        out.append(codes.STREAM_LISTPACKS_3 if third else codes.STREAM_LISTPACKS_2)
        out += key
        put_length(out, len(value.nodes))
    room = STEP
    while at < 1 << GROUP and at < len(value.nodes) and room > 0:
        node = value.nodes[at]
        put_string(out, node.master.to_bytes(ID_SIZE, "big"))
        put_string(out, listpack_of(node), style.compress)
        room -= node.live + node.dead
        at += 1
    if at < 1 << GROUP and room > 0:
        put_facts(out, value)
        at = 1 << GROUP if value.groups else DONE
    names = sorted(value.groups) if at >= 1 << GROUP else []
    while at != DONE and at >= 1 << GROUP and room > 0:
        index = (at >> GROUP) - 1
        more = put_part(out, value.groups[names[index]], style, at & WORD)
        room -= PIECE
        if more:
            at = index + 1 << GROUP | more
        else:
            at = index + 2 << GROUP if index + 1 < len(names) else DONE
    return at


def put_facts(out: bytearray, stream: Stream) -> None:
    put_length(out, stream.length)
    put_id(out, stream.last_id)
    put_id(out, stream.first_id)
    put_id(out, stream.max_deleted_id)
    put_length(out, stream.entries_added)
    put_length(out, len(stream.groups))


def put_id(out: bytearray, entry_id: int) -> None:
    put_length(out, entry_id >> SEQUENCE_BITS)
    put_length(out, entry_id & WORD)


def put_part(out: bytearray, group: Group, style: Style, at: int) -> int:
    """A piece of a group, from ``at`` on; the next one, 0 if this was the last."""
    part, chunk = at >> PART, at & CHUNK
    if part == 0:
        if chunk == 0:
            put_group(out, group)
        if chunk < len(group.pending.chunks):
            put_chunk(out, group.pending.chunks[chunk])
            return chunk + 1
        put_length(out, len(group.consumers))
        return 1 << PART if group.consumers else 0
    name = sorted(group.consumers)[part - 1]
    if chunk == 0:
        put_consumer(out, group.consumers[name], style)
    chunk = put_owned(out, group, name, chunk)
    if chunk:
        return part << PART | chunk
    return part + 1 << PART if part < len(group.consumers) else 0


def put_group(out: bytearray, group: Group) -> None:
    put_string(out, group.name)
    put_id(out, group.last_id)
    put_length(out, group.entries_read & WORD)
    put_length(out, group.pending.count)


def put_chunk(out: bytearray, chunk: Chunk) -> None:
    for entry_id, nack in chunk.nacks.items():
        out += entry_id.to_bytes(ID_SIZE, "big")
        out += nack.delivered_ms.to_bytes(8, "little", signed=True)
        put_length(out, nack.deliveries)


def put_consumer(out: bytearray, consumer: Consumer, style: Style) -> None:
    put_string(out, consumer.name)
    out += consumer.seen_ms.to_bytes(8, "little", signed=True)
    if style.format.version >= REDIS_11.version:
        out += consumer.active_ms.to_bytes(8, "little", signed=True)
    put_length(out, consumer.pending)


def put_owned(out: bytearray, group: Group, name: bytes, at: int) -> int:
    """What a consumer has in a few chunks from number ``at`` on; the next number, 0 behind the last one."""
    room = PIECE
    while at < len(group.pending.chunks) and room > 0:
        chunk = group.pending.chunks[at]
        if name in chunk.owned:
            for entry_id, nack in chunk.nacks.items():
                if nack.owner == name:
                    out += entry_id.to_bytes(ID_SIZE, "big")
            room -= len(chunk.nacks)
        at += 1
    return at if at < len(group.pending.chunks) else 0
