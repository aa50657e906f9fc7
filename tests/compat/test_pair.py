"""The harness itself: it sees differences that client libraries hide, and tells what led to them."""

import pytest

from tests.compat.pair import Mismatch, Pair
from tests.compat.replies import CLOSED, Answer, Incomplete, alike, in_any_order, read_answer


def answer(data: bytes) -> Answer:
    found, end = read_answer(data)
    assert end == len(data)
    return found


def test_replies_that_clients_fold_together_are_kept_apart() -> None:
    forms = [b"+a\r\n", b"$1\r\na\r\n", b"-a\r\n", b"=5\r\ntxt:a\r\n", b"*1\r\n+a\r\n", b"~1\r\n+a\r\n"]
    forms += [
        b">1\r\n+a\r\n",
        b"_\r\n",
        b"$-1\r\n",
        b"*-1\r\n",
        b"*0\r\n",
        b"%0\r\n",
        b"#t\r\n",
        b":1\r\n",
        b",1\r\n",
        b"$1\r\n1\r\n",
    ]
    assert len({repr(answer(form)) for form in forms}) == len(forms)
    assert sum(alike(answer(a), answer(b)) for a in forms for b in forms) == len(forms)


@pytest.mark.parametrize("data", [b":01\r\n", b"$1\r\nab\r\n", b"#x\r\n", b"?\r\n", b"_1\r\n", b":\r\n"])
def test_what_is_no_reply_is_not_read(data: bytes) -> None:
    with pytest.raises(ValueError):
        read_answer(data)


@pytest.mark.parametrize("data", [b"", b":1", b":1\r", b"$3\r\nabc\r", b"*2\r\n:1\r\n", b"%1\r\n:1\r\n"])
def test_a_half_reply_is_incomplete(data: bytes) -> None:
    with pytest.raises(Incomplete):
        read_answer(data)


def test_order_may_be_ignored_and_numbers_be_near() -> None:
    assert in_any_order(answer(b"*2\r\n:2\r\n:1\r\n")) == in_any_order(answer(b"*2\r\n:1\r\n:2\r\n"))
    assert in_any_order(answer(b"%2\r\n:2\r\n:9\r\n:1\r\n:8\r\n")).items[1].number == 8
    assert alike(answer(b":100\r\n"), answer(b":110\r\n"), within=10)
    assert not alike(answer(b":100\r\n"), answer(b":111\r\n"), within=10)
    assert not alike(answer(b":0\r\n"), answer(b":-1\r\n"), within=10)


def test_a_difference_is_told_with_its_history(pair: Pair) -> None:
    pair.flush()
    talk = pair.resp2
    talk.same("SET", "k", "ours and theirs")
    pair.tell_redis("SET", "k", "theirs")
    with pytest.raises(Mismatch, match=r"(?s)redis: b'theirs'.*ours: .*SET k ours and theirs.*GET k"):
        talk.same("GET", "k")


def test_a_connection_that_ends_reads_as_closed(pair: Pair) -> None:
    pair.flush()
    assert pair.resp3.same_raw(b"*1\r\n:\r\n", replies=2) == CLOSED
