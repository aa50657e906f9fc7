"""Keys on their way into a target, each to whoever owns its slot, and what becomes of each.

A node that no longer has a slot says so (MOVED, ASK), and is believed. What cannot be done for the time being (a
failover, a node that is loading) is tried again. Anything else ends it, with the key in the message.
"""

import time
from collections import deque
from enum import Enum
from typing import Final

from gossamer.cluster.slots import SLOTS
from gossamer.deploy.backup.entry import Entry
from gossamer.deploy.backup.pipe import Pipe
from gossamer.deploy.backup.target import Place, Target
from gossamer.deploy.blocking_client import Answer, Refused, encode
from gossamer.deploy.cluster.survey import reason
from gossamer.deploy.signals import Signals
from gossamer.deploy.user_error import UserError

PATIENCE_S: Final = 30.0
"""So long is a key tried again: longer than a failover takes."""
PAUSE_S: Final = 0.1
UNDER_WAY: Final = 1
"""Batches of which the replies are awaited while the next batch is made."""
MOST_MOVES: Final = 8
FOR_NOW: Final = ("TRYAGAIN", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "READONLY", "BUSY ", "NOREPLICAS", "UNACKED")
"""How refusals begin that pass."""


class Present(Enum):
    """What becomes of a key that is there already."""

    REFUSE = "nothing may be there"
    MERGE = "it stays"
    REPLACE = "it is replaced"


class Sender:
    """``send`` keys, then ``finish``. UserError, Interrupted."""

    def __init__(self, target: Target, signals: Signals) -> None:
        self.target = target
        self.there = [0] * SLOTS
        """Keys by slot that are there now: restored, or there before."""
        self.volatile = [0] * SLOTS
        """Of them those that end one day."""
        self.restored = 0
        self.kept = 0
        """Keys that were there before, and have stayed."""
        self.asked = False
        """Some keys went to a node that is still importing their slot."""
        self._signals = signals
        self._ready: deque[tuple[Entry, Place, bool]] = deque()
        """Where they are to be sent again, and whether with ASKING."""
        self._later: list[Entry] = []
        self._trouble = ""
        """Why the last of ``_later`` is there."""

    def send(self, entry: Entry) -> None:
        if entry.payload_size > self.target.max_bulk:
            raise UserError(
                f"{entry} takes {entry.payload_size:,} bytes, more than the target's proto-max-bulk-len allows "
                f"({self.target.max_bulk:,})"
            )
        self._put(entry, self.target.owner(entry.slot), False)
        self._go_on()

    def finish(self) -> None:
        """Until all have been answered."""
        while self._later or self._ready or any(not pipe.empty for pipe in self.target.pipes):
            for pipe in self.target.pipes:
                self._exchange(pipe, 0)
            self._go_on()

    def load_functions(self, sources: list[bytes], replace: bool) -> str:
        """Libraries of functions, to every primary; why they could not be loaded, empty if they could. To be called
        when nothing is under way."""
        for place in dict.fromkeys(self.target.owners):
            client = self.target.pipe(place).client
            for source in sources:
                words = [b"FUNCTION", b"LOAD", *([b"REPLACE"] if replace else []), source]
                client.send(encode(words))
                answer = client.receive()
                if isinstance(answer, Refused) and not str(answer).endswith("already exists"):
                    unknown = str(answer).startswith("ERR unknown command")
                    return "the target does not know them" if unknown else str(answer)
        return ""

    def _go_on(self) -> None:
        while self._ready or self._later:
            while self._ready:
                self._put(*self._ready.popleft())
            if self._later:
                self._try_again()

    def _put(self, entry: Entry, place: Place, asking: bool) -> None:
        try:
            pipe = self.target.pipe(place)
        except OSError as error:
            self._not_now(entry, f"{place[0]}:{place[1]} cannot be reached: {reason(error)}")
            return
        pipe.put(entry, asking)
        if pipe.full:
            self._signals.check()
            self._exchange(pipe, UNDER_WAY)

    def _exchange(self, pipe: Pipe, leave: int) -> None:
        """Send what is there, and see to the replies until those to ``leave`` batches are still to come."""
        try:
            pipe.send()
            while pipe.awaited > leave:
                for entry, answer in pipe.receive():
                    self._judge(entry, answer, pipe)
        except OSError as error:
            self.target.forget(pipe)
            for entry in pipe.abandon():
                self._not_now(entry, f"{pipe.address} does not answer: {reason(error)}")

    def _judge(self, entry: Entry, answer: Answer, pipe: Pipe) -> None:
        if answer == b"OK":
            self._is_there(entry)
            self.restored += 1
            return
        text = str(answer)
        word, _, rest = text.partition(" ")
        if word == "BUSYKEY":
            self._is_there(entry)
            if entry.maybe_there:
                self.restored += 1
            else:
                self.kept += 1
        elif word in ("MOVED", "ASK") and entry.moves < MOST_MOVES:
            entry.moves += 1
            host, _, port = rest.partition(" ")[2].rpartition(":")
            place = host or pipe.host, int(port)
            if word == "MOVED" and self.target.clustered:
                self.target.owners[entry.slot] = place
            else:
                self.asked = True
            self._ready.append((entry, place, word == "ASK"))
        elif text.startswith(FOR_NOW) or word in ("MOVED", "ASK"):
            entry.maybe_there = entry.maybe_there or word == "UNACKED"
            self._not_now(entry, f"{pipe.address}: {text}")
        else:
            raise UserError(f"{pipe.address} does not take {entry}: {text}{advice(text)}")

    def _is_there(self, entry: Entry) -> None:
        slot = entry.slot if self.target.clustered else 0
        self.there[slot] += 1
        self.volatile[slot] += entry.volatile

    def _not_now(self, entry: Entry, why: str) -> None:
        now = time.monotonic()
        entry.since = entry.since or now
        self._trouble = why
        if now - entry.since > PATIENCE_S:
            raise UserError(f"{why} (for {PATIENCE_S:.0f} s by now)")
        self._later.append(entry)

    def _try_again(self) -> None:
        """After a moment, and a look at who owns what now."""
        self._signals.check()
        self._signals.wait(PAUSE_S)
        self.target.refresh()
        again, self._later = self._later, []
        for entry in again:
            entry.moves = 0
            self._ready.append((entry, self.target.owner(entry.slot), False))


def advice(text: str) -> str:
    """What the operator can do about a refusal."""
    if text.startswith("OOM"):
        return " (the target's maxmemory is reached)"
    if text.startswith(("ERR DUMP payload version", "ERR Bad data format")):
        return " (a type of data, or a form of it, that the target does not know)"
    return ""
