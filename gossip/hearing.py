"""What a message means: the reading of one packet, step by step, in the order that the bus demands.

Rules kept here (cluster bus of Redis 7.0 and Valkey 9.1):
- A message counts only if its sender is known. A stranger gets a PONG for a PING, and a MEET starts a handshake.
- On our own link to a node only that node may answer; if another does, the address was not its own.
- A message with a light header names no sender: it is read on links whose speaker is known, or the link is closed.

Whose slots, who is alive, who is who and who leads are decided elsewhere (core.py has the list); here is only who is
asked.
"""

from typing import Final

from gossamer.cluster.topology import Flag, Millis
from gossamer.gossip.ballot import Ballot
from gossamer.gossip.claims import Claims
from gossamer.gossip.config import GossipConfig
from gossamer.gossip.detector import Detector
from gossamer.gossip.effects import Deliver, Hangup, Level, Outbox
from gossamer.gossip.election import Election
from gossamer.gossip.extensions import ClusterIdentity, Extension, Forgotten, Hostname, HumanName, ShardId
from gossamer.gossip.handover import Handover
from gossamer.gossip.herald import Herald
from gossamer.gossip.identity import Identity
from gossamer.gossip.manual import Manual
from gossamer.gossip.names import Names
from gossamer.gossip.packet import Fail, Kind, MessageFlag, Packet, Ping, Publish, Update
from gossamer.gossip.packet import Gossip as Entry
from gossamer.gossip.peers import BAN_MS, ROLES, Peer, Peers
from gossamer.gossip.roles import Roles
from gossamer.gossip.voice import IDENTITY, Voice

LARGEST_EPOCH: Final = 1 << 62
"""An epoch no cluster can reach: a message with a larger one is garbage, and believing it would leave no next epoch."""

RETRY_MS: Final = 1000
"""How long a node is without an address, at least, when somebody else was found there."""

DOUBTFUL: Final = Flag.PFAIL | Flag.FAIL | Flag.NOADDR | Flag.MYSELF
"""A node of which both sides have none of these is well, and so are nearly all that gossip is about."""

COPIED: Final = Flag.NOFAILOVER | Flag.LIGHT_PUBLISH_SUPPORTED | Flag.LIGHT_MODULE_SUPPORTED | Flag.MY_PRIMARY_FAIL
"""Flags that a node knows best about itself."""


