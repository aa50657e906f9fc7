"""Slots with their keys from one node to another, while clients go on.

Nodes that both know CLUSTER MIGRATESLOTS (ours, Valkey 9) do it between themselves, many slots at a time, and hand over
at once. Others are led through SETSLOT and MIGRATE slot by slot, as redis-cli does it; so are slots that an earlier
attempt has left open.

It can be broken off. Asked to end once, what is under way is finished; asked again, it is given up: a migration between
nodes is cancelled, a slot that moves key by key stays open. Open slots are served by both nodes, and the next plan
finishes them first (``gossamer.cluster.plan.finish``).
"""

import time
from collections.abc import Collection, Sequence
from typing import Final

from gossamer.cluster.balance import Range, size
from gossamer.cluster.plan import Move
from gossamer.cluster.text import text_of
from gossamer.cluster.topology import Node, ranges
from gossamer.deploy.blocking_client import Answer, Refused
from gossamer.deploy.cluster.migrations import ENDED, SUCCESS, exports, understands
from gossamer.deploy.cluster.progress import Progress
from gossamer.deploy.cluster.survey import Contact, Survey
from gossamer.deploy.signals import Interrupted, Signals
from gossamer.deploy.user_error import UserError

TOGETHER: Final = 1024
"""Slots in one migration between nodes: few enough to see progress, and to wait for the end when asked to stop."""

OPEN: Final = 16
"""Slots that are opened and closed together when keys are moved one by one: a hard stop leaves no more behind."""

KEYS: Final = 100
"""In one MIGRATE."""

MIGRATE_MS: Final = 60_000
POLL_S: Final = 0.02


class Failed(Exception):
    """The nodes gave up a migration between them; says why."""


