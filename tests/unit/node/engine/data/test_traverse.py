"""An iteration returns every key that is there all the while, in pieces of bounded size; a random key is any key."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossamer.cluster import build
from gossamer.node.engine.data.changes import DEL, SET
from gossamer.node.engine.data.contents import CLUSTER_SHIFT, STANDALONE_SHIFT
from gossamer.node.engine.data.database import Database
from gossamer.node.engine.data.traverse import any_key, piece

BUCKET = 32
"""Keys that stand together in a table come together, so a piece may have a few more than were asked for."""
SHIFTS = [STANDALONE_SHIFT, CLUSTER_SHIFT]


def filled(names: list[bytes], shift: int = STANDALONE_SHIFT) -> Database:
    db = Database(0, shift)
    for name in names:
        db.store(db.part_of(name), name, b"v", SET)
    return db


def names(count: int, tagged: bool) -> list[bytes]:
    return [(b"{one slot}%d" if tagged else b"key:%d") % n for n in range(count)]


def iterate(db: Database, count: int) -> list[list[bytes]]:
    pages = []
    cursor = 0
    while True:
        cursor, keys = piece(db, cursor, count)
        pages.append(keys)
        if cursor == 0:
            return pages


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize("tagged", [False, True])
@pytest.mark.parametrize("count", [1, 10, 100, 1 << 62])
def test_each_key_is_returned_once_if_nothing_changes(shift: int, tagged: bool, count: int) -> None:
    keys = names(3000, tagged)
    pages = iterate(filled(keys, shift), count)
    assert sorted(key for page in pages for key in page) == sorted(keys)
    assert max(len(page) for page in pages) <= count + BUCKET


@pytest.mark.parametrize("shift", SHIFTS)
@settings(max_examples=40 if build.name() == "compiled" else 15)
@given(st.integers(0, 2**32), st.booleans(), st.integers(1, 40), st.sampled_from([0, 300, 900]))
def test_what_is_there_throughout_is_returned_under_any_changes(
    shift: int, seed: int, tagged: bool, count: int, size: int
) -> None:
    """Between two pieces keys are added and deleted, and other iterations run."""
    rng = Random(seed)
    keys = names(2 * size, tagged)
    staying = set(rng.sample(keys, size // 2))
    db = filled([key for key in keys if key in staying or rng.random() < 0.5], shift)
    cursors = [0] * 18
    found: set[bytes] = set()
    ended = False
    while not ended:
        for n, cursor in enumerate(cursors):
            cursors[n], got = piece(db, cursor, count)
            if n == 0:
                found.update(got)
                ended = cursors[0] == 0
        for key in rng.sample(keys, min(len(keys), 5)):
            part = db.part_of(key)
            if key not in staying and not db.delete(part, key, DEL):
                db.store(part, key, b"v", SET)
    assert found >= staying


def test_an_iteration_sees_what_came_after_another_one_had_begun() -> None:
    db = filled(names(1000, True))
    first, _ = piece(db, 0, 10)
    late = b"{one slot}late"
    db.store(db.part_of(late), late, b"v", SET)
    assert any(late in page for page in iterate(db, 10))
    assert first != 0


@pytest.mark.parametrize("shift", SHIFTS)
@given(st.integers(0, 2**64 - 1))
def test_any_cursor_is_answered(shift: int, cursor: int) -> None:
    after, keys = piece(filled(names(50, False), shift), cursor, 10)
    assert 0 <= after < 2**64
    assert len(keys) <= 10 + BUCKET


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize(("count", "tagged"), [(1, False), (7, False), (40, True), (600, True)])
def test_all_keys_are_drawn_about_equally(shift: int, count: int, tagged: bool) -> None:
    db = filled(names(count, tagged), shift)
    rng = Random(1)
    drawn = Counter(any_key(db, rng) for _ in range(count * 50))
    assert len(drawn) == count
    assert max(drawn.values()) <= 100
    assert min(drawn.values()) >= 15


def test_parts_are_drawn_by_their_size_where_there_are_many() -> None:
    lone = names(20_000, False)
    db = filled(lone + names(20_000, True), CLUSTER_SHIFT)
    rng = Random(2)
    tagged = sum((any_key(db, rng) or b"").startswith(b"{") for _ in range(200))
    assert tagged < 200
    assert any_key(Database(0), rng) is None


def test_every_key_is_drawn_while_it_is_there_and_none_afterwards() -> None:
    keys = names(1000, True)
    db = filled(keys)
    rng = Random(3)
    while (key := any_key(db, rng)) is not None:
        assert db.delete(db.part_of(key), key, DEL)
    assert db.size == 0
