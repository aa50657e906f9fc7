"""Entries of streams as clients get them, made in C: those that a cursor comes to, one by one; damage is told."""

from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.commands.streams.shown import taken
from gossamer.node.resp.writer import encode
from gossamer.node.types.limits import EncodingLimits
from gossamer.node.types.streams.cursor import Cursor
from gossamer.node.types.streams.ids import LAST, SEQUENCE_BITS, WORD
from gossamer.node.types.streams.node import Node
from gossamer.node.types.streams.stream import Stream
from tests.unit.node.types.streams.test_stream import PAIRS

STEPS = st.sampled_from([1, 1, 1, 7, 1 << SEQUENCE_BITS, (1 << SEQUENCE_BITS) - 1, 300 << SEQUENCE_BITS, 1 << 127])
ENTRIES = st.lists(st.tuples(STEPS, PAIRS, st.booleans()), min_size=1, max_size=25)
PLACES = st.one_of(st.integers(-1, 26), st.just(None))


def stream_of(entries: list[tuple[int, list[bytes], bool]]) -> tuple[Stream, list[int]]:
    """Of one node; some entries are deleted again. And the ids."""
    stream, limits, ids = Stream(), EncodingLimits(), [0]
    limits.stream_node_max_entries = limits.stream_node_max_bytes = 0
    for step, pairs, _ in entries:
        if ids[-1] + step <= LAST:
            ids.append(ids[-1] + step)
            stream.append(ids[-1], pairs, limits)
    for entry_id, (_, _, deleted) in zip(ids[1:], entries, strict=False):
        if deleted and stream.length > 1:
            assert stream.delete(entry_id)
    return stream, ids[1:]


def encoded(native: ModuleType, node: Node, first: int, last: int, most: int) -> tuple[bytes, int, int]:
    node.settle()
    ids = [half for entry_id in (node.master, first, last) for half in (entry_id >> SEQUENCE_BITS, entry_id & WORD)]
    found: tuple[bytes, int, int] = native.encode_entries(node.data, node.begin, node.fields, *ids, most)
    return found


@given(ENTRIES, PLACES, PLACES, st.integers(0, 30))
def test_they_are_those_that_a_cursor_comes_to(
    native: ModuleType, entries: list[tuple[int, list[bytes], bool]], begin: int | None, end: int | None, most: int
) -> None:
    stream, ids = stream_of(entries)
    first = 0 if begin is None else max(0, ids[min(begin, len(ids) - 1)] + (begin == -1))
    last = LAST if end is None else ids[min(end, len(ids) - 1)]
    (node,) = stream.nodes
    expected = taken(Cursor([node], 0, first, last), most)
    data, found, at = encoded(native, node, first, last, most)
    assert data == b"".join([encode(entry, False) for entry in expected])
    assert found == len(expected)
    assert -1 <= at <= len(node.data)
    if found < most:
        assert at in (-1, len(node.data)), "it has looked at all that may be wanted"


@given(ENTRIES)
def test_they_can_be_taken_one_by_one(native: ModuleType, entries: list[tuple[int, list[bytes], bool]]) -> None:
    (node,) = stream_of(entries)[0].nodes
    whole, total, _ = encoded(native, node, 0, LAST, 1000)
    ids = (node.milliseconds, node.sequence, 0, 0, WORD, WORD)
    pieces, found, at = [b""], 1, node.begin
    while found:
        piece, found, at = native.encode_entries(node.data, at, node.fields, *ids, 1)
        pieces += [piece] * found
    assert (b"".join(pieces), len(pieces) - 1) == (whole, total)


@given(ENTRIES, st.data())
def test_damage_is_told_or_gives_other_entries(
    native: ModuleType, entries: list[tuple[int, list[bytes], bool]], draw: st.DataObject
) -> None:
    (node,) = stream_of(entries)[0].nodes
    node.settle()
    damaged = bytearray(node.data)
    for _ in range(draw.draw(st.integers(1, 3))):
        damaged[draw.draw(st.integers(0, len(damaged) - 1))] = draw.draw(st.integers(0, 255))
    data = bytes(damaged[: draw.draw(st.integers(0, len(damaged)))])
    at = draw.draw(st.integers(0, len(data)))
    try:
        piece, found, behind = native.encode_entries(data, at, node.fields, 0, 0, 0, 0, WORD, WORD, 1000)
    except ValueError:
        return
    assert 0 <= found <= len(data)
    assert behind == len(data), "none is behind the last of all ids"
    assert piece.startswith(b"*2\r\n$") == (found > 0)


@pytest.mark.parametrize(
    "arguments",
    [
        ("text", 0, [b"f"], 0, 0, 0, 0, 0, 0, 1),
        (b"", 0, (b"f",), 0, 0, 0, 0, 0, 0, 1),
        (b"", 0, ["f"], 0, 0, 0, 0, 0, 0, 1),
        (b"", 0, [], "0", 0, 0, 0, 0, 0, 1),
        (b"", 0, [], 0, 0, 0, 0, 0, 0, None),
        (b"", 0, []),
    ],
)
def test_it_takes_nothing_else(native: ModuleType, arguments: tuple[object, ...]) -> None:
    with pytest.raises(TypeError):
        native.encode_entries(*arguments)


@pytest.mark.parametrize("at", [-1, 1])
def test_nor_a_place_outside(native: ModuleType, at: int) -> None:
    with pytest.raises(IndexError):
        native.encode_entries(b"", at, [], 0, 0, 0, 0, 0, 0, 1)
    with pytest.raises(OverflowError):
        native.encode_entries(b"", 0, [], 1 << 64, 0, 0, 0, 0, 0, 1)
