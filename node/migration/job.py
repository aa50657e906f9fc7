"""One migration as one of its nodes sees it: what CLUSTER GETSLOTMIGRATIONS tells, in Valkey's words and states."""

from typing import Final

from gossamer.cluster.text import bytes_of
from gossamer.cluster.topology import NodeId
from gossamer.gossip.states import StateMachine
from gossamer.node.engine.server import Server
from gossamer.node.migration.states import ENDS, FAILED, JobState, Successors
from gossamer.node.resp.reply import Reply
from gossamer.node.resp.requests import encoded

EPOCH_DIGITS: Final = 19
"""Of an epoch that another node names."""

EXPORT: Final = "EXPORT"
IMPORT: Final = "IMPORT"

ACK: Final = encoded([b"CLUSTER", b"SYNCSLOTS", b"ACK"])


def message(*words: str) -> bytes:
    """What the two nodes say to each other beside the data."""
    return encoded([b"CLUSTER", b"SYNCSLOTS", *[bytes_of(word) for word in words]])


class Job:
    """``slot_ranges`` in the order given, both ends included. ``source`` is empty on a replica, which is not told.

    A job begins in the first state of ``successors``, and goes on as they allow.
    """

    def __init__(
        self,
        server: Server,
        name: str,
        slot_ranges: list[tuple[int, int]],
        source: NodeId,
        target: NodeId,
        successors: Successors,
    ) -> None:
        self.server: Server = server
        self.name: str = name
        self.slot_ranges: list[tuple[int, int]] = slot_ranges
        self.slots: list[int] = [slot for first, last in slot_ranges for slot in range(first, last + 1)]
        self.source: NodeId = source
        self.target: NodeId = target
        self._states: StateMachine[JobState] = StateMachine(successors, next(iter(successors)))
        self.text: str = ""
        """How it ended."""
        now_s = server.now_s
        self.created_s: int = now_s
        self.updated_s: int = now_s
        self.acked_s: int = now_s

    @property
    def state(self) -> JobState:
        return self._states.state

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

    def enter(self, state: JobState) -> None:
        """Every change of ``state`` comes through here."""
        before = self.state
        self._states.enter(state)
        self.log("notice", f"Slot migration {self} state transition: {before.value} -> {state.value}")
        self.updated_s = self.server.now_s

    def end(self, state: JobState, text: str = "") -> None:
        """The job is over. Its ends, which override this, release what they hold."""
        self.text = text
        self.enter(state)
        level = "warning" if state is FAILED else "notice"
        self.log(level, f"Slot migration {self} finished. State: {state.value}, Message: {text or 'none'}")

    def fail(self, text: str) -> None:
        if not self.ended:
            self.end(FAILED, text)

    def log(self, level: str, text: str) -> None:
        self.server.edge.log(level, text)

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
            "state": self.state.value,
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
