"""A few seeds with every run of the tests; ``GOSSAMER_SIM_SEEDS=500`` for many, ``GOSSAMER_SIM_SEEDS=200..299`` for
others.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sim.__main__ import tell_failure
from tests.sim.swarm import Run

ROOT = Path(__file__).parent.parent.parent


def seeds(share: int = 1) -> range:
    """The seeds to be run; only the first of them where ``share`` says that they are costly: so many times fewer."""
    first, _, last = os.environ.get("GOSSAMER_SIM_SEEDS", "12").rpartition("..")
    start = int(first or 1)
    return range(start, start + max(1, (int(last) + 1 - start) // share))


@pytest.mark.parametrize("seed", seeds())
def test_whatever_happens_the_nodes_agree_in_the_end(seed: int) -> None:
    run = Run(seed)
    try:
        run.go()
    except Exception as error:
        tell_failure(seed, "", run, error)
        raise


def digest(seed: int, hash_seed: str) -> str:
    """What the command prints for a seed, in a process of its own."""
    command = [sys.executable, "-m", "tests.sim", "--seed", str(seed), "--nodes", "4"]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.split()[2]


def test_one_seed_is_one_history() -> None:
    """Whatever the process: nothing depends on the order of sets or on the hashes of strings."""
    run = Run(7, 4)
    run.go()
    assert digest(7, "1") == digest(7, "2") == run.world.history.digest()


def test_another_seed_is_another_history() -> None:
    one, other = Run(3), Run(4)
    one.go()
    other.go()
    assert one.world.history.digest() != other.world.history.digest()
