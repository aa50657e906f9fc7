"""The end of a node in good order: its replicas get all of the stream first, and one of them its place if so asked.

- Unless it has to be NOW, writes are held back until every replica has acknowledged all, for ``shutdown-timeout`` at
  most; who lags then is named in the log. Redis 7.0 does so.
- With FAILOVER the replica with the most of the stream is told in the stream itself to take over (Valkey 9.1); nothing
  can be lost, since it has everything, so it need not ask for a pause. It is waited for within the same time, so that
  clients whose writes are held back are sent to it.
- What is to be saved is saved when the replicas have everything; a node that cannot save stays, unless forced.
- SHUTDOWN ABORT calls it off until the last step.
"""

from typing import Final

from gossamer.cluster.text import bytes_of
from gossamer.node.engine.clients.client import Client
from gossamer.node.engine.clients.waiting import SHUTDOWN, Wait
from gossamer.node.engine.deadlines import Timer
from gossamer.node.replication.base import ReplicationBase
from gossamer.node.replication.replica_link import ReplicaLink
from gossamer.node.replication.write_pause import WritePause
from gossamer.node.resp.errors import SHUTDOWN_FAILED
from gossamer.node.resp.reply import Failure
from gossamer.node.resp.requests import encoded

STAYING: Final = "staying"
CATCHING_UP: Final = "replicas catch up"
FAILING_OVER: Final = "a replica takes over"
RELEASING: Final = "clients are sent there"
"""Clients that were held back are served once more, and told where to go."""
GONE: Final = "gone"

NEXT: Final[dict[str, tuple[str, ...]]] = {
    STAYING: (CATCHING_UP, FAILING_OVER, GONE),
    CATCHING_UP: (FAILING_OVER, GONE, STAYING),
    FAILING_OVER: (RELEASING, STAYING),
    RELEASING: (GONE,),
    GONE: (),
}
"""What may follow on what. Only what may still be called off leads back to STAYING."""


