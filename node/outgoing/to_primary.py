"""The connection of a replica to its primary: what is said on it, and how long to wait before the next one."""

from collections.abc import Callable
from typing import Final

from gossamer.node.replication.link_state import CONNECT, CONNECTING
from gossamer.node.replication.primary_link import PrimaryLink

FIRST_WAIT_S: Final = 0.1
LONGEST_WAIT_S: Final = 1.0
LONGEST_AFTER_DAMAGE_S: Final = 10.0


class ToPrimary:
    """A Speaker. It is over when the link has failed, or is not to be followed any more."""

    def __init__(self, link: PrimaryLink) -> None:
        self._link = link
        link.connecting()

    @property
    def finished(self) -> bool:
        link = self._link
        # Before there is a connection, a failure is that of the last one.
        failed = bool(link.failure) and link.state not in (CONNECT, CONNECTING)
        return failed or link.abandoned or link.away

    def on_output(self, tell: Callable[[], None] | None) -> None:
        self._link.on_output = tell

    def connected(self) -> None:
        self._link.connected_to()

    def receive(self, data: bytes) -> None:
        self._link.receive(data)

    def pause_s(self) -> float:
        return self._link.load_pause_s()

    def next_output(self) -> bytes:
        return self._link.take_output()

    def disconnected(self, why: str) -> None:
        self._link.disconnected()


class RetryWait:
    """Each try after a failure waits a little longer, up to a second, as Redis tries once a second; and up to ten where
    the primary was there but what came from it was of no use, for each such try may cost it a snapshot.
    """

    def __init__(self) -> None:
        self._next_s = FIRST_WAIT_S

    def reset(self) -> None:
        self._next_s = FIRST_WAIT_S

    def after(self, link: PrimaryLink) -> float:
        """How long to wait now that a connection of ``link`` has ended, in seconds."""
        if link.lasted:
            self.reset()
        wait_s = self._next_s
        self._next_s = min(wait_s * 2, LONGEST_AFTER_DAMAGE_S if link.damaged else LONGEST_WAIT_S)
        return wait_s
