"""Nothing is sent before what it promises is on disk: synced, for what is only written goes with the power.

A node promises its own config epoch, in the header of every message and in the answer to BUMPEPOCH, and with OK to
ADDSLOTS that it owns the slots. The current epoch is no promise: it is what was heard, and is heard again.
"""

from gossamer.cluster.topology import NodeId, Topology
from tests.sim.checkers.checker import Checker
from tests.sim.history import Record, Replied, Said, Started, Stored, Violation


class OnDiskBeforeSaid(Checker):
    kinds = (Started, Stored, Said, Replied)

    def __init__(self) -> None:
        self._on_disk: dict[str, tuple[NodeId, int]] = {}

    def see(self, record: Record) -> None:
        if isinstance(record, Started) or (isinstance(record, Stored) and record.synced):
            self._store(record.host, record.topology)
        elif isinstance(record, Said):
            packet = record.packet
            if not packet.light and packet.primary is None:
                self._must_hold(record.host, packet.sender, packet.config_epoch)
        elif isinstance(record, Replied) and record.reply.startswith((b"+BUMPED ", b"+STILL ")):
            self._must_hold(record.host, record.topology.me, int(record.reply.split()[1]))

    def _store(self, host: str, topology: Topology) -> None:
        """Who is a replica now has no epoch of its own; what it said as a primary may still be on its way. The next one
        that it takes is beyond the current one, so these promises stand.
        """
        stored, before = self._on_disk.get(host, ("", 0))
        epoch = topology.myself.config_epoch
        if stored == topology.me and not topology.myself.is_primary:
            epoch = max(epoch, before, topology.current_epoch)
        self._on_disk[host] = (topology.me, epoch)

    def _must_hold(self, host: str, node: NodeId, epoch: int) -> None:
        stored, on_disk = self._on_disk.get(host, ("", 0))
        if node != stored:
            raise Violation(f"{host} speaks as {node[:8]}, on its disk it is {stored[:8]}")
        if epoch > on_disk:
            raise Violation(f"{host} told of its config epoch {epoch}, on its disk is {on_disk}")
