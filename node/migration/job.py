"""One migration as one of its nodes sees it: what CLUSTER GETSLOTMIGRATIONS tells, in Valkey's words and states."""

from typing import TYPE_CHECKING, Final

from gossamer.cluster.text import bytes_of
from gossamer.cluster.topology import NodeId
from gossamer.node.engine.stream.journal import encoded
from gossamer.node.resp.reply import Reply

if TYPE_CHECKING:
    from gossamer.node.migration.migrations import Migrations

EPOCH_DIGITS: Final = 19
"""Of an epoch that another node names."""

EXPORT: Final = "EXPORT"
IMPORT: Final = "IMPORT"

# of the source, in order
CONNECTING: Final = "connecting"
READING_AUTH: Final = "reading-auth-response"
READING_ESTABLISH: Final = "reading-establish-response"
SNAPSHOTTING: Final = "snapshotting"
REPLICATING: Final = "replicating"
WAITING_TO_PAUSE: Final = "waiting-to-pause"
PAUSED: Final = "failover-paused"
GRANTED: Final = "failover-granted"
# of the target, in order; its last one is GRANTED too
WAITING_FOR_ACK: Final = "waiting-for-ack"
RECEIVING: Final = "receiving-snapshot"
WAITING_FOR_PAUSED: Final = "waiting-for-paused"
REQUESTED: Final = "failover-requested"
# of a replica of the target
ON_PRIMARY: Final = "occurring-on-primary"
# the ends
SUCCESS: Final = "success"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"
ENDS: Final = (SUCCESS, FAILED, CANCELLED)

ACK: Final = encoded([b"CLUSTER", b"SYNCSLOTS", b"ACK"])


def message(*words: str) -> bytes:
    """What the two nodes say to each other beside the data."""
    return encoded([b"CLUSTER", b"SYNCSLOTS", *[bytes_of(word) for word in words]])


class Job:
    """``slot_ranges`` in the order given, both ends included. ``source`` is empty on a replica, which is not told."""

    def __init__(
        self, home: "Migrations", name: str, slot_ranges: list[tuple[int, int]], source: NodeId, target: NodeId
    ) -> None:
        self.home: Migrations = home
        self.name: str = name
        self.slot_ranges: list[tuple[int, int]] = slot_ranges
        self.slots: list[int] = [slot for first, last in slot_ranges for slot in range(first, last + 1)]
        self.source: NodeId = source
        self.target: NodeId = target
        self.state: str = CONNECTING
        self.text: str = ""
        """How it ended."""
        now_s = home.server.now_s
        self.created_s: int = now_s
        self.updated_s: int = now_s
        self.acked_s: int = now_s

    @property
    def operation(self) -> str:
        raise NotImplementedError

    @property
    def unsent(self) -> int:
        """Bytes that the target has not been given yet."""
        return 0

    @property
    def ended(self) -> bool:
        return self.state in ENDS

    def to(self, state: str) -> None:
        self.home.log("notice", f"Slot migration {self} state transition: {self.state} -> {state}")
        self.state = state
        self.updated_s = self.home.server.now_s

    def end(self, state: str, text: str = "") -> None:
        """The job is over. What it holds is let go by the two ends, which override this."""
        self.text = text
        self.to(state)
        level = "warning" if state == FAILED else "notice"
        self.home.log(level, f"Slot migration {self} finished. State: {state}, Message: {text or 'none'}")

    def fail(self, text: str) -> None:
        if not self.ended:
            self.end(FAILED, text)

    def ranges_text(self) -> str:
        return " ".join(f"{first}-{last}" for first, last in self.slot_ranges)

    def report(self) -> dict[str, Reply]:
        """One entry of GETSLOTMIGRATIONS."""
        ends = {"target_node": self.target, "source_node": self.source} if self.source else {}
        return {
            "name": self.name,
            "operation": self.operation,
            "slot_ranges": self.ranges_text(),
            **ends,
            "create_time": self.created_s,
            "last_update_time": self.updated_s,
            "last_ack_time": self.acked_s,
            "state": self.state,
            "message": self.text,
            "cow_size": 0,
            "remaining_repl_size": self.unsent,
        }

    def __str__(self) -> str:
        export = self.operation == EXPORT
        other, told = ("target", self.target) if export else ("source", self.source or "unknown")
        return (
            f"{{name: {self.name}, operation: {self.operation.lower()}, {other}_node_id: {told}, "
            f"slots: {self.ranges_text()}}}"
        )
