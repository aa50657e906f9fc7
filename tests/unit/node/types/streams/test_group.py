"""What is pending in a group is what a plain dictionary says, whatever was done to it and to its copies."""

from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.types.streams.group import Group
from gossamer.node.types.streams.pending import FULL, PendingCursor
from gossamer.node.types.streams.stream import Stream

Model = dict[int, tuple[bytes, int]]
NAMES = (b"a", b"b", b"c")

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["assign", "assign", "in order", "in order", "acknowledge", "remove", "copy"]),
        st.integers(0, 3000),
        st.sampled_from(NAMES),
        st.integers(1, 400),
    ),
    max_size=40,
)


def owned(group: Group, name: bytes | None) -> list[tuple[int, bytes, int]]:
    cursor = PendingCursor(group.pending, 0, name)
    out = []
    while cursor.next():
        out.append((cursor.id, cursor.nack.owner, cursor.nack.deliveries))
    return out


def check(stream: Stream, model: Model) -> None:
    group = stream.groups[b"g"]
    listed = [(number, *model[number]) for number in sorted(model)]
    assert owned(group, None) == listed
    assert group.pending.count == stream.extent.pending == len(model)
    assert stream.extent.consumers == len(group.consumers)
    for name in NAMES:
        mine = [row for row in listed if row[1] == name]
        assert owned(group, name) == mine
        assert (group.consumers[name].pending if name in group.consumers else 0) == len(mine)
    if model:
        assert (group.pending.first(), group.pending.last()) == (min(model), max(model))
    assert all(0 < len(chunk.nacks) <= FULL for chunk in group.pending.chunks)


def perform(stream: Stream, model: Model, step: tuple[str, int, bytes, int]) -> None:
    what, number, name, count = step
    group = stream.group(b"g")
    assert group is not None
    if what == "remove":
        if name in group.consumers:
            mine = [number for number, (owner, _) in model.items() if owner == name]
            assert group.remove_consumer(name) == len(mine)
            for number in mine:
                del model[number]
        return
    if what == "acknowledge":
        for one in range(number, number + count):
            assert group.acknowledge(one) == (model.pop(one, None) is not None)
        return
    consumer = group.consumer(name) or group.add_consumer(name, 1)
    begin = max(model, default=0) + 1 if what == "in order" else number
    for one in range(begin, begin + count):
        group.assign(one, consumer, 5, count)
        model[one] = (name, count)


@given(steps=STEPS)
def test_what_is_pending_and_copies_stay_as_they_were(steps: list[tuple[str, int, bytes, int]]) -> None:
    pairs: list[tuple[Stream, Model]] = [(Stream(), {})]
    pairs[0][0].add_group(b"g", 0, 0)
    for at, step in enumerate(steps):
        stream, model = pairs[at % len(pairs)]
        if step[0] == "copy":
            pairs.append((stream.copy(), dict(model)))
        else:
            perform(stream, model, step)
    for stream, model in pairs:
        check(stream, model)


def test_a_cursor_goes_on_when_its_entries_are_acknowledged() -> None:
    stream = Stream()
    group = stream.add_group(b"g", 0, 0)
    consumer = group.add_consumer(b"a", 1)
    for number in range(1000):
        group.assign(number, consumer, 5, 1)
    cursor = PendingCursor(group.pending, 300, b"a")
    seen = []
    while cursor.next():
        seen.append(cursor.id)
        assert group.acknowledge(cursor.id)
    assert seen == list(range(300, 1000))


def test_a_removed_group_takes_along_what_it_holds() -> None:
    stream = Stream()
    for name in (b"g", b"h"):
        group = stream.add_group(name, 0, 0)
        consumer = group.add_consumer(b"a", 1)
        for number in range(10):
            group.assign(number, consumer, 5, 1)
    remains = stream.remove_group(b"g")
    assert list(stream.groups) == [b"h"]
    assert (stream.extent.pending, stream.extent.consumers) == (10, 1)
    assert (remains.extent.pending, remains.extent.consumers) == (10, 1)
