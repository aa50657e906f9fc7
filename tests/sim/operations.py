"""What clients have asked for and been told: the account in which lost writes and stale reads are looked for."""

from attrs import define, field, frozen

from tests.sim.history import Record
from tests.sim.timeline import Micros

OPEN = "open"
DONE = "done"
REFUSED = "refused"
"""It was surely not done."""
UNKNOWN = "unknown"


@define(eq=False)
class Operation:
    """A write of ``value``, which nobody else ever writes, or a read that found ``value``, None for nothing."""

    client: int
    key: str
    writes: bool
    value: str | None
    began_us: Micros
    ended_us: Micros = -1
    outcome: str = OPEN
    host: str = ""
    """Who answered."""

    def __str__(self) -> str:
        what = f"{'SET' if self.writes else 'GET'} {self.key} {self.value}"
        return f"{what} by {self.client} at {self.host} {self.began_us / 1e6:.6f}..{self.ended_us / 1e6:.6f}"


@frozen
class Operated(Record):
    """An operation has ended."""

    client: int
    key: str
    value: str | None
    writes: bool
    outcome: str

    def words(self) -> str:
        return f"client {self.client} {'SET' if self.writes else 'GET'} {self.key} {self.value}: {self.outcome}"


@define
class Book:
    """All operations of a run, in the order in which they began."""

    operations: list[Operation] = field(factory=list)

    def begin(self, client: int, key: str, value: str | None, writes: bool, now_us: Micros) -> Operation:
        operation = Operation(client, key, writes, value, now_us)
        self.operations.append(operation)
        return operation

    def by_key(self) -> dict[str, list[Operation]]:
        keys: dict[str, list[Operation]] = {}
        for operation in self.operations:
            keys.setdefault(operation.key, []).append(operation)
        return keys
