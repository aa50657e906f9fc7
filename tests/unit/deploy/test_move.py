"""Whatever becomes of a migration between nodes, the slots arrive, or who asked to stop is told the truth.

The nodes are two of paper: ``Paper`` answers as a node would, and ``script`` has the states that the source tells of
its migration, one a question.
"""

from collections.abc import Sequence
from typing import cast

import pytest

from gossamer.cluster.plan import Move
from gossamer.cluster.slots import SLOTS
from gossamer.cluster.topology import Node, Topology
from gossamer.deploy.blocking_client import Answer, BlockingClient, Refused
from gossamer.deploy.cluster.move import Mover, portions, without
from gossamer.deploy.cluster.survey import Access, Contact, Survey
from gossamer.deploy.signals import Interrupted, Signals

Words = Sequence[str | int]


class Paper:
    """A connection to a node that is not there."""

    def __init__(self, script: Sequence[str] = ()) -> None:
        self.heard: list[Words] = []
        self.takes_over = False
        self._script = list(script)
        self._begun = False

    def ask_all(self, commands: Sequence[Words]) -> list[Answer]:
        self.heard += commands
        return [self._answer(words) for words in commands]

    def ask(self, *words: str | int) -> Answer:
        return self.ask_all([words])[0]

    def orders(self) -> list[str]:
        """The words that follow CLUSTER in what it was told to do."""
        told = [" ".join(map(str, words[1:])) for words in self.heard if words[0] == "CLUSTER"]
        return [order for order in told if order.startswith(("SETSLOT", "MIGRATESLOTS", "CANCEL"))]

    def _answer(self, words: Words) -> Answer:
        match words:
            case ("COMMAND", *_):
                return [b"understood"]
            case ("CLUSTER", "MIGRATESLOTS", *_):
                self._begun = True
                return b"OK" if self._script else Refused("ERR not now")
            case ("CLUSTER", "GETSLOTMIGRATIONS"):
                return [self._job()] if self._begun else []
            case ("CLUSTER", "GETKEYSINSLOT", *_):
                return []
            case ("CLUSTER", "COUNTKEYSINSLOT", *_):
                return 2
        return b"OK"

    def _job(self) -> Answer:
        state = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        message = b"it is broken" if state == "failed" else b""
        told = (b"name", b"job", b"operation", b"EXPORT", b"target_node", b"b", b"state", state.encode())
        return [*told, b"message", message]


class Pair:
    """A source ``a`` and a target ``b``, and what is told meanwhile."""

    def __init__(self, script: Sequence[str], owner: str = "a") -> None:
        self.source, self.target = Paper(script), Paper()
        nodes = {name: Node(name, "h", 7000, 17000) for name in "ab"}
        self._view = Topology("b", nodes, (owner,) * SLOTS)
        self.survey = Survey(Access())
        for name, paper in (("a", self.source), ("b", self.target)):
            self.survey.contacts[name] = OnPaper(name, self._view, cast(BlockingClient, paper))
            self.survey.views[name] = self._view
        self.said: list[str] = []
        self.slots = self.keys = 0
        self.signals = Asked()
        self.mover = Mover(self.survey, self, self.signals)

    def say(self, text: str) -> None:
        self.said.append(text)

    def moved(self, slots: int, keys: int) -> None:
        self.slots += slots
        self.keys += keys

    def __enter__(self) -> "Pair":
        return self

    def __exit__(self, *_: object) -> None: ...


class OnPaper(Contact):
    def __init__(self, name: str, view: Topology, wire: BlockingClient) -> None:
        super().__init__(name, "h", 7000, wire)
        self._view = view

    def view(self) -> Topology:
        return self._view


class Asked(Signals):
    """Signals that come when ``after`` questions have been asked."""

    def __init__(self) -> None:
        super().__init__()
        self.after: list[int] = []
        self._questions = 0

    def wait(self, timeout_s: float) -> None:
        self._questions += 1
        self.asked_to_end = sum(self._questions > after for after in self.after)


MOVE = Move("a", "b", [(0, 9)])
ORDER = "MIGRATESLOTS SLOTSRANGE 0 9 NODE b"


def test_a_migration_is_waited_for_and_counted_with_its_keys() -> None:
    pair = Pair(["connecting", "snapshotting", "success"])
    pair.mover.move(MOVE)
    assert pair.source.orders() == [ORDER]
    assert pair.target.orders() == []
    assert (pair.slots, pair.keys, pair.said) == (10, 20, [])


def test_many_slots_go_in_portions() -> None:
    assert portions([(0, 9), (20, 24)], 12) == [[(0, 9), (20, 21)], [(22, 24)]]
    assert without([(0, 9), (20, 24)], [(5, 9), (20, 20)]) == [(0, 4), (21, 24)]


@pytest.mark.parametrize(("script", "why"), [(["snapshotting", "failed"], "it is broken"), ([], "ERR not now")])
def test_what_the_nodes_give_up_is_done_key_by_key(script: list[str], why: str) -> None:
    pair = Pair(script)
    pair.mover.move(MOVE)
    assert pair.said == [f"h:7000 and h:7000 gave up: {why}; key by key instead"]
    assert pair.source.orders() == [
        ORDER,
        *(f"SETSLOT {slot} MIGRATING b" for slot in range(10)),
        *(f"SETSLOT {slot} NODE b" for slot in range(10)),
    ]
    assert pair.target.orders() == [
        *(f"SETSLOT {slot} IMPORTING a" for slot in range(10)),
        *(f"SETSLOT {slot} NODE b" for slot in range(10)),
    ]
    assert pair.slots == 10


def test_a_failure_after_which_the_target_has_the_slots_was_none() -> None:
    """Whatever the source says of it: it may have become a replica, and have lost its jobs with its data."""
    pair = Pair(["snapshotting", "failed"], owner="b")
    pair.mover.move(MOVE)
    assert (pair.slots, pair.said, pair.target.orders()) == (10, [], [])


def test_who_asks_once_waits_for_what_is_under_way_and_no_more_is_begun() -> None:
    pair = Pair(["connecting", "connecting", "success"])
    pair.signals.after = [1]
    pair.mover.move(MOVE)
    assert pair.said == ["finishing what is under way; Ctrl-C again gives it up"]
    assert pair.slots == 10
    with pytest.raises(Interrupted):
        pair.mover.move(MOVE)
    assert pair.source.orders() == [ORDER]


def test_who_asks_twice_has_it_cancelled() -> None:
    pair = Pair(["connecting"])
    pair.signals.after = [1, 2]
    with pytest.raises(Interrupted):
        pair.mover.move(MOVE)
    assert pair.source.orders() == [ORDER, "CANCELSLOTMIGRATIONS"]
    assert pair.slots == 0


def test_slots_that_are_half_way_go_key_by_key_from_the_start() -> None:
    pair = Pair(["success"])
    pair.mover.move(Move("a", "b", [(3, 3)], half_way=True))
    assert pair.source.orders() == ["SETSLOT 3 MIGRATING b", "SETSLOT 3 NODE b"]
    assert pair.target.orders() == ["SETSLOT 3 IMPORTING a", "SETSLOT 3 NODE b"]
