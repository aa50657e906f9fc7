"""The states of a migration job, in Valkey's words, and which may follow which at each of its ends."""

from collections.abc import Mapping
from enum import Enum
from typing import Final


class JobState(Enum):
    """The values are what CLUSTER GETSLOTMIGRATIONS calls them."""

    # of the source, in order
    CONNECTING = "connecting"
    READING_AUTH = "reading-auth-response"
    READING_ESTABLISH = "reading-establish-response"
    SNAPSHOTTING = "snapshotting"
    REPLICATING = "replicating"
    WAITING_TO_PAUSE = "waiting-to-pause"
    PAUSED = "failover-paused"
    GRANTED = "failover-granted"
    # of the target, in order; its last one is GRANTED too
    WAITING_FOR_ACK = "waiting-for-ack"
    RECEIVING = "receiving-snapshot"
    WAITING_FOR_PAUSED = "waiting-for-paused"
    REQUESTED = "failover-requested"
    # of a replica of the target
    ON_PRIMARY = "occurring-on-primary"
    # the ends
    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "cancelled"


CONNECTING: Final = JobState.CONNECTING
READING_AUTH: Final = JobState.READING_AUTH
READING_ESTABLISH: Final = JobState.READING_ESTABLISH
SNAPSHOTTING: Final = JobState.SNAPSHOTTING
REPLICATING: Final = JobState.REPLICATING
WAITING_TO_PAUSE: Final = JobState.WAITING_TO_PAUSE
PAUSED: Final = JobState.PAUSED
GRANTED: Final = JobState.GRANTED
WAITING_FOR_ACK: Final = JobState.WAITING_FOR_ACK
RECEIVING: Final = JobState.RECEIVING
WAITING_FOR_PAUSED: Final = JobState.WAITING_FOR_PAUSED
REQUESTED: Final = JobState.REQUESTED
ON_PRIMARY: Final = JobState.ON_PRIMARY
SUCCESS: Final = JobState.SUCCESS
FAILED: Final = JobState.FAILED
CANCELLED: Final = JobState.CANCELLED

ENDS: Final = (SUCCESS, FAILED, CANCELLED)

Successors = Mapping[JobState, frozenset[JobState]]
OVER: Final[Successors] = {SUCCESS: frozenset(), FAILED: frozenset()}

# Whatever a source waits for, the bus may tell that the target has the slots: then it has succeeded.
EXPORT_SUCCESSORS: Final[Successors] = {
    CONNECTING: frozenset((READING_AUTH, READING_ESTABLISH, *ENDS)),
    READING_AUTH: frozenset((READING_ESTABLISH, *ENDS)),
    READING_ESTABLISH: frozenset((SNAPSHOTTING, *ENDS)),
    SNAPSHOTTING: frozenset((REPLICATING, *ENDS)),
    REPLICATING: frozenset((WAITING_TO_PAUSE, *ENDS)),
    WAITING_TO_PAUSE: frozenset((PAUSED, *ENDS)),
    PAUSED: frozenset((GRANTED, *ENDS)),
    GRANTED: frozenset((SUCCESS, FAILED)),
    **OVER,
    CANCELLED: frozenset(),
}
IMPORT_SUCCESSORS: Final[Successors] = {
    WAITING_FOR_ACK: frozenset((RECEIVING, FAILED)),
    RECEIVING: frozenset((WAITING_FOR_PAUSED, FAILED)),
    WAITING_FOR_PAUSED: frozenset((REQUESTED, FAILED)),
    REQUESTED: frozenset((GRANTED, FAILED)),
    GRANTED: frozenset((SUCCESS, FAILED)),
    **OVER,
}
REPLICA_SUCCESSORS: Final[Successors] = {ON_PRIMARY: frozenset((SUCCESS, FAILED)), **OVER}
