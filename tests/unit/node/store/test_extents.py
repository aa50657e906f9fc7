"""Extents of a file: none is given out twice, and what is given back is found again."""

from random import Random

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gossamer.node.store.extents import Extents, class_for, class_of

SIZES = st.one_of(st.integers(1, 20), st.integers(1, 3000))


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.extents = Extents()
        self.taken: dict[int, int] = {}

    @rule(size=SIZES)
    def take(self, size: int) -> None:
        start = self.extents.take(size)
        assert not any(start < other + length and other < start + size for other, length in self.taken.items())
        self.taken[start] = size

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def give(self, data: st.DataObject) -> None:
        start = data.draw(st.sampled_from(sorted(self.taken)))
        self.extents.give(start, self.taken.pop(start))

    @invariant()
    def all_is_taken_or_free(self) -> None:
        """And no two free extents stand side by side, nor one at the end."""
        free = self.extents.free()
        at = 0
        was_free = False
        for start, size in sorted([*self.taken.items(), *free]):
            assert start == at
            is_free = (start, size) in free
            assert not (was_free and is_free)
            was_free = is_free
            at += size
        assert at == self.extents.end
        assert not was_free
        assert self.extents.used == sum(self.taken.values())


TestExtents = Machine.TestCase


def test_any_extent_of_the_class_for_a_size_is_large_enough() -> None:
    for size in range(1, 3000):
        assert class_of(size) <= class_for(size) <= class_of(size) + 1
        assert class_of(size) <= class_of(size + 1)
        assert all(class_of(smaller) < class_for(size) for smaller in range(max(1, size - size // 4), size))


def test_a_file_that_changes_all_the_time_stays_small() -> None:
    rng = Random(1)
    extents = Extents()
    taken: list[tuple[int, int]] = []
    most = 0
    for _ in range(20_000):
        if len(taken) > 500:
            extents.give(*taken.pop(rng.randrange(len(taken))))
        size = rng.choice((10, 17, 150, 1500)) + rng.randrange(10)
        taken.append((extents.take(size), size))
        most = max(most, extents.used)
    assert extents.end < most * 1.5
    for start, size in taken:
        extents.give(start, size)
    assert (extents.end, extents.free()) == (0, [])
