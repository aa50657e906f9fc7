"""Very many nodes, for what a crowd costs: the real Gossip of each, and as little as possible around it.

Simplified, so that a thousand nodes and a million links fit into minutes:
- The cluster is not formed, it is there: every node remembers the same topology, every link is up, and the last answers
  are as old as chance has it.
- A message takes a millisecond. It is handed over as it is, not encoded: its length is computed, its bytes are not
  made.
- Nothing is saved, served or replicated, and there is no history; of what a node asks for only messages and dials are
  done.
- Links are numbers: the node with index n is reached on -1 - n and speaks to us on 1 + n. So nobody but a dead node may
  be dialled anew.
"""

from collections.abc import Callable
from functools import lru_cache
from random import Random

from attrs import define, evolve

from gossamer.cluster.slots import SLOTS
from gossamer.cluster.topology import NOBODY, Flag, Millis, Node, NodeId, Topology
from gossamer.gossip.bitmap import slots_to_bitmap
from gossamer.gossip.claims import FULL
from gossamer.gossip.config import GossipConfig
from gossamer.gossip.core import Gossip
from gossamer.gossip.effects import Dial, Effect, Send
from gossamer.gossip.events import Event, LinkDown, PacketIn, Woke
from gossamer.gossip.extensions import encode_extension
from gossamer.gossip.packet import ENTRY_BYTES, HEADER_BYTES, Extension, Packet, Ping, encode
from gossamer.gossip.peers import Inbound, Peer

START: Millis = 1_700_000_000_000
DELAY_MS = 1
PORT, CPORT = 7000, 17000


@define(eq=False)
class Member:
    index: int
    gossip: Gossip
    alive: bool = True
    waking: Millis = 0
    """When it will be woken, as far as is planned."""


