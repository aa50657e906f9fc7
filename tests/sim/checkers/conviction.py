"""FAIL is declared only on the word of a majority of the primaries with slots, so never by a minority.

Reports count for two node timeouts of the time in which the node attended to its links, as it takes out jumps of its
clock and stops of its process. The reporter takes them back with a word in which it tells of which cluster it is: what
one says that has just started may not be believed yet.

Nor is anything heard that is told under another identity of the cluster, accusations as little as words that take one
back (gossip/identity.py). One cluster has two identities when both parts of it made one in a partition: until a word of
the reporter names the node, an earlier report stands as if what came since had been lost on the way.
"""

from gossamer.cluster.topology import Flag, NodeId, Topology
from gossamer.gossip.extensions import ClusterIdentity
from gossamer.gossip.packet import Fail, MessageFlag, MessageType, Packet, Ping
from tests.sim.checkers.checker import Checker
from tests.sim.history import Heard, Published, Record, Said, Started, Violation

SLACK_MS = 1100
"""A tick, and the longest stall that is not taken out twice."""


class FailNeedsAQuorum(Checker):
    kinds = (Started, Heard, Published, Said)

    def __init__(self) -> None:
        self._timeout_ms: dict[str, int] = {}
        self._views: dict[str, Topology] = {}
        self._reports: dict[str, dict[NodeId, dict[NodeId, int]]] = {}
        self._evidence: dict[tuple[str, NodeId], tuple[int, int]] = {}

    def see(self, record: Record) -> None:
        match record:
            case Started():
                self._timeout_ms[record.host] = record.node_timeout_ms
                self._views[record.host] = record.topology
                self._reports[record.host] = {}
            case Heard():
                self._hear(record)
            case Published():
                self._publish(record)
            case Said() if record.packet.kind is MessageType.FAIL:
                self._judge(record)
            case _:
                pass

    def _hear(self, record: Heard) -> None:
        ping = record.packet.body
        if not isinstance(ping, Ping) or tells_other_cluster(ping, self._views[record.host]):
            return
        table = self._reports[record.host]
        for entry in ping.gossip:
            if entry.flags & (Flag.PFAIL | Flag.FAIL):
                table.setdefault(entry.node, {})[record.packet.sender] = record.attended_ms
            elif entry.node in table and tells_its_cluster(record.packet, ping):
                table[entry.node].pop(record.packet.sender, None)

    def _publish(self, record: Published) -> None:
        before, now = self._views[record.host], record.topology
        self._views[record.host] = now
        for node in now.nodes.values():
            known = before.nodes.get(node.id)
            if node.has(Flag.FAIL) and not (known and known.has(Flag.FAIL)):
                oldest = record.attended_ms - 2 * self._timeout_ms[record.host] - SLACK_MS
                reports = self._reports[record.host].get(node.id, {})
                told = [reporter for reporter, at_ms in reports.items() if at_ms >= oldest]
                valid = {reporter for reporter in told if is_voter(before, reporter) or is_voter(now, reporter)}
                if is_voter(now, now.me):
                    valid.add(now.me)
                needed = min(before.size, now.size) // 2 + 1
                self._evidence[record.host, node.id] = (len(valid), needed)

    def _judge(self, record: Said) -> None:
        body = record.packet.body
        assert isinstance(body, Fail)
        heard, needed = self._evidence.get((record.host, body.node), (0, 1))
        if heard < needed:
            raise Violation(f"{record.host} declared FAIL of {body.node[:8]} on {heard} reports of {needed} needed")


def tells_its_cluster(packet: Packet, ping: Ping) -> bool:
    """It does, or never will: an answer is believed without."""
    told = any(isinstance(extension, ClusterIdentity) for extension in ping.extensions)
    return told or packet.kind is MessageType.PONG or not packet.mflags & MessageFlag.IDENTITY


def tells_other_cluster(ping: Ping, view: Topology) -> bool:
    """It tells another identity of the cluster than the node has, and does not name the node, which would show that
    both are of one cluster.
    """
    told = {extension.identity for extension in ping.extensions if isinstance(extension, ClusterIdentity)}
    other = any(identity and view.cluster and identity != view.cluster for identity in told)
    return other and all(entry.node != view.me for entry in ping.gossip)


def is_voter(view: Topology, node: NodeId) -> bool:
    """A primary with slots."""
    known = view.nodes.get(node)
    return known is not None and known.is_primary and node in view.owners
