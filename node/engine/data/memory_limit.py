"""``maxmemory``: does the data take more than it may?"""

from gossamer.node.config import Config
from gossamer.node.engine.data.changes import NEVER_FULL
from gossamer.node.engine.data.keyspace import Keyspace
from gossamer.node.engine.data.tally import STARTUP
from gossamer.node.engine.edge import Edge
from gossamer.node.engine.state import FULL, NodeState


class MemoryLimit:
    """Keeps the condition ``FULL``."""

    def __init__(self, node: NodeState, keyspace: Keyspace, edge: Edge, config: Config) -> None:
        self.node: NodeState = node
        self.keyspace: Keyspace = keyspace
        self.edge: Edge = edge
        self.config: Config = config
        keyspace.changes.on_full = self.filled
        config.obey(("maxmemory",), self.read)

    def read(self) -> str | None:
        """Put the directive into force."""
        limit = self.config.integer("maxmemory")
        self.keyspace.changes.memory_limit = limit - STARTUP if limit else NEVER_FULL
        used = self.keyspace.tally.used()
        if self.is_full():
            self.edge.log(
                "warning",
                f"WARNING: the new maxmemory value set via CONFIG SET ({limit}) is smaller than the current memory "
                f"usage ({used}). This will result in key eviction and/or the inability to accept new write commands "
                "depending on the maxmemory-policy.",
            )
        return None

    def filled(self) -> None:
        """The data takes more than it may."""
        self.node.conditions |= FULL

    def is_full(self) -> bool:
        """Does the data take more than it may? A replica has what its primary has, and is never full."""
        if self.keyspace.tally.held <= self.keyspace.changes.memory_limit:
            self.node.conditions &= ~FULL
            return False
        self.node.conditions |= FULL
        return self.node.lazy_expire_deletes
