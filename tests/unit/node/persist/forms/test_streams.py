"""What is written of a stream is read again, in every form; what is damaged is refused, or is a stream all the same."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gossamer.node.persist import codes
from gossamer.node.persist.codes import REDIS_10, REDIS_11, Format, RdbError, Short
from gossamer.node.persist.form import Elements, Style
from gossamer.node.persist.source import Source
from gossamer.node.persist.values import put_value, read_value
from gossamer.node.types.kind import DONE
from gossamer.node.types.limits import EncodingLimits
from gossamer.node.types.streams.pending import PendingCursor
from gossamer.node.types.streams.stream import Stream
from tests.unit.node.persist.contents import read_whole
from tests.unit.node.types.streams.test_stream import STEPS, entries, perform

OLD, NEW = Style(REDIS_10), Style(REDIS_11)


def written(stream: Stream, style: Style) -> bytes:
    out = bytearray()
    at = 0
    while at != DONE:
        at = put_value(out, b"", stream, style, at)
    return bytes(out)


def read(data: bytes) -> Stream:
    source = Source(data, 1)
    value = read_whole(source, data[0])
    assert source.at == len(data)
    assert isinstance(value, Stream)
    return value


def held(stream: Stream, active: bool = True) -> object:
    groups = []
    for name in sorted(stream.groups):
        group = stream.groups[name]
        cursor = PendingCursor(group.pending, 0)
        nacks = []
        while cursor.next():
            nacks.append((cursor.id, cursor.nack.owner, cursor.nack.delivered_ms, cursor.nack.deliveries))
        consumers = [
            (one.name, one.seen_ms, one.active_ms if active else one.seen_ms, one.pending)
            for one in sorted(group.consumers.values(), key=lambda one: one.name)
        ]
        groups.append((name, group.last_id, group.entries_read, consumers, nacks))
    facts = stream.length, stream.first_id, stream.last_id, stream.max_deleted_id, stream.entries_added
    nodes = [(node.master, node.fields, node.entries(), node.live, node.dead, node.top) for node in stream.nodes]
    extent = stream.extent.pending, stream.extent.consumers
    return list(entries(stream.cursor())), facts, nodes, groups, extent, stream.bytes


GROUPS = st.lists(
    st.tuples(
        st.sampled_from([b"a", b"b", b"1"]),
        st.sampled_from([b"x", b"y", b""]),
        st.sampled_from([-1, 0, 5]),
        st.lists(st.integers(0, 2**128 - 1) | st.integers(0, 600), max_size=5),
    ),
    max_size=4,
)


def with_groups(stream: Stream, groups: list[tuple[bytes, bytes, int, list[int]]]) -> Stream:
    for name, consumer_name, active_ms, ids in groups:
        group = stream.group(name) or stream.add_group(name, 7, active_ms)
        consumer = group.consumer(consumer_name) or group.add_consumer(consumer_name, 99)
        consumer.active_ms = active_ms
        for number in ids:
            group.assign(number, consumer, 10**12, len(ids))
    return stream


@given(steps=STEPS, groups=GROUPS)
def test_what_is_written_is_read_again(
    steps: list[tuple[str, object, object]], groups: list[tuple[bytes, bytes, int, list[int]]]
) -> None:
    stream = Stream()
    for step in steps:
        if step[0] != "copy":
            perform(stream, [(number, pairs) for number, pairs in entries(stream.cursor())], step)
    with_groups(stream, groups)
    data = written(stream, NEW)
    assert data[0] == codes.STREAM_LISTPACKS_3
    assert held(read(data)) == held(stream)
    assert written(read(data), NEW) == data
    data = written(stream, OLD)
    assert data[0] == codes.STREAM_LISTPACKS_2
    assert held(read(data), active=False) == held(stream, active=False)


def sample(count: int = 300, pending: int = 700) -> Stream:
    stream = Stream()
    for number in range(1, count + 1):
        stream.append(number << 64, [b"f", b"%d" % number, b"g", b"x" * (number % 70)], EncodingLimits())
    for number in range(1, count, 3):
        stream.delete(number << 64)
    for name in (b"a", b"b"):
        group = stream.add_group(name, 5 << 64, 5)
        for consumer in (group.add_consumer(b"x", 1), group.add_consumer(b"y", 2)):
            for number in range(pending // 2):
                group.assign(number * 2 + len(group.consumers[b"x"].name) * consumer.seen_ms, consumer, 1, 1)
    return stream


def test_bytes_that_come_one_by_one_make_the_same_stream() -> None:
    """What is whole is not read again, and Short leaves the stream as it was."""
    stream = sample(30, 20)
    data = written(stream, NEW)
    value: Elements | None = None
    start = 1
    for end in range(1, len(data) + 1):
        source = Source(data[:end], start)
        try:
            if value is None:
                found = read_value(source, data[0])
                assert isinstance(found, Elements)
                value = found
                source.start = source.at
            while value.left:
                value.step(source)
            start = source.at
        except Short:
            start = source.start
    assert value is not None
    assert value.left == 0
    assert isinstance(value.value, Stream)
    assert held(value.value) == held(stream)


def test_a_large_stream_is_written_in_steps() -> None:
    stream = sample(3000, 3000)
    steps, at = 0, 0
    while at != DONE:
        out = bytearray()
        at = put_value(out, b"", stream, NEW, at)
        steps += 1
        assert len(out) < 120_000
    assert steps > 8
    assert held(read(written(stream, NEW))) == held(stream)


DATA = [written(sample(12, 6), style) for style in (OLD, NEW)]


@settings(max_examples=300)
@given(data=st.sampled_from(DATA), at=st.integers(1, 10_000), put=st.binary(min_size=1, max_size=3), cut=st.booleans())
def test_what_is_damaged_is_refused_or_whole(data: bytes, at: int, put: bytes, cut: bool) -> None:
    at = 1 + at % (len(data) - 1)
    bad = data[:at] if cut else data[:at] + put + data[at + len(put) :]
    try:
        stream = read_whole(Source(bad, 1), bad[0])
    except (RdbError, Short):
        return
    assert isinstance(stream, Stream)
    ids = [number for number, _ in entries(stream.cursor())]
    assert ids == sorted(set(ids))
    assert len(ids) == stream.length
    assert held(read(written(stream, NEW))) == held(stream)


def broken(change: str) -> bytes:
    """A stream with two nodes, one thing of which is wrong."""
    stream = sample(150, 4)
    if change == "nodes out of order":
        stream.nodes.reverse()
    elif change == "another length":
        stream.length += 1
    elif change == "last id too small":
        stream.last_id = 1
    elif change == "entries out of order":
        first, second = stream.nodes
        second.data = first.data
        second.live, second.dead, second.body, second.gone = first.live, first.dead, first.body, 0
    elif change == "counters":
        stream.nodes[0].live, stream.nodes[0].dead = stream.nodes[0].dead, stream.nodes[0].live
    elif change == "pending without owner":
        stream.groups[b"a"].consumers.clear()
    return written(stream, NEW)


def test_what_contradicts_itself_is_refused() -> None:
    assert isinstance(read(broken("nothing")), Stream)
    for change in (
        "nodes out of order",
        "another length",
        "last id too small",
        "entries out of order",
        "counters",
        "pending without owner",
    ):
        try:
            read(broken(change))
        except RdbError:
            continue
        raise AssertionError(change)


def test_a_valkey_gets_the_newest_form() -> None:
    for style, code in ((Style(Format(b"VALKEY080", 80)), 21), (NEW, 21), (OLD, 19)):
        assert written(Stream(), style)[0] == code
