"""``huge-pages``: asked for when the memory has grown, in a thread that ends with the node."""

import threading
from pathlib import Path

import pytest
import trio
import trio.testing

from gossamer.node.config import Config, load_text
from gossamer.node.io.huge_pages import GROWTH, HugePages
from gossamer.node.io.log import Log
from gossamer.node.io.startup import read_files
from gossamer.node.io.thp import Kernel, Piece
from gossamer.node.store import table

MB = 1 << 20


class FakeKernel(Kernel):
    """``asked``: for what, in order. A broken one raises ``error``."""

    def __init__(self, offer: str = "madvise") -> None:
        super().__init__("", "", lambda address, size, advice: 0)
        self.offer = offer
        self.asked: list[Piece] = []
        self.error: OSError | None = None

    def offers(self) -> str:
        return self.offer

    def pieces(self) -> list[Piece]:
        if self.error is not None:
            raise self.error
        return [(0, 2 * MB), (2 * MB, 2 * MB)]

    def collapse(self, piece: Piece) -> bool:
        self.asked.append(piece)
        return True


class Node:
    """What a node has of it."""

    def __init__(self, log: Path, kernel: FakeKernel, config: Config | None = None) -> None:
        self.kernel = kernel
        self.config = config or Config()
        self.log = log
        self.resident = 100 * MB
        self.huge_pages = HugePages(self.config, Log(str(log)), lambda: self.resident, kernel)

    async def rounds_of(self, *sizes: int) -> list[int]:
        """How many pieces were asked for in all, after the memory had each of these sizes and somebody looked."""
        asked = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.huge_pages.run)
            for self.resident in sizes:
                self.huge_pages.look()
                await self.settled()
                asked.append(len(self.kernel.asked))
            nursery.cancel_scope.cancel()
        return asked

    async def settled(self) -> None:
        await trio.testing.wait_all_tasks_blocked()
        while threads():
            await trio.testing.wait_all_tasks_blocked()


def from_file(text: str) -> Config:
    config = Config()
    load_text(config, text, "redis.conf", read_files)
    return config


def threads() -> int:
    return int(trio.to_thread.current_default_thread_limiter().borrowed_tokens)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What the table of keys is told."""
    told: list[bool] = []
    monkeypatch.setattr(table, "use_huge_pages", told.append)
    return told


@pytest.fixture
def node(tmp_path: Path, told: list[bool]) -> Node:
    return Node(tmp_path / "log", FakeKernel())


def test_it_is_asked_once_at_the_beginning_and_again_when_the_memory_has_grown(node: Node) -> None:
    sizes = (10 * MB, 10 * MB, 10 * MB + GROWTH - 1, 10 * MB + GROWTH, 160 * MB, 179 * MB, 180 * MB)
    assert trio.run(node.rounds_of, *sizes) == [2, 2, 2, 4, 6, 6, 8]


def test_memory_that_shrank_and_grew_again_is_asked_for_again(node: Node) -> None:
    assert trio.run(node.rounds_of, 160 * MB, 20 * MB, 30 * MB) == [2, 2, 4]


def test_it_is_on_by_default_and_the_table_of_keys_is_told(node: Node, told: list[bool]) -> None:
    assert node.config.get(["huge-pages"]) == {"huge-pages": "yes"}
    assert told == [True]


def test_a_file_can_switch_it_off(tmp_path: Path, told: list[bool]) -> None:
    node = Node(tmp_path / "log", FakeKernel(), from_file("huge-pages no\n"))
    assert trio.run(node.rounds_of, 100 * MB) == [0]
    assert told == [False]


def test_config_set_switches_it_on_and_off_and_config_rewrite_keeps_it(node: Node, told: list[bool]) -> None:
    node.config.set([("huge-pages", "no")])
    assert trio.run(node.rounds_of, 100 * MB) == [0]
    assert "huge-pages no" in node.config.rewrite("").splitlines()
    node.config.set([("huge-pages", "yes")])
    assert trio.run(node.rounds_of, 100 * MB) == [2]
    assert told == [True, False, True]


def test_patterns_do_not_find_a_directive_that_redis_does_not_have() -> None:
    assert "huge-pages" not in Config().get(["huge*"])


def test_disable_thp_of_redis_is_kept_and_changes_nothing(tmp_path: Path, told: list[bool]) -> None:
    node = Node(tmp_path / "log", FakeKernel(), from_file("disable-thp yes\n"))
    assert node.config.get(["disable-thp"]) == {"disable-thp": "yes"}
    assert node.config.ineffective_set() == ["disable-thp"]
    assert told == [True]


def test_a_kernel_that_offers_none_is_named_in_one_line_and_left_alone(tmp_path: Path, told: list[bool]) -> None:
    node = Node(tmp_path / "log", FakeKernel("never"))
    assert trio.run(node.rounds_of, 100 * MB, 300 * MB) == [0, 0]
    assert told == [False]
    assert len(node.log.read_text().splitlines()) == 1


def test_a_process_that_may_not_read_about_itself_stops_asking(node: Node) -> None:
    node.kernel.error = PermissionError(13, "Permission denied", "/proc/self/maps")
    assert trio.run(node.rounds_of, 100 * MB, 300 * MB) == [0, 0]
    assert len(node.log.read_text().splitlines()) == 1


def test_a_call_that_is_under_way_ends_before_the_node_and_no_other_begins(node: Node) -> None:
    begun, go_on = trio.Event(), threading.Event()
    ended: list[Piece] = []

    def collapse(piece: Piece) -> bool:
        trio.from_thread.run_sync(begun.set)
        go_on.wait(20)
        ended.append(piece)
        return True

    async def end_while_it_runs() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(node.huge_pages.run)
            node.huge_pages.look()
            await begun.wait()
            nursery.cancel_scope.cancel()
            go_on.set()
        assert threads() == 0

    node.kernel.collapse = collapse  # type: ignore[method-assign]
    trio.run(end_while_it_runs)
    assert ended == [(0, 2 * MB)]
