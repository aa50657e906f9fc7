"""What the operator decides for the agreement; replaced as a whole by the event ConfigChanged."""

from typing import Final

from attrs import frozen

MIN_HANDSHAKE_MS: Final = 1000
MIN_ELECTION_MS: Final = 2000
SHORT_TIMEOUT_MS: Final = 2000
"""Up to this node timeout a cluster is meant to notice quickly, and can afford to ask often."""


@frozen
class GossipConfig:
    """Settings of this node. ``port``, ``cport`` and ``pport`` are what it announces (announce-* already applied).

    An empty ``announce_ip`` means that the address is learned from the first MEET. An empty ``hostname`` or
    ``human_name`` means that there is none. ``replica_validity_factor`` 0 means that no replica's data is too old. With
    ``write_ack_replicas`` a primary is up only as long as it surely has not been replaced (health.py).
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
    replica_validity_factor: int = 10
    repl_ping_period_s: int = 10
    allow_replica_migration: bool = True
    migration_barrier: int = 1
    manual_failover_ms: int = 5000
    fast_failover: bool = True
    write_ack_replicas: int = 0

    @property
    def handshake_ms(self) -> int:
        """How long a handshake may take before the unknown node is given up."""
        return max(self.node_timeout_ms, MIN_HANDSHAKE_MS)

    @property
    def ask_voters_ms(self) -> int:
        """After how long without an answer a primary with slots is asked for a sign of life."""
        return self.node_timeout_ms // (3 if self.node_timeout_ms <= SHORT_TIMEOUT_MS else 2)

    @property
    def election_ms(self) -> int:
        """How long votes are waited for; after as long again a replica may stand anew."""
        return max(2 * self.node_timeout_ms, MIN_ELECTION_MS)

    @property
    def stale_ms(self) -> int | None:
        """How old the data of a replica may be that stands for election by itself; None means any age."""
        if not self.replica_validity_factor:
            return None
        return self.repl_ping_period_s * 1000 + self.node_timeout_ms * self.replica_validity_factor

    @property
    def rejoin_ms(self) -> int:
        """How long a primary that was in a minority is down after it is out of it (Redis 7.0, clusterUpdateState)."""
        return min(max(self.node_timeout_ms, 500), 5000)
