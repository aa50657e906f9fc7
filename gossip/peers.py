"""Who we know, who we are getting to know, and the links to them.

Rules kept here (cluster bus of Redis 7.0 and Valkey 9.1):
- Every known node with an address has one outgoing link, dialled as soon as the node or its address is known. From the
  moment we dial, or a link breaks, the node owes us an answer: else one that cannot be reached would never be missed.
- While the link is down it is dialled again with every tick, later less and less often, down to once a second; and at
  once when the node itself comes to us. A stranger gets less: whoever asks us to meet a thousand dead addresses must
  not keep us busy. Nobody is dialled in crowds.
- A link may try another address than the one that is known (hostname_lookup.py): who answers there decides.
- A node met by address is in HANDSHAKE under a made-up id until it tells its own, and is given up after a while.
- A forgotten node is banned for a minute, so that gossip does not bring it back.
- An accepted link belongs to nobody until a known node speaks on it.

Slots, epochs and roles are the business of claims.py; PFAIL and FAIL that of detector.py.
"""

from collections.abc import Iterator
from enum import Enum, auto
from random import Random
from typing import Final

from attrs import Factory, define, frozen

from gossamer.cluster.topology import Flag, Millis, Node, NodeId
from gossamer.gossip.bitmap import BITMAP_BYTES, NO_SLOTS
from gossamer.gossip.clock import Clock
from gossamer.gossip.effects import Dial, Hangup, Level, Outbox

BAN_MS: Final = 60_000
TICK_MS: Final = 100
PROMPT_DIALS: Final = 20
"""How often a known node is dialled with every tick; a stranger is only once."""

LONGEST_PAUSE_MS: Final = 1000
DIALS_A_TICK: Final = 25
STRANGERS_A_TICK: Final = 10
STUCK_MS: Final = 200
"""A dial that takes longer is begun anew when the node comes to us meanwhile."""

ROLES: Final = Flag.MASTER | Flag.SLAVE


class Acquaintance(Enum):
    """How well two nodes know each other."""

    STRANGER = auto()
    """An address, under a made-up id and in HANDSHAKE, until somebody answers there."""
    GREETING = auto()
    """It has told its id. It has not asked us anything yet, which would show that it knows us, too."""
    KNOWN = auto()
    """It has; or others have told of it."""


SUCCESSORS: Final = {
    Acquaintance.STRANGER: (Acquaintance.GREETING,),
    Acquaintance.GREETING: (Acquaintance.KNOWN,),
    Acquaintance.KNOWN: (),
}
"""A node that is forgotten is removed; when it is met again, it is another Peer."""


