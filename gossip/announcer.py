"""When to speak unasked: news that should not wait for somebody's next ping.

Real nodes take an unsolicited PONG as they take any other, so it is how slots, epochs and newcomers are told within
milliseconds. What keeps that from becoming a flood:
- News is collected for a moment, and announcements keep a distance that grows with their audience: whatever happens, a
  node says no more than 500 messages a second unasked, and 20 to each other node.
- A newcomer is introduced only by the node that shook hands with it, never by those that learned of it by gossip.
- An epoch that was taken by CLUSTER BUMPEPOCH waits a second, for that is a step of a repair which is not over. No
  message shows it meanwhile, nor the slots that were taken with it.
- A suspicion, which every node has at about the same time, is reported to a few voters only, and so is its retraction.
  Half of them are the same for all who suspect that node: so a majority of opinions comes together at one place,
  however large the cluster is. These messages tell of hardly anybody else.
"""

from typing import Final

from gossamer.cluster.topology import Flag, Millis, NodeId
from gossamer.gossip.messages import INTRODUCED, Messages
from gossamer.gossip.peers import Peer
from gossamer.gossip.tables import Tables

COLLECT_MS: Final = 10
REPAIR_MS: Final = 1000
DISTANCE_MS: Final = 50
DISTANCE_MS_PER_MESSAGE: Final = 2
FEW_VOTERS: Final = 20


class Announcer:
    """Owns the news that has not been sent yet. ``due`` is when it will be."""

    def __init__(self, tables: Tables, messages: Messages) -> None:
        self.due: Millis | None = None
        self._newcomers: list[Peer] = []
        self._overdue: list[Peer] = []
        self._to_all = False
        self._not_before: Millis = 0
        self._peers = tables.peers
        self._messages = messages
        self._rng = tables.rng

    def announce(self, now: Millis) -> None:
        """Something about this node has changed: tell everybody, in a moment."""
        self._to_all = True
        self._schedule(now)

    def leave_time_to_repair(self, now: Millis) -> None:
        """Say nothing of a new epoch yet: whoever took it by command may still have to tell the last owner of a slot.

        ``redis-cli --cluster fix`` gives a slot to one node, and only then tells the other that it imports the slot and
        moves its keys. If that node heard of the epoch first, it would delete its keys as those of a slot that it lost.
        """
        self._to_all = True
        self._messages.claims_held = True
        self.due = self._not_before = now + REPAIR_MS

    def introduce(self, peer: Peer, now: Millis) -> None:
        """Tell everybody of a node that we shook hands with, and tell it of everybody."""
        if peer not in self._newcomers:
            self._newcomers.append(peer)
        self.announce(now)

    def report_suspicion(self, now: Millis) -> None:
        """Tell a few voters whom we suspect: messages.py names every suspect anyway."""
        self._schedule(now)

    def retract(self, peer: Peer, now: Millis) -> None:
        """Tell a few voters that somebody whom we suspected is there."""
        if peer not in self._newcomers:
            self._newcomers.append(peer)
        self._schedule(now)

    def report_overdue(self, peer: Peer, now: Millis) -> None:
        """Tell a few voters that we wait for an answer of ``peer``."""
        self._overdue.append(peer)
        self._schedule(now)

    def send_due(self, now: Millis) -> None:
        """Send the news if it is due. Newcomers for whom one message has no room wait for the next."""
        if self.due is None or now < self.due:
            return
        self._messages.claims_held = False
        audience = self._peers.reachable()
        newcomers = [p for p in self._newcomers if self._peers.known(p.id) is p]
        overdue = [p for p in self._overdue if p.ping_sent and self._peers.known(p.id) is p]
        if not self._to_all:
            audience = self._few_voters(audience, [*self._peers.suspects, *(p.id for p in newcomers + overdue)])
        self._messages.unsolicited_pong(audience, newcomers[:INTRODUCED] + overdue, now, few=not self._to_all)
        self._overdue.clear()
        self.due, self._to_all = None, False
        self._not_before = now + max(DISTANCE_MS, DISTANCE_MS_PER_MESSAGE * len(audience))
        self._newcomers = newcomers[INTRODUCED:]
        if self._newcomers:
            self.announce(now)

    def _few_voters(self, reachable: list[Peer], about: list[NodeId]) -> list[Peer]:
        """The voters whose ids come next after those of the nodes in question, and others by chance."""
        voters = [p for p in reachable if p.is_voter and not p.flags & (Flag.PFAIL | Flag.FAIL)]
        if len(voters) <= FEW_VOTERS:
            return voters
        chosen: dict[NodeId, Peer] = {}
        for node in about[: FEW_VOTERS // 2]:
            after = sorted(voters, key=lambda p: (p.id <= node, p.id))
            chosen.update((p.id, p) for p in after[: max(1, FEW_VOTERS // 2 // len(about))])
        others = [p for p in voters if p.id not in chosen]
        return [*chosen.values(), *self._rng.sample(others, FEW_VOTERS - len(chosen))]

    def _schedule(self, now: Millis) -> None:
        if self.due is None:
            self.due = max(now + COLLECT_MS, self._not_before)
