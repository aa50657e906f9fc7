"""How commands speak to the gossip: in commands and questions, never by reaching into its state.

``gossamer.node.machine`` implements this; the engine knows only the shape.
"""

from mypy_extensions import mypyc_attr

from gossamer.cluster.reports import Link
from gossamer.cluster.topology import NodeId, Topology
from gossamer.gossip.events import ClusterCommand


@mypyc_attr(allow_interpreted_subclasses=True)
class ClusterPort:
    def execute(self, command: ClusterCommand) -> str:
        """The answer to an operator's command, as a simple string; raises Refusal if it is refused."""
        raise NotImplementedError

    def snapshot(self) -> Topology:
        """The cluster as of now, with the times of pings and the states of links."""
        raise NotImplementedError

    def failure_reports(self, node: NodeId) -> int | None:
        """How many valid reports say that ``node`` is failing; None if it is not known."""
        raise NotImplementedError

    def links(self) -> list[Link]:
        raise NotImplementedError

    def messages_sent(self) -> dict[str, int]:
        """Bus messages by their names in CLUSTER INFO."""
        raise NotImplementedError

    def messages_received(self) -> dict[str, int]:
        raise NotImplementedError

    def links_over_limit(self) -> int:
        """Links that were closed because too much waited to be sent on them."""
        return 0
