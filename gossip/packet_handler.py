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
from gossamer.gossip.components import Components
from gossamer.gossip.effects import Deliver, Hangup, Level
from gossamer.gossip.extensions import ClusterIdentity, Extension, Forgotten, Hostname, HumanName, ShardId
from gossamer.gossip.messages import IDENTITY
from gossamer.gossip.packet import Fail, GossipEntry, MessageFlag, MessageType, Packet, Ping, Publish, Update
from gossamer.gossip.peers import BAN_MS, ROLES, Acquaintance, Peer
from gossamer.gossip.tables import Tables

LARGEST_EPOCH: Final = 1 << 62
"""An epoch no cluster can reach: a message with a larger one is garbage, and believing it would leave no next epoch."""

RETRY_MS: Final = 1000
"""How long a node is without an address, at least, when somebody else was found there."""

DOUBTFUL: Final = Flag.PFAIL | Flag.FAIL | Flag.NOADDR | Flag.MYSELF
"""A node of which both sides have none of these is well, and so are nearly all that gossip is about."""

COPIED: Final = Flag.NOFAILOVER | Flag.LIGHT_PUBLISH_SUPPORTED | Flag.LIGHT_MODULE_SUPPORTED | Flag.MY_PRIMARY_FAIL
"""Flags that a node knows best about itself."""


