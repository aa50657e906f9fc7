"""There are never two identities in one table: no node of another cluster is let in.

A node may have been of our cluster before, and have left without a word: until that is noticed it stands in the
table. And one cluster may be given two identities in a partition, for a while. So what is promised of the end is more
than what is promised of every moment, and the latter only where clusters were formed in peace.
"""

from gossamer.cluster.topology import Flag, NodeId, Topology
from tests.sim.checkers.checker import Checker
from tests.sim.history import Published, Record, Settled, Started, Stored, Violation


class OneIdentityATable(Checker):
    """``strict``: also on the way, of nodes that have never been of this cluster."""

    kinds = (Started, Stored, Published, Settled)

    def __init__(self, strict: bool = False) -> None:
        self._strict = strict
        self._is: dict[NodeId, str] = {}
        """What its disk says now: empty of a fresh node, and of one that was reset."""
        self._has_been: dict[NodeId, set[str]] = {}

    def see(self, record: Record) -> None:
        if isinstance(record, Started | Stored):
            self._store(record.topology)
        elif isinstance(record, Settled):
            self._judge_all(record)
        elif isinstance(record, Published) and self._strict:
            self._judge(record.host, record.topology)

    def _store(self, topology: Topology) -> None:
        self._is[topology.me] = topology.cluster
        self._has_been.setdefault(topology.me, set()).add(topology.cluster)

    def _judge(self, host: str, view: Topology) -> None:
        for node in members(view):
            other = self._is.get(node)
            if view.cluster and other and view.cluster not in self._has_been[node]:
                raise Violation(f"{host} of cluster {view.cluster[:8]} has let in {node[:8]} of {other[:8]}")

    def _judge_all(self, record: Settled) -> None:
        identity_of = {view.me: view.cluster for view in record.views.values()}
        for host, view in record.views.items():
            for node in members(view):
                if identity_of.get(node, view.cluster) != view.cluster:
                    other = identity_of[node]
                    raise Violation(
                        f"{host} of cluster {view.cluster[:8]!r} has {node[:8]} of {other[:8]!r} in its table"
                    )


def members(view: Topology) -> list[NodeId]:
    """Whom it takes for nodes of its cluster."""
    return [node.id for node in view.nodes.values() if not node.has(Flag.HANDSHAKE | Flag.NOADDR)]
