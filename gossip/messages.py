"""What this node says: headers, the choice of gossip, extensions, and who gets what.

Rules kept here (cluster bus of Redis 7.0 and Valkey 9.1):
- A ping carries max(3, nodes/10) entries about nodes picked at random, and then every node in PFAIL, one without an
  address too: so failure reports travel fast.
- Extension data goes only to nodes that have shown that they understand it. Every ping of ours shows that we do, and
  that we understand identities.
- A replica tells the epoch and the slots of its primary, without those that the primary has given up.
- While a repair is under way (announcer.py), a primary tells the epoch and the slots that it told before.
"""

from typing import Final

from gossamer.cluster.topology import Flag, Millis, NodeId
from gossamer.gossip.bitmap import BITMAP_BYTES, NO_SLOTS
from gossamer.gossip.extensions import ClusterIdentity, Forgotten, Hostname, HumanName, ShardId
from gossamer.gossip.health import Health
from gossamer.gossip.packet import (
    Body,
    Extension,
    Fail,
    GossipEntry,
    MessageFlag,
    MessageType,
    Packet,
    Ping,
    Publish,
    Update,
)
from gossamer.gossip.peers import Peer
from gossamer.gossip.tables import Tables

MIN_ENTRIES: Final = 3
INTRODUCED: Final = 64
"""How many newcomers one announcement names, and how many nodes it names to a newcomer."""

EXTENSIONS: Final = MessageFlag.EXT_DATA
IDENTITY: Final = MessageFlag.IDENTITY
UNDERSTOOD: Final = EXTENSIONS | IDENTITY

NOT_IN_GOSSIP: Final = Flag.MYSELF | Flag.PFAIL | Flag.HANDSHAKE | Flag.NOADDR
FAILED_WITHOUT_ADDRESS: Final = Flag.NOADDR | Flag.FAIL
"""An entry of such a node is sent nevertheless: whoever missed the FAIL has to hear of it. Other servers take the
opinion from it, and not the address."""