class PacketHandler:
    """Reads packets. ``received`` counts them by kind; ``garbage`` counts what could not be used."""

    def __init__(self, tables: Tables, components: Components) -> None:
        self.received = [0] * len(MessageType)
        self.garbage = 0
        self.dropped = -1
        """Messages of this type are not read, for tests."""
        self._knows_own_ip = False
        self._tables = tables
        self._peers = tables.peers
        self._hostname_lookup = components.hostname_lookup
        self._identity = components.identity
        self._claims = tables.claims
        self._detector = components.detector
        self._messages = components.messages
        self._announcer = components.announcer
        self._roles = components.roles
        self._voting = components.voting
        self._election = components.election
        self._manual_failover = components.manual_failover
        self._handover = components.handover
        self._out = tables.out

    def process(self, link: int, packet: Packet, now: Millis) -> None:
        """One message. What comes in on a link that was hung up meanwhile is not read.

        The order matters. Nothing of a message may change the tables before its sender is known to be who it says, and
        to be of this cluster. Then comes what every message tells, and then what this one tells.
        """
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
            self._peers.link_lost(link, now)
            return
        expected = self._peers.outbound.get(link)
        if expected and not expected.flags & Flag.HANDSHAKE and not packet.light and packet.sender != expected.id:
            self._wrong_node_answered(expected, packet, now)
            return
        if isinstance(packet.body, Ping) and self._is_from_other_cluster(link, expected, packet, packet.body, now):
            return
        if expected and expected.trial_ip and not packet.light:
            self._found_at_trial_ip(expected, packet)
        sender = self.speaker(link) if packet.light else self._peers.known(packet.sender)
        if sender is not None and sender is not self._peers.me:
            self._process_header(sender, link, packet, now)
            if not packet.light:
                self._manual_failover.note_offset(sender, packet)
        self._process_body(link, packet, sender, now)

    def _process_body(self, link: int, packet: Packet, sender: Peer | None, now: Millis) -> None:
        body = packet.body
        if isinstance(body, Ping):
            self._process_ping(link, packet, body, sender, now)
        elif sender is None or sender is self._peers.me:
            if isinstance(body, Fail):
                self._out.log(
                    Level.NOTICE, f"Ignoring FAIL message from unknown node {packet.sender} about {body.node}"
                )
        elif isinstance(body, Fail):
            failed = self._peers.known(body.node)
            if failed is not None:
                self._detector.fail_received(failed, sender, now)
        elif isinstance(body, Publish):
            self._out.do(Deliver(body.channel, body.message, packet.kind is MessageType.PUBLISHSHARD))
        elif isinstance(body, Update):
            self._process_update(body, now)
        elif packet.kind is MessageType.FAILOVER_AUTH_REQUEST:
            self._election.note_rival(sender, packet, now)
            self._voting.vote_requested(sender, packet, now)
        elif packet.kind is MessageType.FAILOVER_AUTH_ACK:
            self._election.vote_received(sender, packet)
        elif packet.kind is MessageType.MFSTART:
            self._manual_failover.pause_requested(sender, link, now)

    def speaker(self, link: int) -> Peer | None:
        """The known node at the other end of a link."""
        peer = self._peers.outbound.get(link)
        inbound = self._peers.inbound.get(link)
        return self._peers.known(peer.id if peer else inbound.node if inbound else "")

    def _process_header(self, sender: Peer, link: int, packet: Packet, now: Millis) -> None:
        """What every message of a known node tells: that it lives, who speaks on the link, epochs and offset."""
        sender.data_received = now
        if link in self._peers.inbound and self._peers.bind(link, sender):
            self._peers.redial_if_stuck(sender, now)
            if sender.greeting:
                # Now it surely knows us and believes our gossip, which it may not have done when the handshake ended.
                sender.become(Acquaintance.KNOWN)
                self._announcer.introduce(sender, now)
        if packet.light:
            return
        self._claims.see_epochs(sender, packet.current_epoch, packet.config_epoch)
        self._election.note_epochs(sender, packet, now)
        if bool(packet.offset) != bool(sender.repl_offset):
            self._out.publish = True
        if packet.offset != sender.repl_offset:
            sender.repl_offset, sender.view = packet.offset, None

    # PING, PONG and MEET

    def _process_ping(self, link: int, packet: Packet, ping: Ping, sender: Peer | None, now: Millis) -> None:
        """The answer comes first: a stranger gets one too, and no other part of the message changes it."""
        if packet.kind is not MessageType.PONG:
            self._learn_own_ip(link, packet, sender)
            if packet.kind is MessageType.MEET and sender is None:
                self._start_handshake(link, packet, ping, now)
            accused = sender if sender is not None and sender.has(Flag.FAIL) else None
            self._messages.pong(link, packet.mflags, now, accused)
        expected = self._peers.outbound.get(link)
        if expected is not None and expected.flags & Flag.HANDSHAKE:
            sender = self._complete_handshake(expected, packet, sender, link, now)
        elif packet.kind is not MessageType.MEET and sender is not None:
            self._follow_address(sender, link, packet, now)
        if sender is None or sender is self._peers.me or self._is_unproven(packet, ping):
            return
        if packet.kind is MessageType.PONG and sender.link == link:
            self._detector.pong_arrived(sender, self._says_we_fail(ping), now)
            self._handover.pong_arrived(sender)
        self._copy_flags(sender, packet)
        self._note_role(sender, packet)
        self._process_claims(sender, packet, now)
        unasked = packet.kind is MessageType.PONG and link in self._peers.inbound
        for entry in ping.gossip:
            self._process_entry(sender, entry, now)
            if unasked and entry.ping_sent_s and entry.node in self._peers.by_id:
                self._detector.overdue_reported(self._peers.by_id[entry.node], now)
        self._note_identity(sender, link, ping, now)
        self._process_extensions(sender, ping.extensions, now)

    def _says_we_fail(self, ping: Ping) -> bool:
        """Is this node failing, in the eyes of the sender?"""
        me = self._peers.me.id
        return any(entry.node == me and entry.flags & (Flag.PFAIL | Flag.FAIL) for entry in ping.gossip)

    def _learn_own_ip(self, link: int, packet: Packet, sender: Peer | None) -> None:
        """The address at which a MEET reaches us is ours, unless one is announced.

        So is the one at which a known node first reaches us after a restart: what we remember may be of another place.
        """
        inbound, me = self._peers.inbound.get(link), self._peers.me
        if inbound is None or not inbound.local_ip or self._tables.config.announce_ip:
            return
        shown = packet.kind is MessageType.MEET or not me.ip or (sender is not None and not self._knows_own_ip)
        if not shown:
            return
        self._knows_own_ip = True
        if inbound.local_ip != me.ip:
            me.ip = inbound.local_ip
            self._out.log(Level.WARNING, f"IP address for this node updated to {me.ip}")
            self._peers.touch(me)

    def _is_from_other_cluster(self, link: int, expected: Peer | None, packet: Packet, ping: Ping, now: Millis) -> bool:
        """Whether the sender is of another cluster, so that nothing it tells may be heard (identity.py)."""
        identity = _identity_in(ping)
        if identity is None or not self._identity.is_other_identity(identity):
            return False
        if expected is not None and expected.flags & Flag.HANDSHAKE:
            self._identity.refuse(packet.sender, f"{expected.ip}:{expected.port}", identity)
            self._claims.forget(expected)
            return True
        sender = self._peers.known(packet.sender)
        if sender is None:
            return False
        if any(entry.node == self._peers.me.id for entry in ping.gossip):
            self._identity.reconcile(sender, identity, now)
            return False
        if link in self._peers.inbound:
            sender.data_received = now  # it lives; and if it knows us, it is shown that we know it
            if packet.kind is not MessageType.PONG:
                self._messages.pong(link, packet.mflags, now, sender)
        elif sender.trial_ip:
            self._hostname_lookup.wrong_node_answered(sender)
        elif self._identity.never_links_back(sender, now):
            sender.cluster = identity
            self._identity.refuse(sender.id, f"{sender.ip}:{sender.port}", identity)
            self._peers.lose_address(sender)
        return True

    def _is_unproven(self, packet: Packet, ping: Ping) -> bool:
        """A node that has an identity to tell has not told it, as it did not know yet that we understand. Our answer
        shows that, and its own answers tell it, so what it says can wait: it may have changed clusters.
        """
        may_tell = packet.kind is not MessageType.PONG and packet.mflags & IDENTITY
        return bool(may_tell and self._peers.me.cluster) and _identity_in(ping) is None

    def _note_identity(self, sender: Peer, link: int, ping: Ping, now: Millis) -> None:
        """A sender on a link of its own, or one that was just met, knows us; a mere answer shows nothing."""
        identity = _identity_in(ping)
        if identity is None:
            return
        sender.cluster = identity
        if link in self._peers.inbound or sender.greeting:
            self._identity.learn(sender, identity, now)

    def _start_handshake(self, link: int, packet: Packet, ping: Ping, now: Millis) -> None:
        identity, ip = _identity_in(ping), packet.ip or self._peer_ip(link)
        if identity and self._identity.is_other_identity(identity):
            self._identity.refuse(packet.sender, f"{ip}:{packet.port}", identity)
            return
        if ip:
            self._peers.start_handshake(ip, packet.port, packet.pport, packet.cport, 0, now)

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
        self._peers.complete_handshake(stranger, packet.sender, Flag.SLAVE if packet.primary else Flag.MASTER)
        self._process_header(stranger, link, packet, now)
        self._announcer.introduce(stranger, now)
        return stranger

    def _wrong_node_answered(self, expected: Peer, packet: Packet, now: Millis) -> None:
        """Of an address that was only tried, nothing follows. If it was believed, it is that of who answers there."""
        if expected.trial_ip:
            self._hostname_lookup.wrong_node_answered(expected)
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

    def _found_at_trial_ip(self, peer: Peer, packet: Packet) -> None:
        """A node answers at an address that was tried: there it is."""
        self._peers.set_address(peer, packet.ip or peer.trial_ip, packet.port, packet.pport, packet.cport)
        self._log_address(peer)

    def _follow_address(self, sender: Peer, link: int, packet: Packet, now: Millis) -> None:
        address = (packet.ip or self._peer_ip(link), packet.port, packet.pport, packet.cport)
        if sender is not self._peers.me and link in self._peers.inbound and address[0] and sender.address != address:
            self._move(sender, address, now)

    def _move(self, peer: Peer, address: tuple[str, int, int, int], now: Millis) -> None:
        self._peers.move(peer, *address, now)
        self._log_address(peer)

    def _log_address(self, peer: Peer) -> None:
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

    def _note_role(self, sender: Peer, packet: Packet) -> None:
        if packet.primary is None:
            self._claims.make_primary(sender)
        else:
            self._claims.make_replica(sender, self._peers.known(packet.primary))

    def _process_claims(self, sender: Peer, packet: Packet, now: Millis) -> None:
        claimant = sender if packet.primary is None else self._peers.known(packet.primary)
        disputed = claimant is not None and packet.slots != claimant.bitmap
        if sender.is_primary:
            self._process_claim(sender, packet.config_epoch, packet.slots, now)
        if disputed:
            owner = self._claims.contradiction(sender, packet.config_epoch, packet.slots)
            if owner is not None:
                self._out.log(
                    Level.VERBOSE,
                    f"Node {sender.name} has old slots configuration, sending an UPDATE message about {owner.name}",
                )
                self._messages.send_update(sender, owner)
        self._claims.notice_collision(sender, now)

    def _process_claim(self, claimant: Peer, epoch: int, bitmap: bytes, now: Millis) -> None:
        lost = self._claims.apply_claim(claimant, epoch, bitmap)
        if lost:
            self._roles.slots_lost(lost, int.from_bytes(bitmap, "little"), claimant, now)

    def _process_entry(self, sender: Peer, entry: GossipEntry, now: Millis) -> None:
        peer = self._peers.by_id.get(entry.node)
        if peer is None:
            self._add_from_entry(entry, now)
            return
        if not ((entry.flags | peer.flags) & DOUBTFUL or peer.reports):
            self._detector.pong_reported(peer, self._tables.clock.from_wall(entry.pong_received_s * 1000), now)
            return
        if peer is self._peers.me:
            return
        failing = bool(entry.flags & (Flag.PFAIL | Flag.FAIL))
        if sender.is_voter if failing else peer.reports:
            self._detector.report_received(peer, sender, failing, now)
        if failing:
            return
        self._detector.pong_reported(peer, self._tables.clock.from_wall(entry.pong_received_s * 1000), now)
        if self._seeks_address(peer, now) and not entry.flags & Flag.NOADDR and entry.ip and entry.cport:
            address = (entry.ip, entry.port, entry.pport, entry.cport)
            if peer.address != address:
                self._peers.move(peer, *address, now)

    def _seeks_address(self, peer: Peer, now: Millis) -> bool:
        """Others may know better where it is. They may also still believe what we no longer do."""
        if peer.is_of_other_cluster(self._peers.me.cluster):
            return False
        if peer.flags & Flag.NOADDR:
            return now - peer.linked_at > RETRY_MS
        return bool(peer.flags & (Flag.PFAIL | Flag.FAIL))

    def _add_from_entry(self, entry: GossipEntry, now: Millis) -> None:
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

    def _process_extensions(self, sender: Peer, extensions: tuple[Extension, ...], now: Millis) -> None:
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
                self._process_forgotten(extension, now)
        if (hostname, human_name, shard_id) != (sender.hostname, sender.human_name, sender.shard_id):
            sender.hostname, sender.human_name, sender.shard_id = hostname, human_name, shard_id
            self._peers.touch(sender)

    def _process_forgotten(self, forgotten: Forgotten, now: Millis) -> None:
        peer, me = self._peers.known(forgotten.node), self._peers.me
        since = now + (forgotten.ttl_s + 1) * 1000 - BAN_MS  # who was met again after that is meant to be here
        if peer is not None and peer is not me and peer.id != me.primary and peer.created <= since:
            self._peers.ban(peer.id, now + min(forgotten.ttl_s, 3600) * 1000)
            self._claims.forget(peer)

    # UPDATE

    def _process_update(self, update: Update, now: Millis) -> None:
        """Somebody owns slots that we, or those we believed, claimed."""
        owner = self._peers.known(update.node)
        if owner is None or owner is self._peers.me:
            return
        if owner.config_epoch >= update.config_epoch or update.config_epoch > LARGEST_EPOCH:
            return
        self._claims.make_primary(owner)
        self._claims.see_epochs(owner, 0, update.config_epoch)
        self._process_claim(owner, update.config_epoch, update.slots, now)


def _identity_in(ping: Ping) -> str | None:
    """The identity of its cluster that the sender tells: empty for none, None if it knows of no such thing."""
    for extension in ping.extensions:
        if isinstance(extension, ClusterIdentity):
            return extension.identity
    return None
