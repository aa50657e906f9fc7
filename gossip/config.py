"""What the operator decides for the agreement; replaced as a whole by the event ConfigChanged."""

from typing import Final

from attrs import frozen

MIN_HANDSHAKE_MS: Final = 1000


@frozen
class GossipConfig:
    """Settings of this node. ``port``, ``cport`` and ``pport`` are what it announces (announce-* already applied).

    An empty ``announce_ip`` means that the address is learned from the first MEET. An empty ``hostname`` or
    ``human_name`` means that there is none.
    """

    port: int
    cport: int
    pport: int = 0
    announce_ip: str = ""
    hostname: str = ""
    human_name: str = ""
    node_timeout_ms: int = 15000
    require_full_coverage: bool = True
    replica_no_failover: bool = False

    @property
    def handshake_ms(self) -> int:
        """How long a handshake may take before the unknown node is given up."""
        return max(self.node_timeout_ms, MIN_HANDSHAKE_MS)

    @property
    def rejoin_ms(self) -> int:
        """How long a primary that was in a minority is down after it is out of it (Redis 7.0, clusterUpdateState)."""
        return min(max(self.node_timeout_ms, 500), 5000)