@define(eq=False)
class Peer:
    """One node, this one included. Times are those of the inner clock, 0 for never; two count its gaps, too.

    Its slots: ``slots`` has bit s set if the node owns slot s; ``bitmap`` is the same as bytes.
    Its links: ``link`` is the outgoing one from Dial on, ``linked`` says that it is connected; ``inbound`` is the
    accepted link that the node speaks on. ``dials`` counts those since its last answer; no other is made before
    ``dial_due``. ``trial_ip`` is the address that the present link tries, if it is not ``ip``; ``old_cport`` is the bus
    port that the node had before it lost its address.
    Its answers: ``open_ping_sent`` is when the PING was sent on this link that is not answered, ``acked_ping_sent``
    when the last was sent that was answered without a word of our failure: both with gaps (health.py).
    ``has_answered`` says that it has answered us in this life. ``refusals`` counts those of our dials in a row;
    ``refused_at`` is when we noticed the first. In the end they mean that it ``refuses`` (refusals.py), and
    ``pfail_by_refusal`` marks a PFAIL that rests on nothing else.
    Its failures: ``reports`` says which nodes reported it as failing, and when (detector.py). ``voted_at`` is when we
    last voted for a replica of it, ``voted_for`` (voting.py), ``orphaned_at`` since when it has no replica
    (replica_migration.py).
    ``cluster`` is the identity it tells (identity.py): empty if it has none, None if it knows of no such thing.
    """

    id: NodeId
    ip: str
    port: int
    cport: int
    pport: int = 0
    flags: int = Flag.MASTER
    primary: NodeId | None = None
    config_epoch: int = 0
    created: Millis = 0
    ping_sent: Millis = 0
    pong_received: Millis = 0
    open_ping_sent: Millis = 0
    acked_ping_sent: Millis = 0
    data_received: Millis = 0
    fail_time: Millis = 0
    voted_at: Millis = 0
    voted_for: NodeId = ""
    orphaned_at: Millis = 0
    link: int | None = None
    linked: bool = False
    linked_at: Millis = 0
    inbound: int | None = None
    repl_offset: int = 0
    shard_id: str = ""
    hostname: str = ""
    human_name: str = ""
    aux: tuple[tuple[str, str], ...] = ()
    slots: int = 0
    bitmap: bytes = NO_SLOTS
    reports: dict[NodeId, Millis] = Factory(dict)
    acquaintance: Acquaintance = Acquaintance.KNOWN
    has_answered: bool = False
    refusals: int = 0
    refused_at: Millis = 0
    refuses: bool = False
    pfail_by_refusal: bool = False
    dials: int = 0
    dial_due: Millis = 0
    trial_ip: str = ""
    old_cport: int = 0
    cluster: str | None = None
    view: Node | None = None

    def has(self, flags: int) -> bool:
        """True if any of ``flags`` is set."""
        return bool(self.flags & flags)

    @property
    def name(self) -> str:
        """For the log: the id, and what its operator calls it, if anything (``cluster-announce-human-nodename``)."""
        return f"{self.id} ({self.human_name})" if self.human_name else self.id

    @property
    def is_primary(self) -> bool:
        return bool(self.flags & Flag.MASTER)

    @property
    def is_voter(self) -> bool:
        """A primary with slots: only these count where a majority is asked for."""
        return bool(self.slots and self.flags & Flag.MASTER)

    @property
    def address(self) -> tuple[str, int, int, int]:
        return self.ip, self.port, self.pport, self.cport

    def is_of_other_cluster(self, identity: str | None) -> bool:
        """Of another cluster than that with ``identity``, as far as it tells."""
        return bool(self.cluster and identity and self.cluster != identity)

    @property
    def greeting(self) -> bool:
        return self.acquaintance is Acquaintance.GREETING

    def become(self, acquaintance: Acquaintance) -> None:
        before = self.acquaintance
        assert acquaintance in SUCCESSORS[before], f"{before.name} is not followed by {acquaintance.name}"
        self.acquaintance = acquaintance

    def set_slots(self, slots: int) -> None:
        self.slots = slots
        self.bitmap = slots.to_bytes(BITMAP_BYTES, "little")

    def take_back_refusals(self) -> None:
        """They mean nothing any more."""
        self.refusals, self.refused_at, self.refuses = 0, 0, False

    def as_node(self, clock: Clock) -> Node:
        """What others are shown of it, in wall time."""
        return Node(
            self.id,
            self.ip,
            self.port,
            self.cport,
            self.pport,
            self.flags,
            self.primary,
            self.config_epoch,
            clock.to_wall(self.ping_sent),
            clock.to_wall(self.pong_received),
            self.linked,
            self.repl_offset,
            self.shard_id,
            self.hostname,
            self.human_name,
            self.aux,
        )


UNFIT: Final = Flag.PFAIL | Flag.FAIL | Flag.NOFAILOVER
"""A replica with one of these does not stand for election."""


@frozen
class Inbound:
    """An accepted link: its two addresses, and who speaks on it (empty: not known yet)."""

    peer_ip: str
    local_ip: str
    accepted: Millis
    node: NodeId = ""


