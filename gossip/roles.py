"""This node's own role: primary, or whose replica, and what the rest of the node is told of it.

Rules kept here (cluster bus of Redis 7.0, clusterUpdateSlotsConfigWith and clusterSetMaster):
- Who loses the last slot of its shard follows the winner, if replicas may move or the winner took exactly our slots,
  as a promoted replica does. So a primary that was replaced comes back as a replica, and its replicas move along.
- A primary that stays one deletes the keys of the slots that it has lost. Its replicas hear of that from it; one that
  takes its place does it if the old primary may not have come to it.
- A replica of a replica follows the primary of that one: there are no chains in a cluster.
- A replica whose primary has lost its address follows nobody (Unfollow) until it is found or replaced: who is at the
  old address may be an empty node, and its snapshot would replace what may be the last copy.
- The machine is told (Lead, Follow) whenever what it was told last is no longer so; also at the start, and when the
  primary has moved to another address. Nobody else says so.
"""

from typing import Final

from gossamer.cluster.topology import Flag, Millis, NodeId
from gossamer.gossip.announcer import Announcer
from gossamer.gossip.claims import slots_in
from gossamer.gossip.effects import DropKeys, Follow, Lead, Level, Unfollow
from gossamer.gossip.peers import Peer
from gossamer.gossip.tables import Tables

AWAY: Final = ("", "", 0)


