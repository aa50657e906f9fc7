"""The end of a node in good order: its replicas get all of the stream first, and one of them its place if so asked.

- Unless it has to be NOW, writes are held back until every replica has acknowledged all, for ``shutdown-timeout`` at
  most; who lags then is named in the log. Redis 7.0 does so.
- With FAILOVER the replica with the most of the stream is told in the stream itself to take over (Valkey 9.1); nothing
  can be lost, since it has everything, so it need not ask for a pause. It is waited for within the same time, so that
  clients whose writes are held back are sent to it.
- SHUTDOWN ABORT calls it off until the last step.
"""

from typing import TYPE_CHECKING, Final

from gossamer.cluster.text import bytes_of
from gossamer.node.engine.client import Client
from gossamer.node.engine.feed import encoded
from gossamer.node.replication.hold import Hold
from gossamer.node.resp.errors import SHUTDOWN_FAILED
from gossamer.node.resp.reply import Failure

if TYPE_CHECKING:
    from gossamer.node.replication.follower import Follower
    from gossamer.node.replication.replication import Replication

STAYING: Final = 0
CATCHING_UP: Final = 1
HANDING_OVER: Final = 2
RELEASING: Final = 3
"""Who was held back is served once more, and told where to go."""
GONE: Final = 4


class Departure:
    """``until``: when waiting ends (ms)."""

    def __init__(self, replication: "Replication") -> None:
        self.replication: Replication = replication
        self.server = replication.server
        self.stage: int = STAYING
        self.until: int = 0
        self._options: frozenset[str] = frozenset()
        self._target: int = 0
        """The end of the stream, without the question for acknowledgements."""
        self._asking: list[Client] = []
        """Whose SHUTDOWN waits."""
        self._hold = Hold(replication.server)

    @property
    def under_way(self) -> bool:
        return self.stage != STAYING

    def begin(self, options: frozenset[str], client: Client | None = None) -> None:
        """``options``: words of SHUTDOWN, in lower case; ``client`` is held until it is decided."""
        if client is not None:
            client.held = True
            self._asking.append(client)
        if self.under_way:
            return
        server, replication = self.server, self.replication
        server.edge.log("warning", "User requested shutdown...")
        self._options = options
        replication.primary.distribute()
        self._target = replication.offset
        timeout_ms = server.config.integer("shutdown-timeout") * 1000
        self.until = server.now + timeout_ms
        if "now" in options or not timeout_ms or self._in_sync():
            self._caught_up()
            return
        self.stage = CATCHING_UP
        if server.feed is not None:
            server.feed.want_acks = True
        replication.primary.distribute()
        self._hold.take()
        server.edge.log("notice", "Waiting for replicas before shutting down.")

    def abort(self) -> bool:
        """Stay after all; False if nothing was under way, or it is too late."""
        if self.stage not in (CATCHING_UP, HANDING_OVER):
            return False
        self.stage = STAYING
        self.server.edge.log("notice", "Shutdown manually aborted.")
        self._hold.release()
        self._answer()
        return True

    def look(self) -> None:
        """After each batch, while it is under way."""
        server = self.server
        late = server.now >= self.until
        if self.stage == CATCHING_UP and (late or self._in_sync()):
            self._caught_up()
        elif self.stage == HANDING_OVER and (late or self.replication.upstream is not None):
            self._hold.release()
            self.stage = RELEASING
        elif self.stage == RELEASING:
            self._leave()
        elif self.stage != GONE:
            self._hold.take()

    # --- the replicas

    def _in_sync(self) -> bool:
        return all(self._has_all(follower) for follower in self.replication.primary.replicas())

    def _has_all(self, follower: "Follower") -> bool:
        return follower.acked >= self._target

    def _caught_up(self) -> None:
        """All have everything, or the time is over."""
        log, now = self.server.edge.log, self.server.now
        replicas = self.replication.primary.replicas()
        lagging = [follower for follower in replicas if not self._has_all(follower)]
        for follower in lagging:
            behind, lag = self._target - follower.acked, follower.lag_s(now) if follower.online else 0
            log(
                "notice",
                f"Lagging replica {follower.host}:{follower.port} reported offset {behind} behind master, "
                f"lag={lag}, state={follower.state_name}.",
            )
        if replicas:
            log(
                "notice",
                f"{len(replicas) - len(lagging)} of {len(replicas)} replicas are in sync when shutting down.",
            )
        if "failover" in self._options and self._hand_over(replicas):
            self.stage = HANDING_OVER
            self._hold.take()
        else:
            self._leave()

    def _hand_over(self, replicas: "list[Follower]") -> bool:
        """Tell one of them to take over; False if there is none, or nothing to be taken over."""
        topology, log = self.server.topology, self.server.edge.log
        if topology is None or not topology.myself.is_primary or topology.me not in topology.owners:
            return False
        if any(not follower.node_id for follower in replicas):
            log("warning", "Unable to perform auto failover on shutdown since there are legacy replicas.")
            return False
        best = next((f for f in replicas if f.online and self._has_all(f)), None)
        feed = self.server.feed
        if best is None or feed is None:
            log("warning", "Unable to find a replica to perform the auto failover on shutdown.")
            return False
        log("notice", f"Perform auto failover to replica {best.node_id} on shutdown.")
        feed.put(encoded([b"CLUSTER", b"FAILOVER", b"FORCE", b"REPLICAID", bytes_of(best.node_id)]))
        self.replication.primary.distribute()
        return True

    # --- clients

    def _answer(self) -> None:
        asking, self._asking = self._asking, []
        for client in asking:
            if not client.closing:
                client.reply(Failure(SHUTDOWN_FAILED))
                self.replication.primary.let_go(client)

    def _leave(self) -> None:
        self.stage = GONE
        self.server.edge.stop()
