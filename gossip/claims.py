"""Whose slots they are: ownership, roles and the epochs that settle disputes.

Rules kept here (Redis cluster specification, "Hash slots configuration propagation" and "Configuration epochs"):
- A slot goes to the claimant with the larger config epoch. Nobody's slots, and those whose owner has stopped claiming
  them, go to whoever claims them.
- A slot being imported is left alone by claims: only the operator's SETSLOT NODE ends an import.
- Of two claimants of one shard with one epoch the elected one wins: SETSLOT NODE takes an epoch without asking anybody.
- What is open between two shards stays open when one of them gets another primary: the other end of a slot is then the
  successor. A replica knows which slots its primary has open (as in Valkey 8), and has them open when it succeeds it.
- Two primaries never keep one config epoch: the one with the smaller id takes a new one, after a moment drawn by
  chance. When many nodes meet with the same epoch, each then hears of the epochs that others took before it. One that
  comes back from a restart, a stop or a minority waits until it has surely been told whose its slots are by now.
- Our own new epoch, and slots of our own, are on disk before anybody hears of them (``promised``).
- A replica owns nothing.

Sets of slots are integers with bit s for slot s, so a comparison of two nodes is one operation, not 16384.
"""

from random import Random
from typing import Final

from gossamer.cluster.topology import NOBODY, Flag, Millis, NodeId
from gossamer.gossip.bitmap import BITMAP_BYTES, bitmap_to_slots
from gossamer.gossip.effects import Level, Outbox
from gossamer.gossip.peers import Peer, Peers

FULL: Final = int.from_bytes(b"\xff" * BITMAP_BYTES, "little")
"""All slots, as a set. Written as a shift, mypyc would fold it into a literal that is too long for it, and crash."""
LATER_MS: Final = 100
"""When a collision is looked at again that could not be settled."""
PATIENCE_MS_PER_NODE: Final = 10
"""Up to this long, for each node known, a collision of epochs may wait."""


def slots_in(mask: int) -> list[int]:
    """The slots of a set, ascending."""
    return bitmap_to_slots(mask.to_bytes(BITMAP_BYTES, "little"))