class Crowd:
    """``size`` nodes, half of them primaries with a replica each; ``fast`` is cluster-fast-failover.

    ``sent_bytes`` and ``sent`` count what all have sent; ``now`` is in milliseconds.
    """

    def __init__(
        self,
        size: int,
        node_timeout_ms: int,
        seed: int = 1,
        fast: bool = True,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        assert size >= 6
        assert size % 2 == 0
        self.rng = Random(seed)
        self.now = START
        self.config = GossipConfig(
            PORT, CPORT, node_timeout_ms=node_timeout_ms, replica_validity_factor=0, fast_failover=fast
        )
        self.sent_bytes = 0
        self.sent = 0
        self._plans: dict[Millis, list[tuple[Member, Event]]] = {}
        self._silent = False
        self.members: list[Member] = []
        common = self._topology(size)
        self._index_of = {node: at for at, node in enumerate(common.nodes)}
        bitmaps = {node: slots_to_bitmap(common.slots_of(node)) for node in common.nodes}
        self._slots_of = {
            node: (int.from_bytes(bitmap, "little"), bitmap) for node, bitmap in bitmaps.items() if any(bitmap)
        }
        """What primaries own, as a set and as a bitmap: the same two objects at all nodes."""
        for at, node in enumerate(list(common.nodes)):
            self.members.append(self._member(at, node, common))
            if tell is not None and at % 100 == 99:
                tell(f"{at + 1} of {size} nodes are there")

    # What is there from the beginning

    def _topology(self, size: int) -> Topology:
        """Replicas first, so that nobody has to look far for one."""
        ids = [f"{self.rng.getrandbits(160):040x}" for _ in range(size)]
        half = size // 2
        primaries = ids[half:]
        seen = Flag.EXTENSIONS_SUPPORTED | Flag.LIGHT_PUBLISH_SUPPORTED | Flag.LIGHT_MODULE_SUPPORTED
        nodes: dict[NodeId, Node] = {}
        for at, node in enumerate(ids):
            primary = primaries[at] if at < half else None
            flags = seen | (Flag.SLAVE if primary else Flag.MASTER | Flag.MIGRATE_TO)
            epoch = 0 if primary else at - half + 1
            nodes[node] = Node(
                node, f"10.0.{at >> 8}.{at & 255}", PORT, CPORT, 0, flags, primary, epoch, shard_id=primary or node
            )
        owners = tuple(primaries[slot * half // SLOTS] for slot in range(SLOTS))
        return Topology(ids[0], nodes, owners, current_epoch=half, cluster="c" * 40)

    def _member(self, at: int, node: NodeId, common: Topology) -> Member:
        nodes = {**common.nodes, node: evolve(common.nodes[node], flags=common.nodes[node].flags | Flag.MYSELF)}
        bare = evolve(common, me=node, nodes=nodes, owners=NOBODY)
        gossip = Gossip(bare, self.config, Random(self.rng.getrandbits(32)), self.now)
        peers, claims, health = gossip._peers, gossip._claims, gossip._components.health
        claims.owners, claims.owned = list(common.owners), FULL
        health.ok, health.size = True, len(self._slots_of)
        peers._last_link = -len(nodes)
        half_ms = self.config.node_timeout_ms // 2
        for other, peer in peers.by_id.items():
            if peer is not peers.me:
                self._link(gossip, peer, self._index_of[other], self.now - self.rng.randrange(half_ms))
            if other in self._slots_of:
                peer.slots, peer.bitmap = self._slots_of[other]
        member = Member(at, gossip)
        self._wake(member, self.now + self.rng.randrange(100))
        return member

    def _link(self, gossip: Gossip, peer: Peer, index: int, heard: Millis) -> None:
        peers, link = gossip._peers, -1 - index
        peer.link, peer.linked, peer.linked_at = link, True, heard
        peer.pong_received = peer.data_received = heard
        peer.has_answered, peer.cluster, peer.inbound = True, "c" * 40, 1 + index
        peers.outbound[link] = peer
        peers.inbound[1 + index] = Inbound(peer.ip, peers.me.ip, heard, peer.id)
        del peers.unlinked[peer]

    # What happens

    def run(self, ms: int) -> None:
        end = self.now + ms
        while self.now < end:
            for member, event in self._plans.pop(self.now, ()):
                if member.alive:
                    self._happen(member, event)
            if self.now not in self._plans:
                self.now += 1

    def _happen(self, member: Member, event: Event) -> None:
        if isinstance(event, Woke):
            if member.waking > self.now:
                return
            member.waking = 0
        for effect in member.gossip.handle(event, self.now):
            self._perform(member, effect)
        self._wake(member, member.gossip.deadline())

    def _wake(self, member: Member, due: Millis) -> None:
        if not member.waking or due < member.waking:
            member.waking = max(due, self.now)
            self._plan(member.waking, member, Woke())

    def _plan(self, due: Millis, member: Member, event: Event) -> None:
        self._plans.setdefault(due, []).append((member, event))

    def _perform(self, member: Member, effect: Effect) -> None:
        match effect:
            case Send(links, packet):
                self.sent += len(links)
                self.sent_bytes += len(links) * length(packet)
                for link in links:
                    other = self.members[abs(link) - 1]
                    back = 1 + member.index if link < 0 else -1 - member.index
                    self._plan(self.now + DELAY_MS, other, PacketIn(back, packet))
            case Dial(link, node):
                assert not self.members[self._index_of[node]].alive, "nobody who lives is dialled again"
                if not self._silent:
                    self._plan(self.now + DELAY_MS, member, LinkDown(link, refused=True))

    def kill(self, index: int, silent: bool = False) -> None:
        """A process dies and its host refuses connections; or, ``silent``, nothing comes from there any more."""
        self.members[index].alive = False
        self._silent = silent
        if not silent:
            for other in self.members:
                if other.alive:
                    self._plan(self.now + DELAY_MS, other, LinkDown(-1 - index))
                    self._plan(self.now + DELAY_MS, other, LinkDown(1 + index))

    def kill_primaries(self, count: int, silent: bool = False) -> list[int]:
        """That many die in one moment; which, chance decides. Their replicas live."""
        half = len(self.members) // 2
        victims = self.rng.sample(range(half, len(self.members)), count)
        for index in victims:
            self.kill(index, silent)
        return victims

    def unserved_at(self, victims: list[int]) -> int:
        """How many of the living believe that a dead one still owns slots."""
        nodes = [self.members[index].gossip.me.id for index in victims]
        living = (member.gossip._peers.by_id for member in self.members if member.alive)
        return sum(1 for known in living if any(known[node].slots for node in nodes))

    def failed_at(self, index: int) -> int:
        """How many of the others say FAIL of that node."""
        node = self.members[index].gossip.me.id
        return sum(1 for m in self.members if m.alive and m.gossip._peers.by_id[node].flags & Flag.FAIL)

    @property
    def living(self) -> int:
        return sum(member.alive for member in self.members)


def length(packet: Packet) -> int:
    """In bytes, as it would go over the wire."""
    if isinstance(packet.body, Ping):
        return HEADER_BYTES + ENTRY_BYTES * len(packet.body.gossip) + _extension_bytes(packet.body.extensions)
    return len(encode(packet))


@lru_cache(4096)
def _extension_bytes(extensions: tuple[Extension, ...]) -> int:
    return sum(len(encode_extension(extension)) for extension in extensions)
