"""When memory goes back to the system: in a quiet second, and if it is worth while."""

import platform
from pathlib import Path

import pytest

from gossamer.node.engine.edge import Edge
from gossamer.node.engine.server import Server
from gossamer.node.io import spare_memory
from gossamer.node.io.spare_memory import LOOK_MS, QUIET, WORTH, SpareMemory, give_back


class Resident(Edge):
    """A process of so many bytes."""

    size = 50 << 20

    def resident_memory(self) -> int:
        return self.size


class Watched:
    """A node and how often memory was given back, which brings it down to 50 MB."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.edge = Resident()
        self.server = Server(edge=self.edge)
        self.memory = SpareMemory(self.server)
        self.given = 0
        monkeypatch.setattr(spare_memory, "give_back", self._give_back)

    def _give_back(self) -> None:
        self.given += 1
        self.edge.size = Resident.size

    def look(self, requests: int = 0) -> int:
        self.server.now += LOOK_MS
        self.server.stats.total_commands_processed += requests
        self.memory.look()
        return self.given


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(monkeypatch)


def test_what_large_requests_have_left_is_given_back_once_all_is_quiet(node: Watched) -> None:
    node.edge.size += WORTH
    assert node.look(requests=QUIET) == 0
    assert node.look() == 1
    assert node.look() == 1, "nothing more has become spare"


def test_what_deleted_data_has_left_is_given_back(node: Watched) -> None:
    node.edge.size += 3 * WORTH
    node.server.keyspace.tally.held += 3 * WORTH
    assert node.look() == 0, "the data accounts for it"
    node.server.keyspace.tally.held = 0
    assert node.look() == 1


def test_little_is_not_worth_it(node: Watched) -> None:
    node.edge.size += WORTH - 1
    assert node.look() == 0


def test_it_looks_once_a_second(node: Watched) -> None:
    node.edge.size += WORTH
    node.server.now += LOOK_MS - 1
    node.memory.look()
    assert node.given == 0


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="others have no malloc_trim")
def test_holes_between_values_that_stay_go_back_to_the_system() -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    values = [bytes([1]) * 100_000 for _ in range(1000)]
    del values[::2]
    before = resident()
    give_back()
    assert resident() < before - (20 << 20)
    assert len(values) == 500