class Roles:
    """Whoever changes the role of this node does it here, and everybody hears of it."""

    def __init__(self, tables: Tables, announcer: Announcer) -> None:
        self._tables = tables
        self._peers = tables.peers
        self._claims = tables.claims
        self._me = tables.me
        self._announcer = announcer
        self._out = tables.out
        self._judged: NodeId | None = tables.me.primary
        """Whose failure or health MY_PRIMARY_FAIL last told of."""
        self._sibling_saw_failure = False
        self._departed = 0
        """Slots that my primary has lost while I was its replica."""
        self._machine_role: tuple[NodeId, str, int] | None = None
        """Whom the machine follows; AWAY: somebody who is to be found first; None: nobody, as when it starts."""

    # Changes

    def follow(self, primary: Peer, now: Millis) -> None:
        """Become a replica of ``primary``, and tell everybody.

        A replica owns nothing, opens no slots, and has no config epoch of its own.
        """
        assert primary is not self._me
        assert primary.is_primary
        assert not self._me.slots
        self._claims.migrating.clear()
        self._claims.importing.clear()
        self._claims.unconfirmed = self._departed = 0
        self._tables.replication.primary_lost_data = False
        self._claims.primary_open_slots.clear()
        if self._me.primary != primary.id:
            self._announcer.announce(now)
        self._claims.make_replica(self._me, primary)
        self._me.config_epoch = 0
        self._out.promised = True
        assert not self._me.is_primary
        assert self._me.primary == primary.id

    def lead(self, now: Millis) -> None:
        """Become a primary, without slots yet, and tell everybody."""
        assert not self._me.is_primary
        assert not self._me.slots
        self._announcer.announce(now)
        self._me.flags &= ~Flag.MY_PRIMARY_FAIL
        self._claims.make_primary(self._me)
        self._out.promised = True

    def take_over(self, primary: Peer, now: Millis) -> None:
        """Become a primary with all that ``primary`` owns. What it no longer claims is somebody else's, even if nobody
        has told us yet whose.
        """
        assert self._me.primary == primary.id
        slots = self._claims.still_claimed(primary)
        self._departed |= primary.slots
        self.lead(now)
        self._claims.assign(slots, self._me)
        self._claims.reopen_primary_slots()
        leftover, self._departed = self._departed & ~slots, 0
        if leftover:
            self._out.do(DropKeys(tuple(slots_in(leftover))))

    def slots_lost(self, slots: int, claimed: int, winner: Peer, now: Millis) -> None:
        """``winner``, which claims ``claimed``, has taken ``slots`` of my shard."""
        primary = self._peers.shard_primary()
        if (
            primary is not None
            and not primary.slots
            and (self._tables.config.allow_replica_migration or claimed == slots)
        ):
            self._out.log(
                Level.WARNING, f"Configuration change detected. Reconfiguring myself as a replica of {winner.name}"
            )
            self.follow(winner, now)
        elif self._me.is_primary:
            if not self._me.slots:
                self._out.log(
                    Level.WARNING, f"My last slot was taken over by node {winner.name}. I am now an empty primary."
                )
            self._out.do(DropKeys(tuple(slots_in(slots))))
        else:
            self._departed |= slots

    def leave_chain(self, now: Millis) -> None:
        """My primary may have become a replica itself."""
        primary = None if self._me.is_primary else self._peers.shard_primary()
        if primary is None or primary.is_primary:
            return
        above = self._peers.known(primary.primary or "")
        if above is not None and above is not self._me and above.is_primary:
            self._out.log(Level.NOTICE, f"My primary {primary.name} is a replica of {above.name}: following that one")
            self.follow(above, now)

    # What follows from the role

    def tell_machine(self, now: Millis) -> None:
        """Let the machine know of the role, if it does not yet."""
        me, primary = self._me, None if self._me.is_primary else self._peers.shard_primary()
        self._judge_primary(primary, now)
        if primary is not None and primary.shard_id and primary.shard_id != me.shard_id:
            self._join_shard(primary.shard_id)
        if me.is_primary:
            self._tables.replication.data_from_other_shard = False
            if self._machine_role is not None:
                self._machine_role, self._out.role = None, Lead()
        elif primary is not None and primary.ip and primary.port:
            role = primary.id, primary.ip, primary.port
            if self._machine_role != role:
                self._machine_role, self._out.role = role, Follow(*role)
        elif primary is not None and primary.has(Flag.NOADDR) and self._machine_role not in (None, AWAY):
            self._machine_role, self._out.role = AWAY, Unfollow()
            self._out.log(
                Level.WARNING, f"My primary {primary.name} is not at its address any more: its data stays here"
            )

    @property
    def acks_suspended(self) -> bool:
        """Whether nothing may be acknowledged to it (machine.py): it has failed, as this node or a sibling sees it."""
        return self._sibling_saw_failure or self._me.has(Flag.MY_PRIMARY_FAIL)

    def review(self) -> None:
        """Look at the siblings again. Who has seen the primary fail may be elected on what this node told it then, even
        if the primary is well again by now.
        """
        primary = None if self._me.is_primary else self._peers.shard_primary()
        siblings = [] if primary is None else self._peers.replicas_of(primary)
        self._sibling_saw_failure = any(
            p.has(Flag.MY_PRIMARY_FAIL) and not p.has(Flag.FAIL) for p in siblings if p is not self._me
        )

    def _join_shard(self, shard_id: str) -> None:
        """My primary is of another shard than I was. So is all that has been replicated to me until now."""
        assert not self._me.is_primary
        self._me.shard_id = shard_id
        self._tables.replication.data_from_other_shard = True
        self._peers.touch(self._me)

    def _judge_primary(self, primary: Peer | None, now: Millis) -> None:
        """The flag by which the replicas of a shard know that all of them have seen their primary fail.

        From then on this node acknowledges nothing to that primary: so the offset that goes with the flag says all that
        may have been promised on its account.
        """
        if primary is not None and (primary.has(Flag.FAIL) or self._tables.replication.primary_lost_data):
            self._me.flags |= Flag.MY_PRIMARY_FAIL
        elif self._me.has(Flag.MY_PRIMARY_FAIL):
            self._me.flags &= ~Flag.MY_PRIMARY_FAIL
            if self._me.primary == self._judged:
                self._announcer.announce(now)  # the siblings wait for that; of a new primary they hear anyway
        self._judged = self._me.primary
