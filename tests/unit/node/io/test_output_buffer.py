"""What the kernel did not take: everything comes out once, in order, in pieces of bounded size."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gossamer.node.io.output_buffer import PIECE, OutputBuffer


def cuts(largest: int, step: int) -> st.SearchStrategy[tuple[list[int], list[int]]]:
    """Sizes of what is added, and how much the kernel takes each time."""
    takes = st.lists(st.integers(step, largest), min_size=1, max_size=8)
    return st.tuples(st.lists(st.integers(0, largest), max_size=12), takes)


@settings(deadline=None)
@given(cuts(50, 1) | cuts(3 * PIECE, PIECE // 9))
def test_all_comes_out_in_order_whatever_the_kernel_takes(example: tuple[list[int], list[int]]) -> None:
    sizes, takes = example
    added = [bytes([at]) * size for at, size in enumerate(sizes)]
    backlog = OutputBuffer()
    out = bytearray()
    turn = 0
    for data in added:
        backlog.add(data)
        head = backlog.head()
        if backlog.size:
            count = min(len(head), takes[turn % len(takes)])
            out += head[:count]
            backlog.taken(count)
            turn += 1
    while backlog.size:
        head = backlog.head()
        assert 0 < len(head) <= PIECE
        count = min(len(head), takes[turn % len(takes)])
        out += head[:count]
        backlog.taken(count)
        turn += 1
    assert bytes(out) == b"".join(added)
    assert len(backlog.head()) == 0


def test_small_pieces_are_joined() -> None:
    backlog = OutputBuffer()
    for _ in range(1000):
        backlog.add(b"message")
    assert len(backlog.head()) == 7000 == backlog.size


def test_a_large_piece_is_offered_without_copying_what_is_behind() -> None:
    backlog = OutputBuffer()
    data = bytes(64 * PIECE)
    backlog.add(data)
    backlog.add(b"tail")
    assert backlog.head().obj is data
    backlog.taken(PIECE)
    assert backlog.head().obj is data
