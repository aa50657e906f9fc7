"""FAILOVER: a primary outside of a cluster and one of its replicas change places, and no write is lost (Redis 6.2).

Writes are held back until a replica has acknowledged the whole stream; then this node follows it, and asks it with
``PSYNC <replid> <offset> FAILOVER`` to be the primary. Its answer to that ends the failover, well or not. With FORCE a
replica that has not caught up when the time is over takes the place all the same.
"""

from typing import Final

from gossamer.node.engine.deadlines import Timer
from gossamer.node.replication.base import ReplicationBase
from gossamer.node.replication.replica_link import ReplicaLink
from gossamer.node.replication.write_pause import WritePause

NONE: Final = "no-failover"
WAITING: Final = "waiting-for-sync"
IN_PROGRESS: Final = "failover-in-progress"

NEXT: Final[dict[str, tuple[str, ...]]] = {
    NONE: (WAITING,),
    WAITING: (IN_PROGRESS, NONE),
    IN_PROGRESS: (NONE,),
}
"""What may follow on what."""


class Failover:
    """``state`` is what INFO tells."""

    def __init__(self, replication: ReplicationBase) -> None:
        self.replication: ReplicationBase = replication
        self.state: str = NONE
        self._host: str = ""
        """The replica that is to take over; empty: whichever is ready first."""
        self._port: int = 0
        self._until: int = 0
        self._timer = Timer()
        """Wakes the node at ``_until``."""
        self._forced: bool = False
        self._pause = WritePause(replication.server)

    @property
    def under_way(self) -> bool:
        return self.state != NONE

    def find(self, host: str, port: int) -> ReplicaLink | None:
        replicas = self.replication.replicas.attached()
        return next((link for link in replicas if (link.host, link.port) == (host, port)), None)

    def begin(self, host: str, port: int, timeout_ms: int, forced: bool) -> None:
        """Checked already. ``host`` empty: any replica; ``timeout_ms`` 0: none."""
        server = self.replication.server
        self._log(f"FAILOVER requested to {host}:{port}." if host else "FAILOVER requested to any replica.")
        self._host, self._port, self._forced = host, port, forced
        self._until = server.now + timeout_ms if timeout_ms else 0
        self._enter(WAITING)
        self._pause.take()

    def check(self) -> None:
        """After each batch, while it is under way."""
        self._pause.take()
        if self.state != WAITING:
            return
        if self._until and self.replication.server.now >= self._until:
            if self._forced:
                self._log(f"FAILOVER to {self._host}:{self._port} time out exceeded, failing over.")
                self._change_places()
            else:
                self.abort("Replica never caught up before timeout")
            return
        offset = self.replication.offset
        ready = next((link for link in self._candidates() if link.online and link.acked == offset), None)
        if ready is not None:
            self._host, self._port = ready.host, ready.port
            self._log(f"Failover target {self._host}:{self._port} is synced, failing over.")
            self._change_places()

    def _candidates(self) -> list[ReplicaLink]:
        if not self._host:
            return self.replication.replicas.attached()
        target = self.find(self._host, self._port)
        return [] if target is None else [target]

    def _change_places(self) -> None:
        self._enter(IN_PROGRESS)
        self.replication.follow(self._host, self._port)

    def answered(self, accepted: bool) -> None:
        """What the replica says to PSYNC FAILOVER."""
        if self.state != IN_PROGRESS:
            return
        if accepted:
            self._end()
        else:
            self.abort("Failover target rejected psync request")

    def abort(self, why: str) -> None:
        target = f"{self._host}:{self._port}" if self._host else "any replica"
        self._log(f"FAILOVER to {target} aborted: {why}")
        if self.state == IN_PROGRESS:
            self.replication.lead()
        self._end()

    def _end(self) -> None:
        self._enter(NONE)
        self._host, self._port, self._until, self._forced = "", 0, 0, False
        self._pause.release()

    def _enter(self, state: str) -> None:
        """Every change of ``state`` comes through here."""
        assert state in NEXT[self.state], f"a failover does not go from {self.state} to {state}"
        self.state = state
        deadlines = self.replication.server.deadlines
        if state == WAITING and self._until:
            deadlines.set(self._timer, self._until)
        else:
            deadlines.cancel(self._timer)

    def _log(self, text: str) -> None:
        self.replication.server.edge.log("notice", text)
