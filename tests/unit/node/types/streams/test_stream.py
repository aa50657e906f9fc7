"""A stream is what a list of its entries says, whatever was done to it and to its copies."""

from collections.abc import Iterator
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.types.limits import EncodingLimits
from gossamer.node.types.streams.cursor import Cursor
from gossamer.node.types.streams.ids import LAST, SEQUENCE_BITS
from gossamer.node.types.streams.kind import STREAM
from gossamer.node.types.streams.stream import Stream
from gossamer.node.types.streams.trim import ANY, Trim, trim

Model = list[tuple[int, list[bytes]]]

SMALL = EncodingLimits()
SMALL.stream_node_max_entries = 7
SMALL.stream_node_max_bytes = 300

TEXTS = st.one_of(
    st.binary(max_size=6),
    st.integers(-(2**63), 2**63 - 1).map(lambda number: b"%d" % number),
    st.sampled_from([b"", b"0", b"-1", b"127", b"128", b"x" * 63, b"x" * 64, b"x" * 5000, b"007", b"-0"]),
)
PAIRS = st.one_of(
    st.tuples(st.just(b"f"), TEXTS).map(list),
    st.lists(TEXTS, min_size=2, max_size=6).map(lambda words: words[: len(words) // 2 * 2]),
)
ADD = st.tuples(st.just("add"), st.sampled_from([1, 1, 1, 5, 1 << 64, (1 << 64) - 1, 1 << 127]), PAIRS)
STEPS = st.lists(
    st.one_of(
        ADD,
        ADD,
        ADD,
        st.tuples(st.just("delete"), st.integers(0, 60), st.none()),
        st.tuples(st.just("keep"), st.integers(0, 60), st.booleans()),
        st.tuples(st.just("from"), st.integers(0, 60), st.booleans()),
        st.tuples(st.just("copy"), st.none(), st.none()),
    ),
    max_size=60,
)


def entries(cursor: Cursor) -> Iterator[tuple[int, list[bytes]]]:
    while cursor.next():
        yield cursor.id, cursor.pairs()


def check(stream: Stream, model: Model) -> None:
    assert list(entries(stream.cursor())) == model
    assert list(entries(stream.backward())) == model[::-1]
    assert stream.length == len(model)
    assert stream.first_id == (model[0][0] if model else 0)
    assert stream.top() == (model[-1][0] if model else 0)
    assert stream.bytes == sum(node.size() for node in stream.nodes)
    assert stream.masters == [node.master for node in stream.nodes]
    assert sum(node.live for node in stream.nodes) == len(model)


def perform(stream: Stream, model: Model, step: tuple[str, object, object]) -> None:
    name, first, second = step
    if name == "add":
        assert isinstance(first, int)
        assert isinstance(second, list)
        if stream.last_id + first > LAST:
            return
        stream.append(stream.last_id + first, second, SMALL)
        model.append((stream.last_id, second))
    elif name == "delete":
        assert isinstance(first, int)
        chosen = model[first % len(model)][0] if model else 1
        assert stream.delete(chosen) == bool(model)
        model[:] = [entry for entry in model if entry[0] != chosen]
        assert not stream.delete(chosen)
    elif name == "keep":
        assert isinstance(first, int)
        before = len(model)
        gone = trim(stream, Trim(first, ANY, bool(second), 0))
        del model[:gone]
        assert len(model) == before - gone
        assert len(model) >= min(first, before)
        assert second or len(model) == min(first, before)
    else:
        assert isinstance(first, int)
        bound = model[first % len(model)][0] if model else 1
        gone = trim(stream, Trim(ANY, bound, bool(second), 0))
        assert gone <= sum(entry[0] < bound for entry in model)
        del model[:gone]
        assert second or not model or model[0][0] >= bound


@given(steps=STEPS)
def test_a_stream_is_the_list_of_its_entries_and_copies_stay_as_they_were(
    steps: list[tuple[str, object, object]],
) -> None:
    pairs: list[tuple[Stream, Model]] = [(Stream(), [])]
    for number, step in enumerate(steps):
        stream, model = pairs[number % len(pairs)]
        if step[0] == "copy":
            copy = STREAM.copy(stream)
            assert isinstance(copy, Stream)
            pairs.append((copy, list(model)))
        else:
            perform(stream, model, step)
    for stream, model in pairs:
        check(stream, model)


@given(count=st.integers(0, 60), data=st.data())
def test_entries_between_two_ids(count: int, data: st.DataObject) -> None:
    stream = Stream()
    for number in range(1, count + 1):
        stream.append(number * 3 << SEQUENCE_BITS, [b"f", b"%d" % number], SMALL)
    for number in data.draw(st.lists(st.integers(1, 60), max_size=20)):
        stream.delete(number * 3 << SEQUENCE_BITS)
    ids = [number for number, _ in entries(stream.cursor())]
    first, last = (data.draw(st.integers(0, 190)) << SEQUENCE_BITS for _ in range(2))
    between = [number for number in ids if first <= number <= last]
    assert [number for number, _ in entries(stream.cursor(first, last))] == between
    assert [number for number, _ in entries(stream.backward(first, last))] == between[::-1]
    for number in ids:
        found = stream.find(number)
        assert found is not None
        assert found.id == number
        assert stream.find(number + 1) is None


def test_exact_trimming_copies_no_node() -> None:
    """It only moves the beginning of the first one."""
    stream = Stream()
    for number in range(1, 6):
        stream.append(number, [b"f", b"v"], SMALL)
    stream.nodes[0].settle()
    data = stream.nodes[0].data
    assert trim(stream, Trim(2, ANY, False, 0)) == 3
    assert stream.nodes[0].data is data


def test_a_copy_shares_its_nodes() -> None:
    stream = Stream()
    for number in range(1, 1000):
        stream.append(number, [b"f", b"v"], EncodingLimits())
    copy = stream.copy()
    assert all(a is b for a, b in zip(stream.nodes, copy.nodes, strict=True))
    stream.append(1000, [b"f", b"v"], EncodingLimits())
    assert [a is b for a, b in zip(stream.nodes, copy.nodes, strict=True)] == [True] * 9 + [False]


def test_ids_may_be_given_out_anew_where_only_deleted_entries_have_been() -> None:
    stream = Stream()
    for number in (1, 2, 3, 9, 10):
        stream.append(number, [b"f", b"%d" % number], SMALL)
    for number in (3, 9, 10):
        stream.delete(number)
    stream.forget_behind(2)
    stream.last_id = 2
    stream.append(4, [b"f", b"4"], SMALL)
    check(stream, [(number, [b"f", b"%d" % number]) for number in (1, 2, 4)])


def test_it_is_freed_in_pieces() -> None:
    stream = Stream()
    for number in range(1, 5001):
        stream.append(number, [b"f", b"v"], EncodingLimits())
    group = stream.add_group(b"g", 0, 0)
    consumer = group.add_consumer(b"c", 1)
    for number in range(1, 3001):
        group.assign(number, consumer, 1, 1)
    left = [STREAM.length(stream)]
    while left[-1]:
        left.append(STREAM.free(stream, 500))
    steps = [before - after for before, after in pairwise(left)]
    assert left[0] == 8003
    assert max(steps) <= 800
    assert not stream.nodes
    assert not stream.groups
