"""The states of the link to the primary: which may follow which, and what ROLE calls them."""

from collections.abc import Mapping
from enum import Enum
from typing import Final


class LinkState(Enum):
    """The values are what ROLE calls a state, and what tells it from others of that name."""

    CONNECT = "connect", ""
    """There is no connection, and one is wanted."""
    CONNECTING = "connecting", ""
    HANDSHAKE = "handshake", ""
    PSYNC = "handshake", "the reply to PSYNC is awaited"
    SYNC = "sync", "the snapshot is awaited"
    LOADING = "sync", "the snapshot comes in"
    CONNECTED = "connected", ""
    """The stream flows."""
    BROKEN = "connect", "the connection has to be ended"
    NOADDR = "connect", "nobody knows where the primary is"
    """Somebody else is at its address, or nobody: nothing is connected to until there is another link."""
    ABANDONED = "connect", "this primary is no longer followed"

    @property
    def role_name(self) -> str:
        return self.value[0]


CONNECT: Final = LinkState.CONNECT
CONNECTING: Final = LinkState.CONNECTING
HANDSHAKE: Final = LinkState.HANDSHAKE
PSYNC: Final = LinkState.PSYNC
SYNC: Final = LinkState.SYNC
LOADING: Final = LinkState.LOADING
CONNECTED: Final = LinkState.CONNECTED
BROKEN: Final = LinkState.BROKEN
NOADDR: Final = LinkState.NOADDR
ABANDONED: Final = LinkState.ABANDONED

TALKING: Final = frozenset((HANDSHAKE, PSYNC, SYNC, LOADING, CONNECTED))
"""There is a connection, and what comes on it counts."""
SYNCING: Final = frozenset((SYNC, LOADING))
CLOSED: Final = frozenset((NOADDR, ABANDONED))
"""This link makes no connection any more."""

LOST: Final = frozenset((CONNECT, BROKEN, *CLOSED))
"""What can happen to a connection at any time."""

SUCCESSORS: Final[Mapping[LinkState, frozenset[LinkState]]] = {
    CONNECT: frozenset((CONNECTING, *CLOSED)),
    CONNECTING: frozenset((HANDSHAKE, CONNECT, *CLOSED)),
    HANDSHAKE: frozenset((PSYNC, *LOST)),
    PSYNC: frozenset((SYNC, CONNECTED, *LOST)),
    SYNC: frozenset((LOADING, *LOST)),
    LOADING: frozenset((CONNECTED, *LOST)),
    CONNECTED: LOST,
    BROKEN: frozenset((CONNECT, *CLOSED)),
    NOADDR: frozenset((ABANDONED,)),
    ABANDONED: frozenset(),
}


CONNECT_TIMEOUT: Final = "Timeout connecting to the MASTER..."
SYNC_TIMEOUT: Final = (
    "Timeout receiving bulk data from MASTER... If the problem persists try to set the 'repl-timeout' parameter in "
    "redis.conf to a larger value."
)
TIMEOUTS: Final = {
    HANDSHAKE: CONNECT_TIMEOUT,
    PSYNC: CONNECT_TIMEOUT,
    SYNC: SYNC_TIMEOUT,
    LOADING: SYNC_TIMEOUT,
    CONNECTED: "MASTER timeout: no data nor PING received...",
}
"""What is logged when nothing comes, as Redis words it."""


class Result(Enum):
    """What came of the last connection, which decides how soon there is another."""

    NOTHING = "it ended before the stream began"
    DAMAGED = "it brought nonsense, or broke off inside a snapshot: to ask again at once helps nobody"
    LASTED = "it came as far as the stream"


class DataOf(Enum):
    """Whose the data is that this node holds."""

    OTHERS = "it is not from this primary"
    PRIMARY = "it came from this primary"
    LOST_BY_PRIMARY = "it came from this primary, which was restarted without it; its snapshot was not taken"
