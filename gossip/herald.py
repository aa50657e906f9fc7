"""When to speak unasked: news that should not wait for somebody's next ping.

Real nodes take an unsolicited PONG as they take any other, so it is how slots, epochs and newcomers are told within
milliseconds. What keeps that from becoming a flood:
- News is collected for a moment, and announcements keep a distance that grows with the cluster: whatever happens, a
  node says no more than 500 messages a second unasked in a cluster of more than 25 nodes, and 20 to each in a smaller.
- A newcomer is introduced only by the node that shook hands with it, never by those that learned of it by gossip.
- A suspicion, which every node has at about the same time, is told to a few voters only; so is that it was hasty. Half
  of them are the same for all who suspect that node, so that a majority of opinions comes together at one place however
  large the cluster is. These messages tell of hardly anybody else.
"""

from random import Random
from typing import Final

from gossamer.cluster.topology import Flag, Millis, NodeId
from gossamer.gossip.peers import Peer, Peers
from gossamer.gossip.voice import INTRODUCED, Voice

COLLECT_MS: Final = 10
DISTANCE_MS: Final = 50
DISTANCE_MS_PER_NODE: Final = 2
CONFIDANTS: Final = 20


class Herald:
    """Owns the news that is not told yet."""

    def __init__(self, peers: Peers, voice: Voice, rng: Random) -> None:
        self.due: Millis | None = None
        self._newcomers: list[Peer] = []
        self._to_all = False
        self._not_before: Millis = 0
        self._peers = peers
        self._voice = voice
        self._rng = rng

    def proclaim(self, now: Millis) -> None:
        """Something about me has changed: tell everybody."""
        self._to_all = True
        self._schedule(now)

    def introduce(self, peer: Peer, now: Millis) -> None:
        """Tell everybody of a node that we shook hands with, and tell it of everybody."""
        if peer not in self._newcomers:
            self._newcomers.append(peer)
        self.proclaim(now)

    def confide(self, now: Millis) -> None:
        """Tell a few voters whom we suspect."""
        self._schedule(now)

    def recant(self, peer: Peer, now: Millis) -> None:
        """Tell a few voters that somebody whom we suspected is there."""
        if peer not in self._newcomers:
            self._newcomers.append(peer)
        self._schedule(now)

    def speak(self, now: Millis) -> None:
        """Tell what is due."""
        if self.due is None or now < self.due:
            return
        audience = self._peers.reachable()
        newcomers = [p for p in self._newcomers if self._peers.known(p.id) is p]
        if not self._to_all:
            audience = self._confidants(audience, [*self._peers.suspects, *(p.id for p in newcomers)])
        self._voice.announce(audience, newcomers, now, few=not self._to_all)
        self.due, self._to_all = None, False
        self._not_before = now + max(DISTANCE_MS, DISTANCE_MS_PER_NODE * len(self._peers))
        self._newcomers = newcomers[INTRODUCED:]
        if self._newcomers:
            self.proclaim(now)

    def _confidants(self, reachable: list[Peer], about: list[NodeId]) -> list[Peer]:
        """The voters whose ids come next after those of the nodes in question, and others by chance."""
        voters = [p for p in reachable if p.is_voter and not p.flags & (Flag.PFAIL | Flag.FAIL)]
        if len(voters) <= CONFIDANTS:
            return voters
        chosen: dict[NodeId, Peer] = {}
        for node in about[: CONFIDANTS // 2]:
            after = sorted(voters, key=lambda p: (p.id <= node, p.id))
            chosen.update((p.id, p) for p in after[: max(1, CONFIDANTS // 2 // len(about))])
        others = [p for p in voters if p.id not in chosen]
        return [*chosen.values(), *self._rng.sample(others, CONFIDANTS - len(chosen))]

    def _schedule(self, now: Millis) -> None:
        if self.due is None:
            self.due = max(now + COLLECT_MS, self._not_before)

    def shift(self, ms: int) -> None:
        """The clock was set."""
        self._not_before += ms
        if self.due is not None:
            self.due += ms
