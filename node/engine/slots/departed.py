"""On a replica: slots that its primary has given away, and of which the bus has not told yet.

The stream and the bus are two connections. If the stream is ahead, the keys are deleted here while the slot still seems
to be the primary's, and a reader would find nothing. So the primary says in the stream whose the slots are before it
deletes (``CLUSTER SYNCSLOTS LEFT``), and readers are sent there until the bus says so too.
"""

from collections.abc import Iterable

from gossamer.cluster.topology import Millis, NodeId, Topology


class Departed:
    """The new owners of slots, by slot, each for two node timeouts at most: who hears nothing on the bus for so long
    serves nothing any more, and who hears of no other owner has missed that the slot came back.
    """

    def __init__(self) -> None:
        self.owners: dict[int, tuple[NodeId, Millis]] = {}

    def note(self, slots: Iterable[int], owner: NodeId, until: Millis) -> None:
        for slot in slots:
            self.owners[slot] = owner, until

    def forget(self, slots: Iterable[int]) -> None:
        """They come back."""
        for slot in slots:
            self.owners.pop(slot, None)

    def seen(self, topology: Topology) -> None:
        """What the bus has told is known."""
        if self.owners:
            primary = topology.myself.primary
            self.owners = {slot: told for slot, told in self.owners.items() if topology.owners[slot] == primary}

    def owner_of(self, slot: int, now: Millis) -> NodeId | None:
        told = self.owners.get(slot)
        return told[0] if told is not None and now < told[1] else None
