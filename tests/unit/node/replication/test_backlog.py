"""The ring of the stream's last bytes, and the question who may go on from it."""

from random import Random

import pytest

from gossamer.node.replication.backlog import Backlog
from gossamer.node.replication.history import NO_ID, History


def test_bytes_are_found_by_their_offset() -> None:
    backlog = Backlog(100, 10)
    assert (backlog.first, backlog.held) == (11, 0)
    backlog.append(b"abc")
    backlog.append(b"defg")
    assert (backlog.first, backlog.end, backlog.held) == (11, 17, 7)
    assert [backlog.since(at) for at in (11, 13, 14, 17, 18)] == [b"abcdefg", b"cdefg", b"defg", b"g", b""]
    assert [backlog.reaches(at) for at in (10, 11, 18, 19)] == [False, True, True, False]


@pytest.mark.parametrize("seed", range(20))
def test_a_ring_tells_what_the_whole_stream_would(seed: int) -> None:
    rng = Random(seed)
    size = rng.randrange(1, 50)
    backlog = Backlog(size, 0)
    stream = b""
    for _ in range(100):
        data = rng.randbytes(rng.randrange(30))
        stream += data
        backlog.append(data)
        assert backlog.end == len(stream)
        assert min(size, len(stream)) <= backlog.held < size + 30
        at = rng.randrange(backlog.first, backlog.end + 2)
        assert backlog.since(at) == stream[at - 1 :]


def test_a_piece_larger_than_the_ring_is_cut() -> None:
    backlog = Backlog(4, 0)
    backlog.append(b"0123456789")
    assert (backlog.first, backlog.since(7)) == (7, b"6789")


def test_a_ring_can_shrink() -> None:
    backlog = Backlog(100, 0)
    for _ in range(10):
        backlog.append(b"0123456789")
    backlog.resize(20)
    assert (backlog.first, backlog.held) == (81, 20)


def test_what_is_held_for_somebody_is_kept_beyond_the_size_and_no_longer() -> None:
    backlog = Backlog(10, 0)
    for number in range(8):
        backlog.append(b"0123456789", awaited=10 * min(number, 5))
    assert (backlog.first, backlog.held) == (31, 50)
    backlog.append(b"x" * 10, awaited=60)
    assert backlog.since(31) == b"0123456789" * 5 + b"x" * 10
    backlog.shrink(20)
    assert backlog.held == 20
    backlog.shrink(0)
    assert backlog.held == 10


# --- histories


def history() -> History:
    made = History(Random(1))
    made.keep(1000)
    made.append(b"x" * 100)
    return made


def test_who_may_go_on() -> None:
    ours = history()
    assert ours.can_continue(ours.replid, 101)
    assert ours.can_continue(ours.replid.upper(), 1)
    assert not ours.can_continue(ours.replid, 102)
    assert not ours.can_continue(ours.replid, 0)
    assert not ours.can_continue(NO_ID, 50), "zeros are nobody's name"
    assert not ours.can_continue("?", -1)


def test_after_a_promotion_the_old_name_holds_up_to_its_offset() -> None:
    ours = history()
    old = ours.replid
    ours.branch()
    ours.append(b"y" * 10)
    assert (ours.replid2, ours.second_offset) == (old, 101)
    assert ours.replid != old
    assert ours.can_continue(old, 101)
    assert not ours.can_continue(old, 102), "what came behind it is not the old stream"
    assert ours.can_continue(ours.replid, 111)


def test_without_a_backlog_nobody_goes_on() -> None:
    ours = history()
    old = ours.replid
    ours.forget()
    assert ours.replid != old
    assert not ours.can_continue(ours.replid, 101)
