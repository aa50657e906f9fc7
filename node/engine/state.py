"""What a node is at this moment: the time of the batch, and the conditions that dispatch looks at.

A part of the node that needs one of these is given the ``NodeState``, and not the ``Server`` that owns the parts. The
server is one itself, so that a request finds each of them one step away.
"""

from typing import Final

# Conditions of the whole node; 0 is the common case.
MONITORED: Final = 1
PAUSED: Final = 2
"""CLIENT PAUSE is in force, or a pause of our own."""
LOADING: Final = 4
FOLLOWING: Final = 16
"""The node is a replica and takes no writes of its own."""
LINK_DOWN: Final = 32
"""A replica that has lost its primary, and may not serve what it has."""
FEW_REPLICAS: Final = 64
"""``min-replicas-to-write`` is not met."""
LEAVING: Final = 128
"""Keys or slots are under way to another node, and their writers wait."""
ACKING: Final = 256
"""``write-ack-replicas``: replies wait for replicas."""
RETURNED: Final = 512
"""With ``write-ack-replicas``: a primary that was started with slots, and so without their keys."""
FULL: Final = 1024
"""The data takes more than ``maxmemory``, or did when it last grew."""
UNSAVED: Final = 2048
"""The disk has failed when it last should have kept something (``stop-writes-on-bgsave-error``, ``appendonly``)."""

SPILLING: Final = 4096
"""``vm-enabled``: values may be out of memory."""


class NodeState:
    """``now``: unix milliseconds, one value for the whole batch; ``now_s`` the same in seconds."""

    __slots__ = ("changing", "conditions", "lazy_expire_deletes", "now", "now_s", "slow_us")

    def __init__(self) -> None:
        self.now: int = 0
        self.now_s: int = 0
        self.conditions: int = 0
        self.changing: int = 0
        """How many changes of what this node is to others have begun and not ended: its view of the cluster, its role
        in replication. An exception that finds it above 0 ends the node."""
        self.lazy_expire_deletes: bool = True
        """False on a replica: there keys whose time is over are hidden, and deleted when the primary says so."""
        self.slow_us: int = 0
        """Requests that take this many microseconds are slow enough for SLOWLOG or LATENCY to look at."""

    def follows(self) -> bool:
        """Is this node a replica, which deletes nothing by itself?"""
        return bool(self.conditions & FOLLOWING)
