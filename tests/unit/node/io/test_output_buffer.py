"""What the kernel did not take: everything comes out once, in order, and nothing of it is copied meanwhile."""

from itertools import cycle

from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.io.output_buffer import OFFERED, OutputBuffer

PIECES = st.lists(st.lists(st.binary(max_size=30), max_size=5), max_size=12)


@given(added=PIECES, takes=st.lists(st.integers(1, 50), min_size=1, max_size=8))
def test_all_comes_out_in_order_whatever_the_kernel_takes(added: list[list[bytes]], takes: list[int]) -> None:
    backlog = OutputBuffer()
    out = bytearray()
    for pieces, take in zip([*added, *[[]] * 2000], cycle(takes), strict=False):
        backlog.add(pieces)
        head = b"".join(backlog.head())
        out += head[:take]
        backlog.taken(min(take, len(head)))
    assert bytes(out) == b"".join(b"".join(pieces) for pieces in added)
    assert backlog.head() == []


def test_more_pieces_than_one_write_takes_are_offered_in_turn() -> None:
    backlog = OutputBuffer()
    backlog.add([b"x"] * (OFFERED + 1))
    assert len(backlog.head()) == OFFERED
    backlog.taken(OFFERED)
    assert backlog.head() == [b"x"]


def test_what_waits_is_offered_from_where_it_lies() -> None:
    backlog = OutputBuffer()
    value = bytes(1 << 20)
    backlog.add([b"$1048576\r\n", value, b"\r\n"])
    assert backlog.head()[1] is value
    backlog.taken(100)
    rest = backlog.head()[0]
    assert isinstance(rest, memoryview)
    assert rest.obj is value
    assert len(rest) == len(value) - 90
