"""CLUSTER commands of the operator, checked and executed: MEET, FORGET, ADDSLOTS, SETSLOT and their kin.

Texts and the order of checks are those of Redis 7.0.15. What only the command's arguments can get wrong (not a number,
a slot out of range) has been refused before it comes here.
"""

from ipaddress import ip_address

from gossamer.cluster.topology import Flag, Millis
from gossamer.gossip.claims import FULL, slots_in
from gossamer.gossip.components import Components
from gossamer.gossip.effects import Answer, DropKeys, Hangup, Level
from gossamer.gossip.events import (
    AddSlots,
    BumpEpoch,
    ClusterCommand,
    DelSlots,
    Failover,
    FlushSlots,
    Forget,
    KeepEpoch,
    KillLink,
    Meet,
    Replicate,
    Reset,
    SaveConfig,
    SetConfigEpoch,
    SetSlot,
    TakeSlots,
)
from gossamer.gossip.peers import BAN_MS, Peer
from gossamer.gossip.tables import Tables


class Refusal(Exception):
    """The command is refused, and nothing was changed; the text is for the client."""


class ClusterCommands:
    """Executes them. Checks come in the order in which a client of Redis sees them."""

    def __init__(self, tables: Tables, components: Components) -> None:
        self._tables = tables
        self._handover = components.handover
        self._health = components.health
        self._roles = components.roles
        self._manual_failover = components.manual_failover
        self._peers = tables.peers
        self._claims = tables.claims
        self._announcer = components.announcer
        self._me = tables.me
        self._out = tables.out

    def execute(self, command: ClusterCommand, now: Millis) -> None:
        """Execute it and answer, or raise Refusal with nothing changed."""
        answer = "OK"
        claimed = self._me.slots, self._me.config_epoch
        match command:
            case Meet(ip, port, cport):
                self._meet(ip, port, port + 10000 if cport is None else cport, now)
            case Forget(node):
                self._forget(node, now)
            case AddSlots(slots):
                self._add_slots(slots)
            case DelSlots(slots):
                self._del_slots(slots)
            case FlushSlots(keys):
                self._flush_slots(keys)
            case SetSlot(from_primary=True):
                self._set_slot_from_primary(command)
            case SetSlot():
                self._set_slot(command, now)
            case TakeSlots(slots, beyond):
                self._take_slots(slots, beyond, now)
            case SetConfigEpoch(epoch):
                self._set_config_epoch(epoch)
            case KeepEpoch(on):
                self._claims.keeps_epoch = on
                self._manual_failover.handing_over(on, now)
                self._out.do(Answer(answer))
                return  # other nodes need not know, and it ends with this process
            case BumpEpoch():
                self._refuse_while_handing_over()
                answer = f"{'BUMPED' if self._claims.bump_epoch() else 'STILL'} {self._me.config_epoch}"
            case Reset(hard, keys):
                self._reset(hard, keys, now)
            case Replicate(node, keys):
                self._replicate(node, keys, now)
            case Failover(how):
                self._fail_over(how, now)
            case SaveConfig():
                pass
            case KillLink(way, node):
                self._kill_link(way, node, now)
                self._out.do(Answer(answer))
                return
        if isinstance(command, BumpEpoch):
            self._announcer.leave_time_to_repair(now)
        elif self._is_news(command, claimed == (self._me.slots, self._me.config_epoch)):
            self._announcer.announce(now)
        self._out.save_now = True
        self._out.promised |= isinstance(command, Forget | SetConfigEpoch | Reset | SaveConfig)
        self._out.do(Answer(answer))

    def _is_news(self, command: ClusterCommand, claims_the_same: bool) -> bool:
        """Whether it has changed what this node says of itself.

        redis-cli says SETSLOT NODE to every primary, and their replicas are told: if all of them spoke to all, it would
        be n² packets for each slot that moves. Only the two whose slot it is have news.
        """
        match command:
            case Meet() | SaveConfig():
                return False
            case Failover():
                return self._me.is_primary  # else it is only under way
            case SetSlot():
                return not claims_the_same
        return True

    # Nodes

    def _kill_link(self, way: str, node: str, now: Millis) -> None:
        peer = self._peers.by_id.get(node)
        if peer is None:
            raise Refusal(f"Unknown node {node}")
        links = [peer.link] if way != "from" else []
        if way != "to":
            links.append(peer.inbound)
        for link in links:
            if link is not None:
                self._out.do(Hangup(link))
                self._peers.link_lost(link, now)

    def _meet(self, ip: str, port: int, cport: int, now: Millis) -> None:
        try:
            address = str(ip_address(ip))
        except ValueError:
            address = ""
        if not address or not 0 < port < 65536 or not 0 < cport < 65536:
            raise Refusal(f"Invalid node address specified: {ip}:{port}")
        self._peers.start_handshake(address, port, 0, cport, Flag.MEET, now)

    def _forget(self, node: str, now: Millis) -> None:
        peer = self._peers.by_id.get(node)
        if peer is None:
            if node in self._peers.bans:
                return  # another node has told us of its ban before the operator could: so it is done (Redis 7.2)
            raise Refusal(f"Unknown node {node}")
        if peer is self._me:
            raise Refusal("I tried hard but I can't forget myself...")
        if peer.id == self._me.primary:
            raise Refusal("Can't forget my master!")
        self._peers.ban(peer.id, now + BAN_MS)
        self._claims.forget(peer)

    def _reset(self, hard: bool, keys: int, now: Millis) -> None:
        if self._me.is_primary and keys:
            raise Refusal("CLUSTER RESET can't be called with master nodes containing keys")
        if not self._me.is_primary:
            self._roles.lead(now)
            self._out.do(DropKeys(tuple(slots_in(FULL))))
        self._claims.assign(FULL, None)
        for peer in self._peers.others():
            self._claims.forget(peer)
        self._peers.bans.clear()  # else it would tell its next cluster to forget nodes that have come back meanwhile
        self._claims.migrating.clear()
        self._claims.importing.clear()
        self._me.cluster = ""
        self._me.flags &= ~Flag.MIGRATE_TO
        if hard:
            self._be_born_again()
        self._peers.touch(self._me)

    def _be_born_again(self) -> None:
        self._claims.current_epoch = self._claims.last_vote_epoch = self._claims.reserved_epoch = 0
        self._me.config_epoch = 0
        self._out.log(Level.WARNING, "configEpoch set to 0 via CLUSTER RESET HARD")
        self._peers.rename_me(self._peers.new_id())
        self._me.shard_id = self._peers.new_id()
        self._out.log(Level.NOTICE, f"Node hard reset, now I'm {self._me.id}")

    # Slots

    def _listed(self, slots: tuple[int, ...], owned: bool) -> int:
        """The slots named, as a set; refused if one is not owned as it should be, or named twice."""
        mask = 0
        for slot in slots:
            if (self._claims.owners[slot] is not None) != owned:
                raise Refusal(f"Slot {slot} is already {'unassigned' if owned else 'busy'}")
            if mask >> slot & 1:
                raise Refusal(f"Slot {slot} specified multiple times")
            mask |= 1 << slot
        return mask

    def _add_slots(self, slots: tuple[int, ...]) -> None:
        mask = self._listed(slots, owned=False)
        self._must_lead("ADDSLOTS")
        for slot in slots:
            self._claims.importing.pop(slot, None)
        self._claims.assign(mask, self._me)

    def _del_slots(self, slots: tuple[int, ...]) -> None:
        mask = self._listed(slots, owned=True)
        self._must_lead("DELSLOTS")
        self._claims.assign(mask, None)

    def _flush_slots(self, keys: int) -> None:
        self._must_lead("FLUSHSLOTS")
        if keys:
            raise Refusal("DB must be empty to perform CLUSTER FLUSHSLOTS.")
        self._claims.assign(self._me.slots, None)

    def _must_lead(self, command: str) -> None:
        """A replica has no slots to give or to take: it would only forget, for itself alone, whose they are."""
        if not self._me.is_primary:
            raise Refusal(f"Please use {command} only with masters.")

    def _set_slot(self, command: SetSlot, now: Millis) -> None:
        self._must_lead("SETSLOT")
        slot, claims = command.slot, self._claims
        mine = claims.owners[slot] == self._me.id
        if command.action == "migrating":
            if not mine:
                raise Refusal(f"I'm not the owner of hash slot {slot}")
            claims.migrating[slot] = self._other_end(command.node).id
        elif command.action == "importing":
            if mine:
                raise Refusal(f"I'm already the owner of hash slot {slot}")
            claims.importing[slot] = self._other_end(command.node).id
        elif command.action == "stable":
            claims.migrating.pop(slot, None)
            claims.importing.pop(slot, None)
        else:
            self._set_slot_node(command, mine, now)
        self._out.changed()

    def _set_slot_from_primary(self, command: SetSlot) -> None:
        """The primary of this replica has been asked to."""
        if self._me.is_primary:
            return
        self._claims.note_primary_slot(command.slot, command.action, command.node)
        primary = self._peers.shard_primary()
        if command.action == "node" and primary is not None and primary.id == command.node and primary.is_primary:
            self._claims.assign(1 << command.slot, primary)

    def _other_end(self, node: str) -> Peer:
        peer = self._peers.by_id.get(node)
        if peer is None:
            raise Refusal(f"I don't know about node {node}")
        return self._must_be_primary(peer)

    def _must_be_primary(self, peer: Peer) -> Peer:
        if not peer.is_primary:
            raise Refusal("Target node is not a master")
        return peer

    def _set_slot_node(self, command: SetSlot, mine: bool, now: Millis) -> None:
        """SETSLOT NODE: the slot is at its new home, and if that is here, a new epoch says so."""
        slot, owner = command.slot, self._peers.by_id.get(command.node)
        if owner is None:
            raise Refusal(f"Unknown node {command.node}")
        self._must_be_primary(owner)
        if owner is self._me and slot in self._claims.importing:
            self._refuse_while_handing_over()
        if mine and owner is not self._me and command.keys:
            raise Refusal(
                f"Can't assign hashslot {slot} to a different node while I still hold keys for this hash slot."
            )
        if not command.keys:
            self._claims.migrating.pop(slot, None)
        self._claims.assign(1 << slot, owner)
        if mine and owner is not self._me and not self._me.slots and self._tables.config.allow_replica_migration:
            self._out.log(
                Level.WARNING, f"Configuration change detected. Reconfiguring myself as a replica of {owner.name}"
            )
            self._roles.follow(owner, now)
        if owner is self._me and self._claims.importing.pop(slot, None) is not None:
            if self._claims.bump_epoch():
                self._out.log(Level.WARNING, f"configEpoch updated after importing slot {slot}")
            self._handover.ping_voters(now)  # the keys are here: whoever decides who replaces me should know at once

    def _take_slots(self, slots: tuple[int, ...], beyond: int, now: Millis) -> None:
        if not self._me.is_primary:
            raise Refusal("Slots can only be handed over to primary nodes.")
        mask = 0
        for slot in slots:
            mask |= 1 << slot
        new = mask & ~self._me.slots
        if new and self._health.may_be_outdated(now):
            raise Refusal("This node was away, and may not have been told yet whose its own slots are.")
        self._claims.take_epoch_above(beyond)
        self._claims.assign(mask, self._me)
        self._out.log(Level.NOTICE, f"configEpoch set to {self._me.config_epoch} after slots were handed over")
        if new:
            self._handover.begin(new, now)

    def _refuse_while_handing_over(self) -> None:
        if self._claims.keeps_epoch:
            raise Refusal("Slots are being handed over: no new config epoch until that is done")

    # Roles

    def _replicate(self, node: str, keys: int, now: Millis) -> None:
        primary = self._peers.known(node)
        if primary is None:
            raise Refusal(f"Unknown node {node}")
        if primary is self._me:
            raise Refusal("Can't replicate myself")
        if not primary.is_primary:
            raise Refusal("I can only replicate a master, not a replica.")
        if self._me.is_primary and (self._me.slots or keys):
            raise Refusal("To set a master the node must be empty and without assigned slots.")
        self._roles.follow(primary, now)

    def _fail_over(self, how: str, now: Millis) -> None:
        if self._me.is_primary:
            raise Refusal("You should send CLUSTER FAILOVER to a replica")
        primary = self._peers.shard_primary()
        if primary is None:
            raise Refusal("I'm a replica but my master is unknown to me")
        if how == "asking" and (primary.has(Flag.FAIL) or not primary.linked):
            raise Refusal("Master is down or failed, please use CLUSTER FAILOVER FORCE")
        if how == "takeover":
            self._out.log(Level.WARNING, "Taking over the master (user request).")
            self._claims.bump_epoch()
            self._roles.take_over(primary, now)
        else:
            self._claims.reserve_epoch()  # now, and not while writes are held back
            self._manual_failover.start(primary, how == "force", now)

    # Epochs

    def _set_config_epoch(self, epoch: int) -> None:
        if epoch < 0:
            raise Refusal(f"Invalid config epoch specified: {epoch}")
        if len(self._peers) > 1:
            raise Refusal("The user can assign a config epoch only when the node does not know any other node.")
        if self._me.config_epoch:
            raise Refusal("Node config epoch is already non-zero")
        self._me.config_epoch = epoch
        self._claims.current_epoch = max(self._claims.current_epoch, epoch)
        self._out.log(Level.WARNING, f"configEpoch set to {epoch} via CLUSTER SET-CONFIG-EPOCH")
        self._peers.touch(self._me)
