"""The bit-parallel table against the textbook's, and its length against Redis' limit."""

from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.commands.lcs import table, walk_back
from tests.unit.node.commands.one import One

TEXTS = st.text("abc", max_size=12).map(str.encode)


def length(a: bytes, b: bytes) -> int:
    row = [0] * (len(b) + 1)
    for x in a:
        before = row
        row = [0]
        for j, y in enumerate(b):
            row.append(before[j] + 1 if x == y else max(before[j + 1], row[j]))
    return row[-1]


@given(TEXTS, TEXTS)
def test_every_row_tells_the_length_for_every_prefix(a: bytes, b: bytes) -> None:
    for j, row in enumerate(table(a, b)):
        for i in range(len(a) + 1):
            assert i - (row & ((1 << i) - 1)).bit_count() == length(a[:i], b[:j])


@given(TEXTS, TEXTS)
def test_the_runs_are_a_common_subsequence_of_full_length(a: bytes, b: bytes) -> None:
    longest = length(a, b)
    runs = walk_back(a, b, table(a, b), longest)
    assert sum(run.size for run in runs) == longest
    at_a = at_b = 0
    for run in reversed(runs):
        assert run.at_a >= at_a
        assert run.at_b >= at_b
        at_a, at_b = run.at_a + run.size, run.at_b + run.size
        assert a[run.at_a : at_a] == b[run.at_b : at_b]


def test_a_table_too_large_for_redis_is_refused() -> None:
    one = One()
    one.server.limits.max_bulk = 400
    one.say("MSET", "a", "x" * 9, "b", "x" * 9, "c", "x" * 10)
    assert one.say("LCS", "a", "b", "LEN") == b":9\r\n"
    assert one.say("LCS", "a", "c", "LEN").startswith(b"-ERR Insufficient memory, transient memory for LCS exceeds")
