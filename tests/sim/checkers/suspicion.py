"""Nobody that lives is suspected before it was silent for the node timeout: what is dead sooner was refused sooner.

A node is suspected (PFAIL) or failed (FAIL) at an observer. That is due if the observer, in the time in which it
attended to its links, has heard nothing of it for the node timeout; or if the process had been gone for the grace,
from the address at which the observer knows it: one that has moved and could not say so is gone from there.
Being told by others is the quorum's business (conviction.py), so a FAIL counts only for those that declare it.
What is told under another identity of the cluster is not heard, as there.
"""

from gossamer.cluster.topology import Flag, NodeId, Topology
from gossamer.gossip.packet import Ping
from gossamer.gossip.refusals import GRACE_MS
from tests.sim.checkers.checker import Checker
from tests.sim.checkers.conviction import tells_other_cluster
from tests.sim.history import Heard, Published, Record, Started, Stopped, Violation

SLACK_MS = 1100
"""Of the time that the observer attended: a tick, and a jump of its clock that is too small to be taken out."""

UNNOTICED_MS = 150
"""A process that lives for less between two absences is not seen by those who dial it with every tick."""

LATE_MS = 1500
"""How much later than the deed a view may show it: a tick, and a process that is slow or stopped."""

Place = tuple[NodeId, str]
"""A node and an address at which it is or was."""


class SuspicionNeedsSilenceOrDeath(Checker):
    kinds = (Started, Stopped, Heard, Published)

    def __init__(self) -> None:
        self._timeout_ms: dict[str, int] = {}
        self._views: dict[str, Topology] = {}
        self._heard: dict[tuple[str, NodeId], int] = {}
        self._places: dict[str, Place] = {}
        self._absences: dict[Place, list[tuple[int, int]]] = {}
        """When it was not there so far, in microseconds: from, until."""
        self._left: dict[Place, int] = {}
        """Since when it has not been there."""
        self.suspicions = 0
        self.hasty = 0

    def see(self, record: Record) -> None:
        match record:
            case Started():
                self._start(record)
            case Stopped():
                self._left[self._places[record.host]] = record.at_us
            case Heard():
                self._hear(record)
            case Published():
                self._publish(record)
            case _:
                pass

    def _start(self, record: Started) -> None:
        place = self._places[record.host] = (record.node, record.ip)
        self._views[record.host] = record.topology
        self._timeout_ms[record.host] = record.node_timeout_ms
        if place in self._left:
            add_absence(self._absences.setdefault(place, []), self._left.pop(place), record.at_us)
        for subject in record.topology.nodes:
            self._heard[record.host, subject] = 0

    def _hear(self, record: Heard) -> None:
        body = record.packet.body
        if not isinstance(body, Ping) or not tells_other_cluster(body, self._views[record.host]):
            self._heard[record.host, record.packet.sender] = record.attended_ms

    def _publish(self, record: Published) -> None:
        before, now = self._views[record.host], record.topology
        self._views[record.host] = now
        for node in now.nodes.values():
            known = before.nodes.get(node.id)
            if node.has(Flag.PFAIL) and known is not None and not known.has(Flag.PFAIL | Flag.FAIL):
                self._judge(record, node.id)

    def _judge(self, record: Published, subject: NodeId) -> None:
        self.suspicions += 1
        silent_ms = record.attended_ms - self._heard.get((record.host, subject), 0)
        if silent_ms >= self._timeout_ms[record.host] - SLACK_MS:
            return
        self.hasty += 1
        if not self._was_gone((subject, record.topology.nodes[subject].ip), record.at_us):
            raise Violation(f"{record.host} suspects {subject[:8]}, which lives, after a silence of {silent_ms} ms")

    def _was_gone(self, place: Place, at_us: int) -> bool:
        """For the grace, until a moment ago or still."""
        periods = list(self._absences.get(place, ()))
        if place in self._left:
            add_absence(periods, self._left[place], at_us)
        return any(until - since >= GRACE_MS * 1000 and until >= at_us - LATE_MS * 1000 for since, until in periods)


def add_absence(periods: list[tuple[int, int]], since: int, until: int) -> None:
    """One more, which is a part of the last one if what was between them could not be noticed."""
    if periods and since - periods[-1][1] < UNNOTICED_MS * 1000:
        since = periods.pop()[0]
    periods.append((since, until))
