"""What the kernel did not take: everything comes out once, in order, in pieces of bounded size."""

from hypothesis import given
from hypothesis import strategies as st

from node.io.backlog import PIECE, Backlog

SIZES = st.lists(st.integers(0, 50) | st.integers(1, 3 * PIECE), max_size=12)


@given(SIZES, st.lists(st.integers(1, 2 * PIECE), min_size=1, max_size=8))
def test_all_comes_out_in_order_whatever_the_kernel_takes(sizes: list[int], takes: list[int]) -> None:
    added = [bytes([at]) * size for at, size in enumerate(sizes)]
    backlog = Backlog()
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
    backlog = Backlog()
    for _ in range(1000):
        backlog.add(b"message")
    assert len(backlog.head()) == 7000 == backlog.size


def test_a_large_piece_is_offered_without_copying_what_is_behind() -> None:
    backlog = Backlog()
    data = bytes(64 * PIECE)
    backlog.add(data)
    backlog.add(b"tail")
    assert backlog.head().obj is data
    backlog.taken(PIECE)
    assert backlog.head().obj is data
