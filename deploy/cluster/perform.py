"""Carry out a plan on a running cluster: one step after the other, and after each that matters all nodes agree.

What has been done stays done: whoever is interrupted, or fails, can make the plan again and gets the rest.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

from gossamer.cluster.checkup import Views
from gossamer.cluster.plan import Follow, Forget, Meet, Move, Step
from gossamer.cluster.topology import Flag, NodeId
from gossamer.deploy.blocking_client import Refused
from gossamer.deploy.cluster.health import SYNCING, unsynced_of
from gossamer.deploy.cluster.move import Mover
from gossamer.deploy.cluster.orders import appoint, commands
from gossamer.deploy.cluster.progress import Progress
from gossamer.deploy.cluster.survey import POLL_S, Survey, wait_for
from gossamer.deploy.signals import Signals
from gossamer.deploy.user_error import UserError

AGREE_S: Final = 60.0
"""How long it may take until all nodes have heard of a step."""


class Performer:
    """For the nodes of ``survey``, a newcomer among its contacts."""

    def __init__(self, survey: Survey, progress: Progress, signals: Signals) -> None:
        self._survey = survey
        self._progress = progress
        self._signals = signals
        self._mover = Mover(survey, progress, signals)

    def run(self, steps: Sequence[Step]) -> None:
        """Interrupted if somebody asks to end. UserError if a node refuses, or they do not agree in time."""
        for step in steps:
            self._signals.check()
            self._progress.say(describe(step, self._survey))
            match step:
                case Move():
                    self._move(step)
                case Meet():
                    self._meet(step)
                case Follow():
                    self._follow(step)
                case Forget():
                    self._forget(step.node)
                case _:
                    raise TypeError(f"{step} is for new clusters")

    def _move(self, step: Move) -> None:
        self._mover.move(step)
        slots = [slot for first, last in step.ranges for slot in range(first, last + 1)]

        def arrived(views: Views) -> bool:
            return all(view.owners[slot] == step.target for view in views.values() for slot in slots)

        self._wait(arrived, f"that {self._survey.address(step.target)} has its slots")

    def _meet(self, step: Meet) -> None:
        nodes = {node: view.myself for node, view in self._survey.views.items()}
        for words in commands(step, nodes):
            self._survey.contacts[step.node].demand(*words)
        everybody = set(self._survey.contacts)

        def acquainted(views: Views) -> bool:
            return all(
                everybody <= {node.id for node in view.nodes.values() if not node.has(Flag.HANDSHAKE)}
                for view in views.values()
            )

        self._wait(acquainted, f"that {self._survey.address(step.node)} is one of them")

    def _follow(self, step: Follow) -> None:
        appoint([step], {step.node: self._survey.contacts[step.node].client}, AGREE_S, self._signals.check)

        def follows(views: Views) -> bool:
            return all(view.nodes[step.node].primary == step.primary for view in views.values())

        self._wait(follows, f"that {describe(step, self._survey)}")
        self._sync(step.node)

    def _sync(self, replica: NodeId) -> None:
        """Wait as long as data arrives; UserError if it does not begin to in time."""
        deadline = time.monotonic() + AGREE_S
        while why := unsynced_of(self._survey).get(replica):
            self._signals.check()
            if why == SYNCING:
                deadline = time.monotonic() + AGREE_S
            if time.monotonic() > deadline:
                raise UserError(f"{self._survey.address(replica)} does not get its data: {why}")
            time.sleep(POLL_S)

    def _forget(self, leaving: NodeId) -> None:
        """The others first, all at once: who still knows it would tell the rest of it again."""
        contact = self._survey.contacts.pop(leaving, None)
        self._survey.silent.pop(leaving, None)
        for other in self._survey.contacts.values():
            (answer,) = other.client.ask_all([("CLUSTER", "FORGET", leaving)])
            if isinstance(answer, Refused) and "Unknown node" not in str(answer):
                raise UserError(f"{other.address} refused to forget it: {answer}")
        if contact is not None:
            try:
                contact.demand("CLUSTER", "RESET", "SOFT")
            finally:
                contact.client.close()
        self._wait(lambda views: all(leaving not in view.nodes for view in views.values()), "that it is gone")

    def _wait(self, is_so: Callable[[Views], bool], what: str) -> None:
        wait_for(self._survey, is_so, AGREE_S, what, self._signals.check)


def describe(step: Step, survey: Survey) -> str:
    """A step in words."""
    match step:
        case Move():
            pieces = ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in step.ranges)
            count = "1 slot" if step.size == 1 else f"{step.size} slots"
            half = ", begun before" if step.half_way else ""
            return f"{count} {survey.address(step.source)} → {survey.address(step.target)}: {pieces}{half}"
        case Meet():
            return f"{survey.address(step.node)} meets the other {len(step.others)} nodes"
        case Follow():
            return f"{survey.address(step.node)} follows {survey.address(step.primary)}"
        case Forget():
            return f"{survey.address(step.node)} is forgotten by all"
    raise TypeError(f"{step} is for new clusters")