class Shutdown:
    """``until``: when waiting ends (ms)."""

    def __init__(self, replication: ReplicationBase) -> None:
        self.replication: ReplicationBase = replication
        self.server = replication.server
        self.stage: str = STAYING
        self.until: int = 0
        self.is_asked: bool = False
        """A signal has asked for it, and no housekeeping has come since."""
        self._options: frozenset[str] = frozenset()
        self._target: int = 0
        """The end of the stream, without the question for acknowledgements."""
        self._timer = Timer()
        """Wakes the node at ``until``."""
        self._pause = WritePause(replication.server)

    @property
    def under_way(self) -> bool:
        return self.stage != STAYING

    def ask(self, options: frozenset[str]) -> None:
        """A signal has come. Redis obeys it in its housekeeping, which DEBUG PAUSE-CRON holds up."""
        if not self.server.cron_paused:
            self.begin(options)
        elif not self.under_way:
            self.is_asked = True
            self._options = options

    def tick(self) -> None:
        """Housekeeping."""
        if self.is_asked:
            self.begin(self._options)

    def begin(self, options: frozenset[str], client: Client | None = None) -> None:
        """``options``: words of SHUTDOWN, in lower case; ``client`` waits until it is decided."""
        if client is not None:
            self.server.waiting.begin(Wait(client, SHUTDOWN))
        if self.under_way:
            return
        self.is_asked = False
        server, replication = self.server, self.replication
        server.edge.log("warning", "User requested shutdown...")
        self._options = options
        replication.replicas.distribute()
        self._target = replication.offset
        timeout_ms = server.config.integer("shutdown-timeout") * 1000
        self.until = server.now + timeout_ms
        if "now" in options or not timeout_ms or self._in_sync():
            self._caught_up()
            return
        self._enter(CATCHING_UP)
        if server.journal.stream is not None:
            server.journal.stream.want_acks = True
        replication.replicas.distribute()
        self._pause.take()
        server.edge.log("notice", "Waiting for replicas before shutting down.")

    def abort(self) -> bool:
        """Stay after all; False if nothing was under way, or it is too late."""
        if self.is_asked:
            self.is_asked = False
            self.server.edge.log("notice", "Shutdown manually aborted.")
            return True
        if not self.under_way or STAYING not in NEXT[self.stage]:
            return False
        self._enter(STAYING)
        self.server.edge.log("notice", "Shutdown manually aborted.")
        self._pause.release()
        self._answer()
        return True

    def check(self) -> None:
        """After each batch, while it is under way."""
        server = self.server
        late = server.now >= self.until
        if self.stage == CATCHING_UP and (late or self._in_sync()):
            self._caught_up()
        elif self.stage == FAILING_OVER and (late or self.replication.is_replica):
            self._pause.release()
            self._enter(RELEASING)
        elif self.stage == RELEASING:
            self._leave()
        elif self.stage != GONE:
            self._pause.take()

    # --- the replicas

    def _in_sync(self) -> bool:
        return all(self._has_all(replica) for replica in self.replication.replicas.attached())

    def _has_all(self, replica: ReplicaLink) -> bool:
        return replica.acked >= self._target

    def _caught_up(self) -> None:
        """All have everything, or the time is over."""
        log, now = self.server.edge.log, self.server.now
        replicas = self.replication.replicas.attached()
        lagging = [replica for replica in replicas if not self._has_all(replica)]
        for replica in lagging:
            behind, lag = self._target - replica.acked, replica.lag_s(now) if replica.online else 0
            log(
                "notice",
                f"Lagging replica {replica.host}:{replica.port} reported offset {behind} behind master, "
                f"lag={lag}, state={replica.state_name}.",
            )
        if replicas:
            log(
                "notice",
                f"{len(replicas) - len(lagging)} of {len(replicas)} replicas are in sync when shutting down.",
            )
        self._pause.take()
        if not self.server.saves.before_end(self._options):
            if self.under_way:
                self._enter(STAYING)
            self._pause.release()
            self._answer()
            log("warning", "Errors trying to shut down the server, check the logs for more information.")
        elif "failover" in self._options and self._hand_over(replicas):
            self._enter(FAILING_OVER)
        else:
            self._leave()

    def _hand_over(self, replicas: list[ReplicaLink]) -> bool:
        """Tell one of them to take over; False if there is none, or nothing to be taken over."""
        topology, log = self.server.topology, self.server.edge.log
        if topology is None or not topology.myself.is_primary or topology.me not in topology.owners:
            return False
        if any(not replica.node_id for replica in replicas):
            log("warning", "Unable to perform auto failover on shutdown since there are legacy replicas.")
            return False
        best = next((link for link in replicas if link.online and self._has_all(link)), None)
        stream = self.server.journal.stream
        if best is None or stream is None:
            log("warning", "Unable to find a replica to perform the auto failover on shutdown.")
            return False
        log("notice", f"Perform auto failover to replica {best.node_id} on shutdown.")
        stream.put(encoded([b"CLUSTER", b"FAILOVER", b"FORCE", b"REPLICAID", bytes_of(best.node_id)]))
        self.replication.replicas.distribute()
        return True

    # --- clients

    def _answer(self) -> None:
        waiting = self.server.waiting
        for wait in waiting.of(SHUTDOWN):
            waiting.answer(wait, Failure(SHUTDOWN_FAILED))

    def _enter(self, stage: str) -> None:
        """Every change of ``stage`` comes through here."""
        assert stage in NEXT[self.stage], f"a shutdown does not go from '{self.stage}' to '{stage}'"
        self.stage = stage
        deadlines = self.server.deadlines
        if stage in (CATCHING_UP, FAILING_OVER):
            deadlines.set(self._timer, self.until)
        elif stage == RELEASING:
            deadlines.set(self._timer, self.server.now)  # they are served in the next batch, which must come at once
        else:
            deadlines.cancel(self._timer)

    def _leave(self) -> None:
        """What is in no file goes to no replica any more: it would be ahead of a node that comes back with less."""
        self._enter(GONE)
        self._pause.take()
        self.server.journal.close_stream()
        self.server.edge.stop()
