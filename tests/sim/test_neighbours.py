"""Two clusters that touch; a third of ``GOSSAMER_SIM_SEEDS``, which is as in test_seeds.py."""

import pytest

from tests.sim.neighbours import Neighbours
from tests.sim.test_seeds import seeds

pytestmark = pytest.mark.once  # nothing of it is compiled


@pytest.mark.parametrize("seed", seeds(share=3))
def test_whatever_they_do_to_each_other_they_stay_two(seed: int) -> None:
    Neighbours(seed).go()
