"""What a power cut at any moment leaves of the append-only file."""

from random import Random

import pytest

from tests.unit.node.saving.appended import begin
from tests.unit.node.saving.disk import Disk, PowerCut

TICK_MS = 100


class Life:
    """Writes, one a tenth of a second, rewrites and switches; ``answered`` is until when each was, by number."""

    def __init__(self) -> None:
        self.answered: dict[int, int] = {}
        self.now = 0

    def go_on(self, disk: Disk, policy: str) -> None:
        keeper = begin(disk, appendfsync=policy)
        for number in range(60):
            self.now = number * TICK_MS
            keeper.at(self.now / 1000)
            if keeper.ask("RPUSH", "l", number).startswith(b":"):
                self.answered[number] = self.now
            if number % 20 == 5:
                keeper.ask("BGREWRITEAOF")
            if number == 40:
                keeper.ask("CONFIG", "SET", "appendonly", "no")
                keeper.ask("CONFIG", "SET", "appendonly", "yes")
            if number % 5 == 0 or number == 40:
                keeper.work()


@pytest.mark.parametrize(("policy", "most_ms"), [("always", 0), ("everysec", 1000 + TICK_MS)])
@pytest.mark.parametrize("seed", range(2))
def test_whenever_the_power_is_cut_no_more_is_lost_than_was_promised(seed: int, policy: str, most_ms: int) -> None:
    disk = Disk()
    Life().go_on(disk, policy)
    rng = Random(seed)
    for cut_in in range(disk.steps):
        life, disk = Life(), Disk()
        disk.cut_in = cut_in
        with pytest.raises(PowerCut):
            life.go_on(disk, policy)
        again = begin(disk.left(rng))
        found = [int(word) for word in again.ask("LRANGE", "l", 0, -1).split(b"\r\n")[2::2]]
        assert found == list(range(len(found))), "nothing is there twice, and nothing is missing in between"
        lost = [at for number, at in life.answered.items() if number >= len(found)]
        assert not lost or life.now - min(lost) <= most_ms, (
            f"cut before step {cut_in}: lost what was answered at {lost}"
        )
