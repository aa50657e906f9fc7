"""Epochs never go back: on one disk from one save to the next, and in what one node says, across its restarts.

Only a loss of power takes the disk back, to what was synced last.
A replica has no config epoch of its own; the next one it gets is later than the last it had.
"""

from gossamer.cluster.topology import NodeId, Topology
from tests.sim.checkers.checker import Checker
from tests.sim.history import Record, Said, Started, Stopped, Stored, Violation

Epochs = tuple[int, int, int]
"""The node's own config epoch, the current one, and that of its last vote."""


def epochs(topology: Topology) -> Epochs:
    return topology.myself.config_epoch, topology.current_epoch, topology.last_vote_epoch


class EpochsNeverGoBack(Checker):
    kinds = (Started, Stored, Said, Stopped)

    def __init__(self) -> None:
        self._on_disk: dict[NodeId, Epochs] = {}
        self._synced: dict[NodeId, Epochs] = {}
        self._is: dict[str, NodeId] = {}
        self._said: dict[str, tuple[NodeId, int, int]] = {}

    def see(self, record: Record) -> None:
        if isinstance(record, Said):
            self._see_said(record)
        elif isinstance(record, Started | Stored):
            self._see_disk(record.host, record.topology)
            if isinstance(record, Started):
                self._said.pop(record.host, None)
            elif record.synced:
                self._synced[record.topology.me] = self._on_disk[record.topology.me]
        elif isinstance(record, Stopped) and record.lost_power and record.host in self._is:
            node = self._is[record.host]
            self._on_disk[node] = self._synced.get(node, (0, 0, 0))

    def _see_disk(self, host: str, topology: Topology) -> None:
        now = epochs(topology)
        before = self._on_disk.get(topology.me, (0, 0, 0))
        if not topology.myself.is_primary:
            now = max(before[0], now[0]), now[1], now[2]
        if any(new < old for new, old in zip(now, before, strict=True)):
            raise Violation(f"on the disk of {host} the epochs went from {before} back to {now}")
        self._on_disk[topology.me] = now
        self._is[host] = topology.me

    def _see_said(self, record: Said) -> None:
        packet = record.packet
        if packet.light or packet.primary is not None:
            return
        node, config, current = self._said.get(record.host, ("", 0, 0))
        if node == packet.sender and (packet.config_epoch < config or packet.current_epoch < current):
            raise Violation(
                f"{record.host} spoke in epoch {config} of {current}, "
                f"now in {packet.config_epoch} of {packet.current_epoch}"
            )
        self._said[record.host] = (packet.sender, packet.config_epoch, packet.current_epoch)
