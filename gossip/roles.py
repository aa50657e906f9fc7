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

from gossamer.cluster.topology import Flag, NodeId
from gossamer.gossip.claims import Claims, slots_in
from gossamer.gossip.config import GossipConfig
from gossamer.gossip.effects import DropKeys, Follow, Lead, Level, Outbox, Unfollow
from gossamer.gossip.peers import Peer, Peers

AWAY: Final = ("", "", 0)


class Roles:
    def __init__(self, peers: Peers, claims: Claims, config: GossipConfig, out: Outbox) -> None:
        self.config = config
        self._peers = peers
        self._claims = claims
        self._me = peers.me
        self._out = out
        self.bereft = False
        """My primary lives, but has come back without its data, which I have."""
        self._siblings_doubt = False
        self._departed = 0
        """Slots that my primary has lost while I was its replica."""
        self._told: tuple[NodeId, str, int] | None = None
        """Whom the machine follows; AWAY: somebody who is to be found first; None: nobody, as when it starts."""

    # Changes

    def follow(self, primary: Peer) -> None:
        """Become a replica of ``primary``: it owns nothing, opens no slots, and has no config epoch of its own."""
        assert primary is not self._me
        assert primary.is_primary
        assert not self._me.slots
        self._claims.migrating.clear()
        self._claims.importing.clear()
        self._claims.unsettled = self._departed = 0
        self.bereft = False
        self._claims.told.clear()
        self._claims.make_replica(self._me, primary)
        self._me.config_epoch = 0
        self._out.promised = True

    def lead(self) -> None:
        """Become a primary, without slots yet."""
        self._me.flags &= ~Flag.MY_PRIMARY_FAIL
        self._claims.make_primary(self._me)
        self._out.promised = True

    def succeed(self, primary: Peer) -> None:
        """Become a primary with all that ``primary`` owns. What it no longer claims is somebody else's, even if nobody
        has told us yet whose.
        """
        assert self._me.primary == primary.id
        slots = self._claims.still_claimed(primary)
        self._departed |= primary.slots
        self.lead()
        self._claims.assign(slots, self._me)
        self._claims.open_told()
        leftover, self._departed = self._departed & ~slots, 0
        if leftover:
            self._out.do(DropKeys(tuple(slots_in(leftover))))

    def lost(self, slots: int, claimed: int, winner: Peer) -> None:
        """``winner``, which claims ``claimed``, has taken ``slots`` of my shard."""
        head = self._peers.head()
        if head is not None and not head.slots and (self.config.allow_replica_migration or claimed == slots):
            self._out.log(
                Level.WARNING, f"Configuration change detected. Reconfiguring myself as a replica of {winner.name}"
            )
            self.follow(winner)
        elif self._me.is_primary:
            if not self._me.slots:
                self._out.log(
                    Level.WARNING, f"My last slot was taken over by node {winner.name}. I am now an empty primary."
                )
            self._out.do(DropKeys(tuple(slots_in(slots))))
        else:
            self._departed |= slots

    def unchain(self) -> None:
        """My primary may have become a replica itself."""
        primary = None if self._me.is_primary else self._peers.head()
        if primary is None or primary.is_primary:
            return
        above = self._peers.known(primary.primary or "")
        if above is not None and above is not self._me and above.is_primary:
            self._out.log(Level.NOTICE, f"My primary {primary.name} is a replica of {above.name}: following that one")
            self.follow(above)

    # What follows from the role

    def tell(self) -> None:
        """Let the machine know, if it does not yet."""
        me, primary = self._me, None if self._me.is_primary else self._peers.head()
        self._mark_failed_primary(primary)
        if primary is not None and primary.shard_id and primary.shard_id != me.shard_id:
            me.shard_id = primary.shard_id
            self._peers.touch(me)
        if me.is_primary:
            if self._told is not None:
                self._told, self._out.role = None, Lead()
        elif primary is not None and primary.ip and primary.port:
            now = primary.id, primary.ip, primary.port
            if self._told != now:
                self._told, self._out.role = now, Follow(*now)
        elif primary is not None and primary.has(Flag.NOADDR) and self._told not in (None, AWAY):
            self._told, self._out.role = AWAY, Unfollow()
            self._out.log(
                Level.WARNING, f"My primary {primary.name} is not at its address any more: its data stays here"
            )

    @property
    def doubts_primary(self) -> bool:
        """Whether nothing may be acknowledged to it (machine.py): it has failed, as this node or a sibling sees it."""
        return self._siblings_doubt or self._me.has(Flag.MY_PRIMARY_FAIL)

    def review(self) -> None:
        """Look at the siblings again. Who has seen the primary fail may be elected on what this node told it then, even
        if the primary is well again by now.
        """
        primary = None if self._me.is_primary else self._peers.head()
        siblings = [] if primary is None else self._peers.replicas_of(primary)
        self._siblings_doubt = any(
            p.has(Flag.MY_PRIMARY_FAIL) and not p.has(Flag.FAIL) for p in siblings if p is not self._me
        )

    def _mark_failed_primary(self, primary: Peer | None) -> None:
        """The flag by which the replicas of a shard know that all of them have seen their primary fail.

        From then on this node acknowledges nothing to that primary: so the offset that goes with the flag says all that
        may have been promised on its account.
        """
        failed = primary is not None and (primary.has(Flag.FAIL) or self.bereft)
        self._me.flags = self._me.flags & ~Flag.MY_PRIMARY_FAIL | (Flag.MY_PRIMARY_FAIL if failed else 0)
