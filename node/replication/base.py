"""What the parts of replication share, and what they ask of the whole: ``Replication``, in ``replication.py``."""

from gossamer.node.engine.ports.replication import ReplicationPort
from gossamer.node.engine.server import Server
from gossamer.node.replication.history import History
from gossamer.node.replication.replicas import Replicas


class ReplicationBase(ReplicationPort):
    """The server, its history and its replicas. The port has the role: ``follow``, ``lead`` and ``offset``."""

    def __init__(self, server: Server) -> None:
        self.server: Server = server
        self.history: History = History(server.rng)
        self.replicas: Replicas = Replicas(server, self.history)
        self.acks_suspended: bool = False
        """The cluster takes the primary for failed: nothing more is acknowledged to it, for it may be replaced."""

    @property
    def is_replica(self) -> bool:
        raise NotImplementedError

    def set_conditions(self) -> None:
        """The link to the primary has come up or gone down: requests are refused, or not any more."""
        raise NotImplementedError
