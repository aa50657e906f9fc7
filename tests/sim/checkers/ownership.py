"""One owner per slot and config epoch: two primaries never keep one epoch, and no slot has two owners who both claim
it.

Epochs may collide for a while (SETSLOT NODE and BUMPEPOCH ask nobody, new nodes all begin with 0), so this is promised
only of what is left when all nodes have heard of each other.
"""

from cluster.topology import NodeId
from tests.sim.checkers.checker import Checker
from tests.sim.history import Record, Settled, Violation


class OneOwnerPerSlotAndEpoch(Checker):
    kinds = (Settled,)

    def see(self, record: Record) -> None:
        assert isinstance(record, Settled)
        holder: dict[int, str] = {}
        owner_of_slot: dict[int, NodeId] = {}
        for host, view in record.views.items():
            me = view.myself
            if me.is_primary:
                if me.config_epoch in holder:
                    raise Violation(f"{holder[me.config_epoch]} and {host} both keep config epoch {me.config_epoch}")
                holder[me.config_epoch] = host
            for slot in view.slots_of(view.me):
                if slot in owner_of_slot:
                    raise Violation(f"{host} and {owner_of_slot[slot]} both claim slot {slot}")
                owner_of_slot[slot] = view.me