class Claims:
    """The table of owners, this node's open slots, and the epochs."""

    def __init__(self, peers: Peers, rng: Random, out: Outbox) -> None:
        self.owners: list[NodeId | None] = list(NOBODY)
        self.owned = 0
        self.unclaimed = 0
        self.unconfirmed = 0
        """My slots for which a claim with my own epoch wins: a vote is better than a hand-over (handover.py)."""
        self.migrating: dict[int, NodeId] = {}
        self.importing: dict[int, NodeId] = {}
        self.primary_open_slots: dict[int, tuple[str, NodeId]] = {}
        """On a replica: the slots that its primary has open, ``migrating`` or ``importing``, and the other end."""
        self.current_epoch = 0
        self.last_vote_epoch = 0
        self.reserved_epoch = 0
        """One that nobody has used yet, and that is on disk; 0 if there is none."""
        self.elected_epoch = 0
        """That in which a majority has voted for this node, in this life; or another that it had to take instead."""
        self.keeps_epoch = False
        """I claim slots that another has been granted: a new epoch of mine would take them back (KeepEpoch)."""
        self.collision_due: Millis | None = None
        self._owners_view: tuple[NodeId | None, ...] | None = None
        self._peers = peers
        self._me = peers.me
        self._rng = rng
        self._out = out

    def owners_view(self) -> tuple[NodeId | None, ...]:
        if self._owners_view is None:
            self._owners_view = tuple(self.owners)
        return self._owners_view

    # Ownership

    def assign(self, slots: int, to: Peer | None) -> None:
        """Give ``slots`` to a primary, or to nobody, whoever had them."""
        assert to is None or to.is_primary, "a replica owns nothing"
        if slots & self.owned:
            for peer in self._peers.roster():
                if peer is not to and peer.slots & slots:
                    self._peers.touch(peer)
                    peer.set_slots(peer.slots & ~slots)
        if to is None:
            self.owned &= ~slots
        else:
            self.owned |= slots
            self._out.promised |= to is self._me and bool(slots & ~to.slots)
            self._give(slots, to)
        owner = to.id if to else None
        for slot in slots_in(slots):
            self.owners[slot] = owner
        self.unclaimed &= ~slots
        self._owners_view = None
        self._out.changed()

    def _give(self, slots: int, to: Peer) -> None:
        """A primary's first slot makes it a home for replicas if other primaries have some."""
        if slots and not to.slots and any(p.primary for p in self._peers.roster()):
            to.flags |= Flag.MIGRATE_TO
        to.set_slots(to.slots | slots)
        self._peers.touch(to)

    def apply_claim(self, claimant: Peer, epoch: int, bitmap: bytes) -> int:
        """A primary says, or somebody says of it, that it owns these slots since ``epoch``.

        Returns the slots that my shard has lost to it.
        """
        if claimant is self._me or (bitmap == claimant.bitmap and not claimant.slots & self.unclaimed):
            return 0
        claimed = int.from_bytes(bitmap, "little")
        self._redirect_to_successor(claimant, epoch, claimed)
        self.unclaimed = self.unclaimed & ~(claimed & claimant.slots) | (claimant.slots & ~claimed)
        won = self._won(claimant, epoch, claimed & ~claimant.slots)
        if not won:
            return 0
        primary = self._peers.shard_primary()
        lost = primary.slots & won if primary else 0
        self.assign(won, claimant)
        if lost:
            self._out.save_now = True
        for slot in [slot for slot in self.migrating if lost >> slot & 1]:
            del self.migrating[slot]
        for slot in [
            slot for slot, (action, _) in self.primary_open_slots.items() if action == "migrating" and lost >> slot & 1
        ]:
            del self.primary_open_slots[slot]
        return lost

    def _won(self, claimant: Peer, epoch: int, wanted: int) -> int:
        """Which of the slots it does not have yet the claimant gets."""
        for slot, source in self.importing.items():
            if source != claimant.id or self.owners[slot] == self._me.id:
                wanted &= ~(1 << slot)
        if not wanted & self.owned:
            return wanted
        for owner in self._peers.roster():
            if owner is not claimant and owner.slots & wanted and owner.config_epoch >= epoch:
                kept = owner.slots
                if owner is self._me and owner.config_epoch == epoch:
                    kept &= 0 if self._replaces_me(claimant) else ~self.unconfirmed
                wanted &= ~kept | self.unclaimed
        return wanted

    def _replaces_me(self, claimant: Peer) -> bool:
        """Has a replica of mine been elected, in the epoch that I have taken for myself?"""
        elected = self.elected_epoch == self._me.config_epoch
        return not elected and bool(claimant.shard_id) and claimant.shard_id == self._me.shard_id

    def still_claimed(self, peer: Peer) -> int:
        """The slots of ``peer`` without those that it has given up, though nobody else has claimed them yet."""
        return peer.slots & ~self.unclaimed

    # Open slots

    def note_primary_slot(self, slot: int, action: str, node: NodeId) -> None:
        """My primary has been asked to do this with ``slot``."""
        if action in ("migrating", "importing"):
            self.primary_open_slots[slot] = action, node
        elif action == "node" and slot in self.leaving() and self.owners[slot] != node and not self._leads_me(node):
            # Its keys are there already. That the slot is, too, has yet to come from the new owner as gossip.
            self.primary_open_slots[slot] = "migrating", node
        else:
            self.primary_open_slots.pop(slot, None)
        self._out.changed()

    def leaving(self) -> dict[int, NodeId]:
        """On a replica: the slots that its primary sends away, and where to, as far as I know these nodes."""
        known = self._peers.by_id
        open_there = self.primary_open_slots.items()
        return {slot: node for slot, (action, node) in open_there if action == "migrating" and node in known}

    def _leads_me(self, node: NodeId) -> bool:
        primary = self._peers.shard_primary()
        return primary is not None and primary.id == node

    def reopen_primary_slots(self) -> None:
        """This node has succeeded its primary, slots and all: what that one had open is open here."""
        open_there, self.primary_open_slots = self.primary_open_slots, {}
        for slot, (action, node) in open_there.items():
            mine = self.owners[slot] == self._me.id
            if node in self._peers.by_id and node != self._me.id and mine == (action == "migrating"):
                (self.migrating if mine else self.importing)[slot] = node

    def _redirect_to_successor(self, claimant: Peer, epoch: int, claimed: int) -> None:
        """``claimant`` may have taken over the slots of its shard from the other end of an open slot."""
        tables = (self.migrating, self.importing)
        for other in {node for table in tables for node in table.values()} | {
            node for _, node in self.primary_open_slots.values()
        }:
            peer = self._peers.by_id.get(other)
            if peer is None or peer is claimant or not peer.shard_id or peer.shard_id != claimant.shard_id:
                continue
            if peer.slots & claimed and epoch > peer.config_epoch:
                self._redirect(other, claimant)

    def _redirect(self, other: NodeId, successor: Peer) -> None:
        for table in (self.migrating, self.importing):
            for slot in [slot for slot, node in table.items() if node == other]:
                if successor is self._me:
                    del table[slot]
                else:
                    table[slot] = successor.id
                self._out.changed()
        for slot, (action, node) in self.primary_open_slots.items():
            if node == other:
                self.primary_open_slots[slot] = action, successor.id
                self._out.changed()

    def contradiction(self, sender: Peer, epoch: int, bitmap: bytes) -> Peer | None:
        """The owner, known to us with a larger epoch, of the first slot that ``sender`` wrongly claims."""
        claimed = int.from_bytes(bitmap, "little") & ~self.unclaimed & ~sender.slots
        wrong = 0
        if claimed & self.owned:
            for owner in self._peers.roster():
                if owner is not sender and owner.config_epoch > epoch:
                    wrong |= owner.slots & claimed
        if not wrong:
            return None
        first = (wrong & -wrong).bit_length() - 1
        owner_id = self.owners[first]
        assert owner_id is not None
        return self._peers.by_id[owner_id]

    # Roles

    def make_primary(self, peer: Peer) -> None:
        """A replica says it is a primary now. Having been promoted it welcomes replicas."""
        if peer.is_primary:
            return
        before = peer.primary
        peer.flags = peer.flags & ~Flag.SLAVE | Flag.MASTER
        if before is not None:
            peer.flags |= Flag.MIGRATE_TO
        peer.primary = None
        self._left(before)
        self._peers.touch(peer)

    def make_replica(self, peer: Peer, primary: Peer | None) -> None:
        """A node says it is a replica of ``primary`` (None: of somebody we do not know). It owns nothing any more."""
        assert peer is not self._me or not peer.slots, "roles.py sees to that"
        if peer.is_primary:
            if peer.slots:
                self.assign(peer.slots, None)
            peer.flags = peer.flags & ~(Flag.MASTER | Flag.MIGRATE_TO) | Flag.SLAVE
            self._peers.touch(peer)
        if primary is None or primary is peer or peer.primary == primary.id:
            return
        self._redirect(peer.id, primary)
        before = peer.primary
        peer.primary = primary.id
        primary.flags |= Flag.MIGRATE_TO
        self._left(before)
        self._peers.touch(primary)
        self._peers.touch(peer)

    def _left(self, primary: NodeId | None) -> None:
        """A replica has left its primary, which may have no other."""
        peer = self._peers.by_id.get(primary or "")
        if peer is not None and not any(p.primary == peer.id for p in self._peers.roster()):
            peer.flags &= ~Flag.MIGRATE_TO
            self._peers.touch(peer)

    def forget(self, peer: Peer) -> None:
        """Remove a node with all that refers to it."""
        if peer.slots:
            self.assign(peer.slots, None)
        for table in (self.migrating, self.importing):
            for slot in [s for s, other in table.items() if other == peer.id]:
                del table[slot]
        for slot in [s for s, (_, other) in self.primary_open_slots.items() if other == peer.id]:
            del self.primary_open_slots[slot]
        for other in self._peers.roster():
            other.reports.pop(peer.id, None)
            if other.primary == peer.id:
                other.primary = None
                self._peers.touch(other)
        self._peers.remove(peer)
        self._left(peer.primary)

    # Epochs

    def see_epochs(self, peer: Peer, current: int, config: int) -> None:
        """The clock of the cluster is the largest epoch anybody has seen."""
        if current > self.current_epoch:
            self.current_epoch = current
            self._out.save_soon = True
        if config > peer.config_epoch and peer is not self._me:
            peer.config_epoch = config
            peer.view = None
            self._out.save_soon = True

    def notice_collision(self, other: Peer, now: Millis) -> None:
        """``other`` and I may be primaries with one config epoch, and it may be for me to take a new one."""
        if self._collides(other) and self.collision_due is None:
            self.collision_due = now + int(self._rng.random() * PATIENCE_MS_PER_NODE * len(self._peers))

    def settle_collision(self, now: Millis, outdated: bool) -> bool:
        """Take a new config epoch if that is due and still called for.

        Not while what I claim may be ``outdated`` (health.py): the new epoch would beat whoever has the slots by now.
        """
        if self.collision_due is None or now < self.collision_due:
            return False
        if self.keeps_epoch or outdated:
            self.collision_due = now + LATER_MS
            return False
        self.collision_due = None
        other = next((p for p in self._peers.roster() if self._collides(p)), None)
        if other is None:
            return False
        was_elected = self.elected_epoch and self.elected_epoch == self._me.config_epoch
        self._take_next_epoch()
        if was_elected:
            self.elected_epoch = self._me.config_epoch
        self._out.log(
            Level.VERBOSE,
            f"WARNING: configEpoch collision with node {other.name}. configEpoch set to {self._me.config_epoch}",
        )
        return True

    def _collides(self, other: Peer) -> bool:
        """Only a node that has told us its epoch itself can collide."""
        same = other.config_epoch == self._me.config_epoch and other.data_received
        return bool(same and self._me.is_primary and other.is_primary and other.id > self._me.id)

    def next_epoch(self) -> int:
        """A new epoch for an election, or the reserved one if it is still new; on disk before anybody hears of it."""
        taken = max(peer.config_epoch for peer in self._peers.roster())
        if self.reserved_epoch != self.current_epoch or self.reserved_epoch <= taken:
            self.reserve_epoch()
        self.reserved_epoch = 0
        return self.current_epoch

    def reserve_epoch(self) -> None:
        """Take the next epoch for an election that is to come: then nobody has to wait for the disk."""
        self.current_epoch += 1
        self.reserved_epoch = self.current_epoch
        self._out.promised = True

    def record_vote(self) -> None:
        """My one vote in this epoch is given."""
        assert self.last_vote_epoch < self.current_epoch, "one vote an epoch"
        self.last_vote_epoch = self.current_epoch
        self._out.promised = True

    def bump_epoch(self) -> bool:
        """Take a new config epoch without asking anybody, unless mine is the largest already."""
        largest = max(self.current_epoch, max(p.config_epoch for p in self._peers.roster()))
        if self._me.config_epoch and self._me.config_epoch == largest:
            return False
        self.current_epoch = max(self.current_epoch, largest)
        self._take_next_epoch()
        self._out.log(Level.WARNING, f"New configEpoch set to {self._me.config_epoch}")
        return True

    def take_epoch_above(self, beyond: int) -> None:
        """Take a new config epoch without asking anybody: larger than ``beyond`` and than all that are known."""
        largest = max(p.config_epoch for p in self._peers.roster())
        self.current_epoch = max(self.current_epoch, largest, beyond)
        self._take_next_epoch()
        assert self._me.config_epoch > beyond

    def _take_next_epoch(self) -> None:
        self.current_epoch += 1
        self._me.config_epoch = self.current_epoch
        self._peers.touch(self._me)
        self._out.promised = True