class Messages:
    """Makes messages out of the tables and hands them to the outbox."""

    def __init__(self, tables: Tables, health: Health) -> None:
        self.paused = False
        """Writes are held back for a manual failover. Every message says so (PAUSED)."""
        self.claims_held = False
        """What was claimed since the last message is not told yet."""
        self._told: tuple[int, bytes] = (0, NO_SLOTS)
        self._tables = tables
        self._peers = tables.peers
        self._claims = tables.claims
        self._health = health
        self._rng = tables.rng
        self._out = tables.out

    # To one node

    def ping(self, peer: Peer, now: Millis) -> None:
        """Ask a node for a sign of life. A ping that is still unanswered keeps its age.

        A node that we are to meet is told so until we know it; and again if it seems not to know us, because its own
        half of the handshake went wrong. A node at an address that is only tried is introduced to nobody.
        """
        assert peer.link is not None
        half_met = peer.greeting and now - peer.created > self._tables.config.handshake_ms
        introduce = (half_met or peer.flags & Flag.MEET) and not peer.trial_ip
        kind = MessageType.MEET if introduce else MessageType.PING
        peer.ping_sent, peer.open_ping_sent = (
            peer.ping_sent or now,
            peer.open_ping_sent or self._tables.clock.now_with_gaps,
        )
        self._out.send((peer.link,), self._pinglike(kind, self._entries(), understood_by(peer), now))

    def ping_on(self, link: int, peer: Peer, now: Millis) -> None:
        """A PING on the link that the peer spoke on, as the answer to an MFSTART."""
        self._out.send((link,), self._pinglike(MessageType.PING, self._entries(), understood_by(peer), now))

    def pong(self, link: int, mflags: int, now: Millis, about: Peer | None = None) -> None:
        """Answer on the link that asked, with what the message flags of the question show is understood.

        ``about`` is surely among those that it tells of; who is in PFAIL is anyway.
        """
        entries = self._entries([about], few=True) if about is not None else self._entries()
        self._out.send((link,), self._pinglike(MessageType.PONG, entries, mflags & UNDERSTOOD, now))

    def send_update(self, peer: Peer, owner: Peer) -> None:
        """Tell a node that slots it claims, or gives to another, are those of ``owner``."""
        if self.claims_held and owner is self._peers.me:
            return
        if peer.linked and peer.link is not None:
            self._out.send(
                (peer.link,), self._packet(MessageType.UPDATE, Update(owner.config_epoch, owner.id, owner.bitmap))
            )

    def send_vote(self, candidate: Peer) -> None:
        self._to(candidate, MessageType.FAILOVER_AUTH_ACK)

    def send_mfstart(self, primary: Peer) -> None:
        self._to(primary, MessageType.MFSTART)

    def _to(self, peer: Peer, kind: MessageType) -> None:
        if peer.linked and peer.link is not None:
            self._out.send((peer.link,), self._packet(kind, None))

    # To many

    def request_votes(self, must_ack: bool) -> None:
        """To everybody: who may vote knows it. ``must_ack``: even if my primary has not failed, as they see it."""
        request = self._packet(MessageType.FAILOVER_AUTH_REQUEST, None, MessageFlag.FORCEACK if must_ack else 0)
        self._out.send(self._links(self._peers.reachable()), request)

    def unsolicited_pong(self, audience: list[Peer], newcomers: list[Peer], now: Millis, few: bool = False) -> None:
        """An unasked PONG: what has changed about me, and who is new; ``few``: and hardly anybody else."""
        entries = self._entries(newcomers, few)
        links_of: dict[int, list[int]] = {}
        for peer in audience:
            if peer.link:
                links_of.setdefault(understood_by(peer), []).append(peer.link)
        for understood, links in sorted(links_of.items()):
            self._out.send(tuple(links), self._pinglike(MessageType.PONG, entries, understood, now))

    def send_fail(self, peer: Peer) -> None:
        self._out.send(self._links(self._peers.reachable()), self._packet(MessageType.FAIL, Fail(peer.id)))

    def publish(self, channel: bytes, message: bytes, sharded: bool) -> None:
        """A client's message, to everybody or to the nodes of my shard."""
        audience = self._peers.reachable()
        if sharded:
            primary = self._peers.me.primary or self._peers.me.id
            audience = [p for p in audience if primary in (p.id, p.primary)]
        kind = MessageType.PUBLISHSHARD if sharded else MessageType.PUBLISH
        self._out.send(self._links(audience), self._packet(kind, Publish(channel, message)))

    @staticmethod
    def _links(audience: list[Peer]) -> tuple[int, ...]:
        return tuple(p.link for p in audience if p.link is not None)

    # The parts of a message

    def _packet(self, kind: MessageType, body: Body, mflags: int = 0) -> Packet:
        me = self._peers.me
        if not self.claims_held or me.primary:
            self._told = self._claimed()
        config_epoch, bitmap = self._told
        return Packet(
            kind,
            me.id,
            me.port,
            me.pport,
            me.cport,
            self._claims.current_epoch,
            config_epoch,
            self.offset,
            bitmap,
            me.primary,
            self._tables.config.announce_ip,
            me.flags,
            self._health.ok,
            mflags | (MessageFlag.PAUSED if self.paused else 0),
            body,
        )

    def _claimed(self) -> tuple[int, bytes]:
        """The config epoch and the slots of this node, or of its primary."""
        me = self._peers.me
        speaks_for = self._peers.by_id.get(me.primary, me) if me.primary else me
        bitmap = speaks_for.bitmap if speaks_for.slots else NO_SLOTS
        if speaks_for.slots & self._claims.unclaimed:
            bitmap = self._claims.still_claimed(speaks_for).to_bytes(BITMAP_BYTES, "little")
        return speaks_for.config_epoch, bitmap

    @property
    def offset(self) -> int:
        """What this node says of its data: 0 in a full sync, as Redis does it, so that others tell clients of a replica
        that is loading. That it has older data, which it serves meanwhile, matters when its primary has failed; but not
        if it never had that one's: then a sibling that has some comes first, however long the other stream was.
        """
        me = self._peers.me
        replication = self._tables.replication
        loading = replication.syncing and not me.flags & Flag.MY_PRIMARY_FAIL
        return 0 if loading or replication.data_from_other_shard else me.repl_offset

    def _pinglike(self, kind: MessageType, entries: tuple[GossipEntry, ...], understood: int, now: Millis) -> Packet:
        extensions = self._extensions(understood, now) if understood & EXTENSIONS else ()
        return self._packet(kind, Ping(entries, extensions), UNDERSTOOD)

    def _entries(self, newcomers: list[Peer] | None = None, few: bool = False) -> tuple[GossipEntry, ...]:
        """Who is talked about: newcomers, then others by chance, then everybody in PFAIL."""
        roster = self._peers.roster()
        others = len(roster) - 2
        wanted = min(MIN_ENTRIES if few else max(MIN_ENTRIES, len(roster) // 10), others)
        chosen: dict[NodeId, Peer] = {}
        if newcomers:
            chosen.update((p.id, p) for p in newcomers)
            wanted = max(len(chosen), min(MIN_ENTRIES if few else INTRODUCED, others))
        pick, count = self._rng.random, len(roster)
        for _ in range(3 * wanted):
            if len(chosen) >= wanted:
                break
            peer = roster[int(pick() * count)]
            if (not peer.flags & NOT_IN_GOSSIP or peer.flags & FAILED_WITHOUT_ADDRESS == FAILED_WITHOUT_ADDRESS) and (
                peer.linked or peer.slots
            ):
                chosen[peer.id] = peer
        for peer in self._peers.suspects.values():
            if not peer.flags & Flag.HANDSHAKE:
                chosen[peer.id] = peer
        return tuple(self._entry(p) for p in chosen.values())

    def _entry(self, p: Peer) -> GossipEntry:
        wall = self._tables.clock.to_wall
        ping_s, pong_s = wall(p.ping_sent) // 1000, wall(p.pong_received) // 1000
        return GossipEntry(p.id, ping_s, pong_s, p.ip, p.port, p.cport, p.flags & 0xFFFF, p.pport)

    def _extensions(self, understood: int, now: Millis) -> tuple[Extension, ...]:
        """In the order in which Valkey writes them, and ours."""
        out: list[Extension] = []
        if self._tables.config.hostname:
            out.append(Hostname(self._tables.config.hostname))
        if self._tables.config.human_name:
            out.append(HumanName(self._tables.config.human_name))
        out += [Forgotten(n, (until - now) // 1000) for n, until in self._peers.bans.items() if until - now >= 1000]
        out.append(ShardId(self._peers.me.shard_id))
        if understood & IDENTITY:
            out.append(ClusterIdentity(self._peers.me.cluster or ""))
        return tuple(out)


def understood_by(peer: Peer) -> int:
    """What the peer has shown that it reads, as message flags."""
    extensions = EXTENSIONS if peer.flags & Flag.EXTENSIONS_SUPPORTED else 0
    return extensions if peer.cluster is None else extensions | IDENTITY