class Peers:
    """The table of nodes, this one included, and of links."""

    def __init__(self, me: Peer, rng: Random, out: Outbox) -> None:
        self.me = me
        self.by_id: dict[NodeId, Peer] = {me.id: me}
        self.outbound: dict[int, Peer] = {}
        self.inbound: dict[int, Inbound] = {}
        self.strangers: dict[NodeId, Peer] = {}
        self.suspects: dict[NodeId, Peer] = {}
        self.version = 0
        """Counts what ``touch`` is told of."""
        self.unlinked: dict[Peer, None] = {}
        """The others without a connected link, those that were dialled last at the end."""
        self.bans: dict[NodeId, Millis] = {}
        self._roster: list[Peer] | None = None
        self._last_link = 0
        self._dials_left = DIALS_A_TICK
        self._strangers_left = STRANGERS_A_TICK
        self._rng = rng
        self._out = out

    def __len__(self) -> int:
        return len(self.by_id)

    def __iter__(self) -> Iterator[Peer]:
        return iter(self.roster())

    def roster(self) -> list[Peer]:
        """Everybody, in a list that does not change under a loop."""
        if self._roster is None:
            self._roster = list(self.by_id.values())
        return self._roster

    def others(self) -> list[Peer]:
        return [p for p in self.roster() if p is not self.me]

    def known(self, node: NodeId) -> Peer | None:
        """The node of that id unless it is still a stranger in handshake."""
        peer = self.by_id.get(node)
        return None if peer is None or peer.flags & Flag.HANDSHAKE else peer

    def reachable(self) -> list[Peer]:
        """The other known nodes with a connected link."""
        return [p for p in self.roster() if p.linked and not p.flags & Flag.HANDSHAKE]

    def new_id(self) -> NodeId:
        return f"{self._rng.getrandbits(160):040x}"

    def shard_primary(self) -> Peer | None:
        """The primary of my shard: I, or the one that I replicate; None if I do not know it."""
        return self.me if self.me.is_primary else self.by_id.get(self.me.primary or "")

    def replicas_of(self, primary: Peer) -> list[Peer]:
        return [p for p in self.roster() if p.primary == primary.id]

    def touch(self, peer: Peer) -> None:
        """``peer`` has changed in a way that clients or nodes.conf show."""
        peer.view = None
        self.version += 1
        self._out.changed()

    # Coming to know and forgetting

    def add(self, peer: Peer, now: Millis) -> None:
        assert peer.id not in self.by_id
        peer.created = now
        self.by_id[peer.id] = peer
        self._roster = None
        self._out.grown()
        self.unlinked[peer] = None
        if self._in_turn(peer):
            self.dial(peer, now)

    def restore(self, peer: Peer) -> None:
        """A node that nodes.conf remembers."""
        self.by_id[peer.id] = peer
        self.unlinked[peer] = None
        if peer.flags & Flag.PFAIL:
            self.suspects[peer.id] = peer

    def remove(self, peer: Peer) -> None:
        assert peer is not self.me
        assert not peer.slots, "claims.forget takes the slots first"
        self.hang_up(peer)
        self.unbind(peer)
        del self.by_id[peer.id], self.unlinked[peer]
        self.suspects.pop(peer.id, None)
        self.strangers.pop(peer.id, None)
        self._roster = None
        self._out.changed()

    def start_handshake(self, ip: str, port: int, pport: int, cport: int, flags: int, now: Millis) -> None:
        """Get to know whoever is at that address, unless we are already at it."""
        if not any(p.ip == ip and p.cport == cport for p in self.strangers.values()):
            peer = Peer(self.new_id(), ip, port, cport, pport, Flag.HANDSHAKE | flags)
            peer.acquaintance = Acquaintance.STRANGER
            self.strangers[peer.id] = peer
            self.add(peer, now)

    def complete_handshake(self, peer: Peer, node: NodeId, role: int) -> None:
        """The stranger has told its id: a handshake is completed.

        That is saved at once. A node that gossip told of is learned of again, but the first acquaintance of a node
        that crashes now may be the only way back into the cluster.
        """
        assert peer.flags & Flag.HANDSHAKE
        assert node not in self.by_id
        self._out.log(Level.DEBUG, f"Handshake with node {peer.id} completed.")
        del self.by_id[peer.id], self.strangers[peer.id]
        self.bans.pop(node, None)
        peer.become(Acquaintance.GREETING)
        peer.id, peer.flags = node, role
        self.by_id[node] = peer
        self._roster = peer.view = None
        self._out.grown()
        self._out.promised = True

    def rename_me(self, node: NodeId) -> None:
        """This node starts a new life; whoever knows it by the old id has to find out."""
        del self.by_id[self.me.id]
        self.me.id = node
        self.by_id[node] = self.me
        self._roster = None
        self.touch(self.me)

    def move(self, peer: Peer, ip: str, port: int, pport: int, cport: int, now: Millis) -> None:
        """The node is at another address now: dial it there."""
        self.hang_up(peer)
        self.set_address(peer, ip, port, pport, cport)
        self.dial(peer, now)

    def set_address(self, peer: Peer, ip: str, port: int, pport: int, cport: int) -> None:
        """The node is at another address now; the link, if there is one, is to that address."""
        peer.take_back_refusals()
        peer.ip, peer.port, peer.pport, peer.cport = ip, port, pport, cport
        peer.flags &= ~Flag.NOADDR
        peer.trial_ip, peer.dials, peer.dial_due = "", 0, 0
        self.touch(peer)

    def lose_address(self, peer: Peer) -> None:
        """Somebody else answers at its address. From now on it owes us a word (detector.py)."""
        self.hang_up(peer)
        peer.take_back_refusals()
        peer.old_cport = peer.cport
        peer.ip, peer.port, peer.pport, peer.cport = "", 0, 0, 0
        peer.flags |= Flag.NOADDR
        self.touch(peer)

    def ban(self, node: NodeId, until: Millis) -> None:
        self.bans[node] = until

    def expire(self, now: Millis, handshake_ms: int) -> None:
        """Give up strangers that never answered, and lift bans that are over."""
        for peer in list(self.strangers.values()):
            if now - peer.created > handshake_ms:
                self.remove(peer)
        for node in [n for n, until in self.bans.items() if until <= now]:
            del self.bans[node]

    # Links

    def dial(self, peer: Peer, now: Millis) -> None:
        """Make the link to a node, unless there is one or no address to make it to."""
        if peer.ip and peer.cport and not peer.flags & Flag.NOADDR:
            self._dial(peer, peer.ip, peer.cport, now)

    def try_at(self, peer: Peer, ip: str, cport: int, now: Millis) -> None:
        """See whether the node is there."""
        self.hang_up(peer)
        self._dial(peer, ip, cport, now)
        peer.trial_ip = ip

    def _dial(self, peer: Peer, ip: str, cport: int, now: Millis) -> None:
        if peer is self.me or peer.link is not None:
            return
        self._last_link -= 1
        peer.link, peer.linked, peer.linked_at = self._last_link, False, now
        peer.ping_sent = peer.ping_sent or now
        peer.dials += 1
        extra = peer.dials - (1 if peer.flags & Flag.HANDSHAKE else PROMPT_DIALS)
        peer.dial_due = now + min(LONGEST_PAUSE_MS, TICK_MS << min(extra, 8)) if extra > 0 else 0
        self.outbound[peer.link] = peer
        self._out.do(Dial(peer.link, peer.id, ip, cport))

    def dial_missing(self, now: Millis) -> None:
        """With every tick: those without a link whose turn it is."""
        self._dials_left, self._strangers_left = DIALS_A_TICK, STRANGERS_A_TICK
        for peer in list(self.unlinked):
            if peer.link is not None or peer.flags & Flag.NOADDR or peer.dial_due > now:
                continue
            if self._in_turn(peer):
                self.dial(peer, now)
                self.unlinked[peer] = self.unlinked.pop(peer)

    def reset_dial_pauses(self) -> None:
        """Whatever kept us from reaching the others may be over."""
        for peer in self.unlinked:
            if not peer.flags & Flag.HANDSHAKE:
                peer.dials = peer.dial_due = 0

    def _in_turn(self, peer: Peer) -> bool:
        """Whether there is still room for it in this tick."""
        if peer.flags & Flag.HANDSHAKE:
            self._strangers_left -= 1
            return self._strangers_left >= 0
        self._dials_left -= 1
        return self._dials_left >= 0

    def redial_if_stuck(self, peer: Peer, now: Millis) -> None:
        """A node that reaches us is likely to be reached."""
        if not peer.linked and (peer.link is None or now - peer.linked_at > STUCK_MS):
            self.hang_up(peer)
            self.dial(peer, now)

    def connected(self, peer: Peer, now: Millis) -> None:
        assert peer.link is not None
        peer.linked, peer.linked_at, peer.open_ping_sent, peer.view = True, now, 0, None
        self.unlinked.pop(peer, None)

    def hang_up(self, peer: Peer) -> None:
        if peer.link is not None:
            self._out.do(Hangup(peer.link))
            self._unlink(peer)

    def link_lost(self, link: int, now: Millis) -> None:
        """A link is gone; of an outgoing one the node now owes us an answer."""
        peer = self.outbound.get(link)
        if peer is not None:
            self._unlink(peer)
            peer.ping_sent = peer.ping_sent or now
        inbound = self.inbound.pop(link, None)
        speaker = self.by_id.get(inbound.node) if inbound else None
        if speaker is not None and speaker.inbound == link:
            speaker.inbound = None

    def accept(self, link: int, peer_ip: str, local_ip: str, now: Millis) -> None:
        assert link > 0
        assert link not in self.inbound
        self.inbound[link] = Inbound(peer_ip, local_ip, now)

    def bind(self, link: int, peer: Peer) -> bool:
        """``peer`` speaks on this accepted link. True if that is news. Its older link is of no use any more."""
        inbound = self.inbound[link]
        if peer.inbound == link:
            return False
        if inbound.node and (before := self.by_id.get(inbound.node)) is not None and before.inbound == link:
            before.inbound = None
        if peer.inbound is not None:
            self._out.do(Hangup(peer.inbound))
            del self.inbound[peer.inbound]
        peer.inbound = link
        self.inbound[link] = Inbound(inbound.peer_ip, inbound.local_ip, inbound.accepted, peer.id)
        return True

    def unbind(self, peer: Peer) -> None:
        """The accepted link stays, but nobody is known to speak on it."""
        if peer.inbound is not None:
            inbound = self.inbound[peer.inbound]
            self.inbound[peer.inbound] = Inbound(inbound.peer_ip, inbound.local_ip, inbound.accepted)
            peer.inbound = None

    def _unlink(self, peer: Peer) -> None:
        assert peer.link is not None
        del self.outbound[peer.link]
        peer.link, peer.linked, peer.view, peer.trial_ip = None, False, None, ""
        self.unlinked[peer] = None
