"""One owner per slot and config epoch: two primaries never keep one epoch, and no slot has two owners who both claim
it.

Epochs may collide for a while (SETSLOT NODE and BUMPEPOCH ask nobody, new nodes all begin with 0), so this is promised
only of what is left when all nodes have heard of each other.
"""

from gossamer.cluster.topology import owned_ranges
from tests.sim.checkers.checker import Checker
from tests.sim.history import Record, Settled, Violation


class OneOwnerPerSlotAndEpoch(Checker):
    kinds = (Settled,)

    def see(self, record: Record) -> None:
        assert isinstance(record, Settled)
        holder: dict[int, str] = {}
        claims: dict[str, set[int]] = {}
        for host, view in record.views.items():
            me = view.myself
            if me.is_primary:
                if me.config_epoch in holder:
                    raise Violation(f"{holder[me.config_epoch]} and {host} both keep config epoch {me.config_epoch}")
                holder[me.config_epoch] = host
            mine = {s for o, first, last in owned_ranges(view) if o == view.me for s in range(first, last + 1)}
            for other, theirs in claims.items():
                if mine & theirs:
                    raise Violation(f"{host} and {other} both claim slot {min(mine & theirs)}")
            claims[host] = mine