class Mover:
    """Moves slots between the nodes of ``survey``."""

    def __init__(self, survey: Survey, progress: Progress, signals: Signals) -> None:
        self._survey = survey
        self._progress = progress
        self._signals = signals
        self._patient = False

    def move(self, move: Move) -> None:
        """Interrupted if somebody asked to end, after what was under way; UserError if a node refuses."""
        source, target = self._survey.contacts[move.source], self._survey.contacts[move.target]
        left = list(move.ranges)
        if is_atomic(move, self._survey):
            for part in portions(left, TOGETHER):
                self._signals.check()
                try:
                    self._together(source, target, part)
                except Failed as failure:
                    self._progress.say(f"{source.address} and {target.address} gave up: {failure}; key by key instead")
                    break
                left = without(left, part)
        for part in portions(left, OPEN):
            self._signals.check()
            slots = [slot for first, last in part for slot in range(first, last + 1)]
            self._key_by_key(source, target, slots, move.half_way)

    # --- between the nodes

    def _together(self, source: Contact, target: Contact, part: Sequence[Range]) -> None:
        """Failed if the nodes give it up: nothing has changed then."""
        keys = count_keys(source, part)
        before = {job["name"] for job in exports(source)}
        bounds = [bound for piece in part for bound in piece]
        (answer,) = source.client.ask_all([("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", *bounds, "NODE", target.id)])
        if isinstance(answer, Refused):
            raise Failed(str(answer))
        while (end := self._end(source, target, before)) is None:
            if self._given_up():
                source.demand("CLUSTER", "CANCELSLOTMIGRATIONS")
                raise Interrupted
            time.sleep(POLL_S)
        # who gives its last slot becomes a replica, and one of Valkey's forgets its jobs with the data it had
        if end and not _owns(target, part):
            raise Failed(end)
        self._progress.moved(size(part), keys)

    def _end(self, source: Contact, target: Contact, before: Collection[str]) -> str | None:
        """How the migration that was not there ``before`` has ended: "" well, or why not; None while it goes on."""
        for job in exports(source):
            if job["name"] not in before and job["target_node"] == target.id:
                state = job["state"]
                return (job["message"] or state) * (state != SUCCESS) if state in ENDED else None
        return "the source has forgotten it"

    def _given_up(self) -> bool:
        """Whether somebody has asked to end twice; who has asked once is told what is waited for."""
        more = self._signals.more()
        if self._signals.asked_to_end and not self._patient:
            self._patient = True
            self._progress.say("finishing what is under way; Ctrl-C again gives it up")
        return more

    # --- key by key

    def _key_by_key(self, source: Contact, target: Contact, slots: Sequence[int], half_way: bool) -> None:
        self._tell(target, [("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id) for slot in slots], begun=half_way)
        self._tell(source, [("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id) for slot in slots], begun=half_way)
        place = self._survey.views[source.id].nodes[target.id]  # where the source reaches it, which may not be our way
        for slot in slots:
            keys = self._empty(source, place, slot)
            self._progress.moved(1, keys)
        closing = [("CLUSTER", "SETSLOT", slot, "NODE", target.id) for slot in slots]
        self._tell(target, closing, begun=False)  # first: from now on it claims them, and tells everybody
        self._tell(source, closing, begun=True)  # it may have heard so from the target, and have become its replica

    def _tell(self, contact: Contact, orders: Sequence[tuple[str | int, ...]], begun: bool) -> None:
        """``begun``: the node may have come further already."""
        for words, answer in zip(orders, contact.client.ask_all(orders), strict=True):
            if isinstance(answer, Refused) and not (begun and _is_done_already(str(answer))):
                raise UserError(f"{contact.address} refused {' '.join(map(str, words))}: {answer}")

    def _empty(self, source: Contact, place: Node, slot: int) -> int:
        """Move all keys of an open slot; how many that were.

        REPLACE, for as long as the source has a key it is the source that answers for it: what the target holds under
        the same name is what an attempt that was cut short has left there.
        """
        moved = 0
        while keys := _strings(source.client.ask("CLUSTER", "GETKEYSINSLOT", slot, KEYS)):
            if self._signals.more():
                raise Interrupted
            words: list[str | int] = [
                "MIGRATE",
                place.ip,
                place.port,
                "",
                0,
                MIGRATE_MS,
                "REPLACE",
                *self._identity(),
                "KEYS",
                *keys,
            ]
            (answer,) = source.client.ask_all([words])
            if isinstance(answer, Refused):
                raise UserError(f"slot {slot} is half moved, {source.address} refused to MIGRATE its keys: {answer}")
            moved += len(keys)
        return moved

    def _identity(self) -> tuple[str, ...]:
        access = self._survey.access
        if not access.password:
            return ()
        return ("AUTH2", access.user, access.password) if access.user else ("AUTH", access.password)


def is_atomic(move: Move, survey: Survey) -> bool:
    """Whether both nodes know how to move slots between themselves, and these slots are not half way already."""
    return not move.half_way and all(understands(survey.contacts[node]) for node in (move.source, move.target))


def _is_done_already(text: str) -> bool:
    """What a node says to SETSLOT if the attempt before had come to that point."""
    return any(words in text for words in ("already the owner", "not the owner", "only with masters"))


def _owns(target: Contact, part: Sequence[Range]) -> bool:
    owners = target.view().owners
    return all(owners[slot] == target.id for first, last in part for slot in range(first, last + 1))


def count_keys(contact: Contact, part: Sequence[Range]) -> int:
    slots = [slot for first, last in part for slot in range(first, last + 1)]
    counts = contact.client.ask_all([("CLUSTER", "COUNTKEYSINSLOT", slot) for slot in slots])
    return sum(count for count in counts if isinstance(count, int))


def portions(pieces: Sequence[Range], count: int) -> list[list[Range]]:
    """``pieces`` in lists of ``count`` slots, the last one perhaps shorter."""
    slots = [slot for first, last in pieces for slot in range(first, last + 1)]
    return [ranges(slots[at : at + count]) for at in range(0, len(slots), count)]


def without(pieces: Sequence[Range], part: Sequence[Range]) -> list[Range]:
    gone = {slot for first, last in part for slot in range(first, last + 1)}
    return ranges([slot for first, last in pieces for slot in range(first, last + 1) if slot not in gone])


def _strings(answer: Answer) -> list[str]:
    assert isinstance(answer, list)
    return [text_of(word) for word in answer if isinstance(word, bytes)]
