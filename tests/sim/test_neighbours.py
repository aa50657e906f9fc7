"""Two clusters that touch; ``GOSSAMER_SIM_SEEDS=500`` for many seeds, as in test_seeds.py."""

import pytest

from tests.sim.neighbours import Neighbours
from tests.sim.test_seeds import seeds

pytestmark = pytest.mark.once  # nothing of it is compiled


@pytest.mark.parametrize("seed", seeds())
def test_whatever_they_do_to_each_other_they_stay_two(seed: int) -> None:
    Neighbours(seed).go()
