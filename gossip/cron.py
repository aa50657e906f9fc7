"""When the cron runs: ten times a second while something is going on, and rarely while all is well.

Rules kept here:
- Redis runs clusterCron ten times a second. Here it rests while all is well, until somebody has to be pinged: that is
  the next random ping, a second later at the latest.
- An answer that is awaited keeps the cron awake, so silence is noticed as early as ever. So do a missing link, a
  suspect, a handshake, an election, a cluster that is down, and whatever is to be saved or published soon.
- Any event but a packet, and any change that the others are told of, makes it run at once if it has rested.
"""

from gossamer.cluster.topology import Millis
from gossamer.gossip.components import Components
from gossamer.gossip.peers import TICK_MS
from gossamer.gossip.tables import Tables


class Cron:
    """``due`` is when it has to run next."""

    def __init__(self, tables: Tables, components: Components, now: Millis) -> None:
        self._components = components
        self._peers = tables.peers
        self._out = tables.out
        self._last_run = now - TICK_MS
        self._hastened = True

    @property
    def due(self) -> Millis:
        soonest = self._last_run + TICK_MS
        return soonest if self._is_needed() else max(soonest, self._components.detector.next_ping)

    def hasten(self) -> None:
        """Something has changed: rest no longer."""
        self._hastened = True

    def start_over(self, now: Millis) -> None:
        """The clock has jumped: run with this event."""
        self._last_run, self._hastened = now - TICK_MS, True

    def ran(self, now: Millis) -> None:
        self._last_run, self._hastened = now, False

    def _is_needed(self) -> bool:
        """Is there anything that only the next run sees? Each event asks, so this looks at no table from end to end."""
        peers, out, components = self._peers, self._out, self._components
        return (
            self._hastened
            or out.recheck
            or out.publish_soon
            or not components.health.ok
            or bool(peers.unlinked or peers.strangers or peers.suspects or peers.bans)
            or components.detector.awaits_answers
            or components.identity.is_missing
            or components.replica_migration.has_orphan
            or components.election.is_standing
            or components.manual_failover.due is not None
        )
