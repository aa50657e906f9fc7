"""Glob patterns mean what they mean in Redis 7.0.15 (every row here was asked of a real server with KEYS)."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.glob import glob_match


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        (b"", b"", True),
        (b"", b"a", False),
        (b"*", b"a", True),
        (b"*", b"", False),
        (b"a*", b"a", True),
        (b"h*llo", b"heeeello", True),
        (b"h?llo", b"hllo", False),
        (b"?*", b"a", True),
        (b"h[ae]llo", b"hallo", True),
        (b"h[ae]llo", b"hillo", False),
        (b"h[^e]llo", b"hello", False),
        (b"h[a-b]llo", b"hbllo", True),
        (b"[c-A]", b"B", True),
        (b"[a-]", b"^", True),
        (b"[A-C", b"B", True),
        (b"[]", b"]", False),
        (b"a[]]", b"a]", False),
        (b"[^]", b"x", True),
        (b"[^", b"x", True),
        (b"[", b"[", False),
        (b"[\\]]", b"]", True),
        (b"[\\", b"\\", True),
        (b"\\*", b"*", True),
        (b"\\*", b"a", False),
        (b"\\", b"\\", True),
        (b"a\\", b"a\\", True),
        (b"*a*b*c", b"xxaxxbxxc", True),
        (b"*\xff", b"a\xff", True),
        (b"a**", b"a", True),
    ],
)
def test_a_pattern_matches_as_in_redis(pattern: bytes, text: bytes, matches: bool) -> None:
    assert glob_match(pattern, text) is matches


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        (b"MAX*", b"maxmemory", True),
        (b"[A-C]x", b"bX", True),
        (b"[^A]", b"a", False),
        (b"\\A", b"a", True),
        (b"\xc4", b"\xe4", False),
    ],
)
def test_nocase_folds_ascii_letters_only(pattern: bytes, text: bytes, matches: bool) -> None:
    assert glob_match(pattern, text, True) is matches
    assert glob_match(pattern, text) is False or pattern == b"[^A]"


@given(st.text("ab*?", max_size=8), st.text("abc", min_size=1, max_size=12))
def test_stars_and_marks_agree_with_a_regular_expression(pattern: str, text: str) -> None:
    expression = pattern.replace("*", ".*").replace("?", ".")
    assert glob_match(pattern.encode(), text.encode()) == bool(re.fullmatch(expression, text))


def test_many_stars_cost_no_more_than_pattern_times_text() -> None:
    before = time.process_time()
    assert not glob_match(b"a*" * 50 + b"b", b"a" * 5000)
    assert time.process_time() - before < 5


def test_no_more_than_a_thousand_runs_of_stars_are_followed() -> None:
    text = b"a" * 3000
    assert glob_match(b"*?" * 1000, text)
    assert not glob_match(b"*?" * 1001, text)
    assert glob_match(b"*" * 2000 + b"a", text)