class Hearing:
    """Reads packets. ``received`` counts them by kind; ``garbage`` counts what could not be used."""

    def __init__(
        self,
        peers: Peers,
        names: Names,
        identity: Identity,
        claims: Claims,
        detector: Detector,
        voice: Voice,
        herald: Herald,
        roles: Roles,
        ballot: Ballot,
        election: Election,
        manual: Manual,
        handover: Handover,
        config: GossipConfig,
        out: Outbox,
    ) -> None:
        self.config = config
        self.received = [0] * len(Kind)
        self.garbage = 0
        self.dropped = -1
        """Messages of this type are not read, for tests."""
        self._knows_own_ip = False
        self._peers = peers
        self._names = names
        self._identity = identity
        self._claims = claims
        self._detector = detector
        self._voice = voice
        self._herald = herald
        self._roles = roles
        self._ballot = ballot
        self._election = election
        self._manual = manual
        self._handover = handover
        self._out = out

    def hear(self, link: int, packet: Packet, now: Millis) -> None:
        """One message. Links that were hung up meanwhile are not listened to."""
        if link not in self._peers.inbound and link not in self._peers.outbound:
            return
        if max(packet.current_epoch, packet.config_epoch) > LARGEST_EPOCH:
            self.garbage += 1
            return
        self.received[packet.kind] += 1
        if packet.kind == self.dropped:
            self._out.log(Level.WARNING, "Dropping packet that matches debug drop filter")
            return
        if packet.light and self.speaker(link) is None:
            self._out.log(Level.NOTICE, "Closing link for node that sent a lightweight message as its first message")
            self._out.do(Hangup(link))
            self._peers.lost(link, now)
            return
        expected = self._peers.outbound.get(link)
        if expected and not expected.flags & Flag.HANDSHAKE and not packet.light and packet.sender != expected.id:
            self._answered_by_another(expected, packet, now)
            return
        if isinstance(packet.body, Ping) and self._is_foreign(link, expected, packet, packet.body, now):
            return
        if expected and expected.trial and not packet.light:
            self._arrive(expected, packet)
        sender = self.speaker(link) if packet.light else self._peers.known(packet.sender)
        if sender is not None and sender is not self._peers.me:
            self._note(sender, link, packet, now)
            if not packet.light:
                self._manual.heard(sender, packet)
        self._read(link, packet, sender, now)

    def _read(self, link: int, packet: Packet, sender: Peer | None, now: Millis) -> None:
        body = packet.body
        if isinstance(body, Ping):
            self._greet(link, packet, body, sender, now)
        elif sender is None or sender is self._peers.me:
            if isinstance(body, Fail):
                self._out.log(
                    Level.NOTICE, f"Ignoring FAIL message from unknown node {packet.sender} about {body.node}"
                )
        elif isinstance(body, Fail):
            failed = self._peers.known(body.node)
            if failed is not None:
                self._detector.told_failed(failed, sender, now)
        elif isinstance(body, Publish):
            self._out.do(Deliver(body.channel, body.message, packet.kind is Kind.PUBLISHSHARD))
        elif isinstance(body, Update):
            self._update(body)
        elif packet.kind is Kind.FAILOVER_AUTH_REQUEST:
            self._election.heard_rival(sender, packet, now)
            self._ballot.asked(sender, packet, now)
        elif packet.kind is Kind.FAILOVER_AUTH_ACK:
            self._election.voted(sender, packet)
        elif packet.kind is Kind.MFSTART:
            self._manual.asked_to_pause(sender, link, now)

    def speaker(self, link: int) -> Peer | None:
        """The known node at the other end of a link."""
        peer = self._peers.outbound.get(link)
        inbound = self._peers.inbound.get(link)
        return self._peers.known(peer.id if peer else inbound.node if inbound else "")

    def _note(self, sender: Peer, link: int, packet: Packet, now: Millis) -> None:
        """What every message of a known node tells."""
        sender.data_received = now
        if link in self._peers.inbound and self._peers.bind(link, sender):
            self._peers.came_to_us(sender, now)
            if sender.met:
                # Now it surely knows us and believes our gossip, which it may not have done when the handshake ended.
                sender.met = False
                self._herald.introduce(sender, now)
        if packet.light:
            return
        self._claims.see_epochs(sender, packet.current_epoch, packet.config_epoch)
        self._election.heard_epochs(sender, packet, now)
        if bool(packet.offset) != bool(sender.repl_offset):
            self._out.publish = True
        if packet.offset != sender.repl_offset:
            sender.repl_offset, sender.view = packet.offset, None

    # PING, PONG and MEET

    def _greet(self, link: int, packet: Packet, ping: Ping, sender: Peer | None, now: Millis) -> None:
        if packet.kind is not Kind.PONG:
            self._learn_own_ip(link, packet, sender)
            if packet.kind is Kind.MEET and sender is None:
                self._shake_hands(link, packet, ping, now)
            accused = sender if sender is not None and sender.has(Flag.FAIL) else None
            self._voice.pong(link, packet.mflags, now, accused)
        expected = self._peers.outbound.get(link)
        if expected is not None and expected.flags & Flag.HANDSHAKE:
            sender = self._complete_handshake(expected, packet, sender, link, now)
        elif packet.kind is not Kind.MEET and sender is not None:
            self._follow_address(sender, link, packet, now)
        if sender is None or sender is self._peers.me or self._is_unproven(packet, ping):
            return
        if packet.kind is Kind.PONG and sender.link == link:
            self._detector.answered(sender, self._is_accused(ping), now)
            self._handover.answered(sender)
        self._copy_flags(sender, packet)
        self._hear_role(sender, packet)
        self._hear_claims(sender, packet, now)
        for entry in ping.gossip:
            self._hear_gossip(sender, entry, now)
        self._hear_identity(sender, link, ping, now)
        self._hear_extensions(sender, ping.extensions, now)

    def _is_accused(self, ping: Ping) -> bool:
        """Is this node failing, in the eyes of the sender?"""
        me = self._peers.me.id
        return any(entry.node == me and entry.flags & (Flag.PFAIL | Flag.FAIL) for entry in ping.gossip)

    def _learn_own_ip(self, link: int, packet: Packet, sender: Peer | None) -> None:
        """The address at which a MEET reaches us is ours, unless one is announced.

        So is the one at which a known node first reaches us after a restart: what we remember may be of another place.
        """
        inbound, me = self._peers.inbound.get(link), self._peers.me
        if inbound is None or not inbound.local_ip or self.config.announce_ip:
            return
        told = packet.kind is Kind.MEET or not me.ip or (sender is not None and not self._knows_own_ip)
        if not told:
            return
        self._knows_own_ip = True
        if inbound.local_ip != me.ip:
            me.ip = inbound.local_ip
            self._out.log(Level.WARNING, f"IP address for this node updated to {me.ip}")
            self._peers.touch(me)

    def _is_foreign(self, link: int, expected: Peer | None, packet: Packet, ping: Ping, now: Millis) -> bool:
        """Whether the sender is of another cluster, so that nothing it tells may be heard (identity.py)."""
        told = _identity_in(ping)
        if told is None or not self._identity.is_stranger(told):
            return False
        if expected is not None and expected.flags & Flag.HANDSHAKE:
            self._identity.refuse(packet.sender, f"{expected.ip}:{expected.port}", told)
            self._claims.forget(expected)
            return True
        sender = self._peers.known(packet.sender)
        if sender is None:
            return False
        if any(entry.node == self._peers.me.id for entry in ping.gossip):
            self._identity.reconcile(sender, told, now)
            return False
        if link in self._peers.inbound:
            sender.data_received = now  # it lives; and if it knows us, it is shown that we know it
            if packet.kind is not Kind.PONG:
                self._voice.pong(link, packet.mflags, now, sender)
        elif sender.trial:
            self._names.mistaken(sender)
        elif self._identity.is_aloof(sender, now):
            sender.cluster = told
            self._identity.refuse(sender.id, f"{sender.ip}:{sender.port}", told)
            self._peers.lose_address(sender)
        return True

    def _is_unproven(self, packet: Packet, ping: Ping) -> bool:
        """A node that has an identity to tell has not told it, as it did not know yet that we understand. Our answer
        shows that, and its own answers tell it, so what it says can wait: it may have changed clusters.
        """
        may_tell = packet.kind is not Kind.PONG and packet.mflags & IDENTITY
        return bool(may_tell and self._peers.me.cluster) and _identity_in(ping) is None

    def _hear_identity(self, sender: Peer, link: int, ping: Ping, now: Millis) -> None:
        """Who speaks on a link of its own, or was just met, knows us; a mere answer shows nothing."""
        told = _identity_in(ping)
        if told is None:
            return
        sender.cluster = told
        if link in self._peers.inbound or sender.met:
            self._identity.learn(sender, told, now)

    def _shake_hands(self, link: int, packet: Packet, ping: Ping, now: Millis) -> None:
        told, ip = _identity_in(ping), packet.ip or self._peer_ip(link)
        if told and self._identity.is_stranger(told):
            self._identity.refuse(packet.sender, f"{ip}:{packet.port}", told)
            return
        if ip:
            self._peers.shake_hands(ip, packet.port, packet.pport, packet.cport, 0, now)

    def _peer_ip(self, link: int) -> str:
        inbound = self._peers.inbound.get(link)
        return inbound.peer_ip if inbound else ""

    def _complete_handshake(
        self, stranger: Peer, packet: Packet, known: Peer | None, link: int, now: Millis
    ) -> Peer | None:
        """The stranger tells who it is. It may be somebody we know already, even ourselves."""
        if known is not None or packet.sender in self._peers.by_id:
            address = (packet.ip or stranger.ip, packet.port, packet.pport, packet.cport)
            self._claims.forget(stranger)
            if known is not None and known is not self._peers.me:
                self._out.log(
                    Level.VERBOSE, f"Handshake: we already know node {known.id}, updating the address if needed."
                )
                if known.address != address:
                    self._move(known, address, now)
            return None
        self._peers.name(stranger, packet.sender, Flag.SLAVE if packet.primary else Flag.MASTER)
        self._note(stranger, link, packet, now)
        self._herald.introduce(stranger, now)
        return stranger

    def _answered_by_another(self, expected: Peer, packet: Packet, now: Millis) -> None:
        """Of an address that was only tried, nothing follows. If it was believed, it is that of who answers there."""
        if expected.trial:
            self._names.mistaken(expected)
            return
        ip = packet.ip or expected.ip
        self._out.log(
            Level.DEBUG,
            f"PONG contains mismatching sender ID. About node {expected.id} added {now - expected.created} ms ago, "
            f"having flags {expected.flags}",
        )
        self._peers.lose_address(expected)
        there = self._peers.known(packet.sender)
        if there is not None and there is not self._peers.me and not there.linked and there.inbound is None:
            self._move(there, (ip, packet.port, packet.pport, packet.cport), now)

    def _arrive(self, peer: Peer, packet: Packet) -> None:
        """A node answers at an address that was tried: there it is."""
        self._peers.found(peer, packet.ip or peer.trial, packet.port, packet.pport, packet.cport)
        self._tell_address(peer)

    def _follow_address(self, sender: Peer, link: int, packet: Packet, now: Millis) -> None:
        address = (packet.ip or self._peer_ip(link), packet.port, packet.pport, packet.cport)
        if sender is not self._peers.me and link in self._peers.inbound and address[0] and sender.address != address:
            self._move(sender, address, now)

    def _move(self, peer: Peer, address: tuple[str, int, int, int], now: Millis) -> None:
        self._peers.move(peer, *address, now)
        self._tell_address(peer)

    def _tell_address(self, peer: Peer) -> None:
        self._out.log(Level.WARNING, f"Address updated for node {peer.name}, now {peer.ip}:{peer.port}")

    def _copy_flags(self, sender: Peer, packet: Packet) -> None:
        flags = sender.flags & ~COPIED | packet.flags & COPIED
        if packet.mflags & MessageFlag.EXT_DATA:
            flags |= Flag.EXTENSIONS_SUPPORTED
        if packet.mflags & MessageFlag.IDENTITY:
            sender.cluster = sender.cluster or ""
        if flags != sender.flags:
            sender.flags = flags
            self._peers.touch(sender)

    def _hear_role(self, sender: Peer, packet: Packet) -> None:
        if packet.primary is None:
            self._claims.make_primary(sender)
        else:
            self._claims.make_replica(sender, self._peers.known(packet.primary))

    def _hear_claims(self, sender: Peer, packet: Packet, now: Millis) -> None:
        claimant = sender if packet.primary is None else self._peers.known(packet.primary)
        disputed = claimant is not None and packet.slots != claimant.bitmap
        if sender.is_primary:
            self._hear_claim(sender, packet.config_epoch, packet.slots)
        if disputed:
            owner = self._claims.contradiction(sender, packet.config_epoch, packet.slots)
            if owner is not None:
                self._out.log(
                    Level.VERBOSE,
                    f"Node {sender.name} has old slots configuration, sending an UPDATE message about {owner.name}",
                )
                self._voice.update(sender, owner)
        self._claims.notice_collision(sender, now)

    def _hear_claim(self, claimant: Peer, epoch: int, bitmap: bytes) -> None:
        lost = self._claims.hear(claimant, epoch, bitmap)
        if lost:
            self._roles.lost(lost, int.from_bytes(bitmap, "little"), claimant)

    def _hear_gossip(self, sender: Peer, entry: Entry, now: Millis) -> None:
        peer = self._peers.by_id.get(entry.node)
        if peer is None:
            self._hear_of_new(entry, now)
            return
        if not ((entry.flags | peer.flags) & DOUBTFUL or peer.reports):
            self._detector.vouched(peer, entry.pong_received_s * 1000, now)
            return
        if peer is self._peers.me:
            return
        failing = bool(entry.flags & (Flag.PFAIL | Flag.FAIL))
        if sender.is_voter and (failing or peer.reports):
            self._detector.reported(peer, sender, failing, now)
        if failing:
            return
        self._detector.vouched(peer, entry.pong_received_s * 1000, now)
        if self._seeks_address(peer, now) and not entry.flags & Flag.NOADDR and entry.ip and entry.cport:
            address = (entry.ip, entry.port, entry.pport, entry.cport)
            if peer.address != address:
                self._peers.move(peer, *address, now)

    def _seeks_address(self, peer: Peer, now: Millis) -> bool:
        """Others may know better where it is. They may also still believe what we no longer do."""
        if peer.is_foreign(self._peers.me.cluster):
            return False
        if peer.flags & Flag.NOADDR:
            return now - peer.linked_at > RETRY_MS
        return bool(peer.flags & (Flag.PFAIL | Flag.FAIL))

    def _hear_of_new(self, entry: Entry, now: Millis) -> None:
        """Known nodes may bring others with them: that is how the mesh becomes full."""
        banned = self._peers.bans.get(entry.node, 0) > now
        if banned or entry.flags & (Flag.NOADDR | Flag.HANDSHAKE) or not (entry.ip and entry.cport):
            return
        flags = entry.flags & (ROLES | Flag.FAIL)
        if not flags & ROLES or flags & ROLES == ROLES:
            flags = flags & ~ROLES | Flag.MASTER
        peer = Peer(entry.node, entry.ip, entry.port, entry.cport, entry.pport, flags)
        if flags & Flag.FAIL:
            peer.fail_time = now
        self._peers.add(peer, now)

    def _hear_extensions(self, sender: Peer, extensions: tuple[Extension, ...], now: Millis) -> None:
        """A name that is not told is a name that is no more; a shard stays."""
        hostname = human_name = ""
        shard_id = sender.shard_id
        for extension in extensions:
            if isinstance(extension, Hostname):
                hostname = extension.name
            elif isinstance(extension, HumanName):
                human_name = extension.name
            elif isinstance(extension, ShardId):
                shard_id = extension.shard
            elif isinstance(extension, Forgotten):
                self._hear_forgotten(extension, now)
        if (hostname, human_name, shard_id) != (sender.hostname, sender.human_name, sender.shard_id):
            sender.hostname, sender.human_name, sender.shard_id = hostname, human_name, shard_id
            self._peers.touch(sender)

    def _hear_forgotten(self, forgotten: Forgotten, now: Millis) -> None:
        peer, me = self._peers.known(forgotten.node), self._peers.me
        since = now + (forgotten.ttl_s + 1) * 1000 - BAN_MS  # who was met again after that is meant to be here
        if peer is not None and peer is not me and peer.id != me.primary and peer.created <= since:
            self._peers.ban(peer.id, now + min(forgotten.ttl_s, 3600) * 1000)
            self._claims.forget(peer)

    # UPDATE

    def _update(self, update: Update) -> None:
        """Somebody owns slots that we, or those we believed, claimed."""
        owner = self._peers.known(update.node)
        if owner is None or owner is self._peers.me:
            return
        if owner.config_epoch >= update.config_epoch or update.config_epoch > LARGEST_EPOCH:
            return
        self._claims.make_primary(owner)
        self._claims.see_epochs(owner, 0, update.config_epoch)
        self._hear_claim(owner, update.config_epoch, update.slots)


def _identity_in(ping: Ping) -> str | None:
    """The identity of its cluster that the sender tells: empty for none, None if it knows of no such thing."""
    return next((e.identity for e in ping.extensions if isinstance(e, ClusterIdentity)), None)
