"""What clients have asked for and been told: the account in which lost writes and stale reads are looked for."""

from attrs import define, field, frozen

from tests.sim.elements import COLLECTIONS, request_of
from tests.sim.history import Record
from tests.sim.timeline import Micros

OPEN = "open"
DONE = "done"
REFUSED = "refused"
"""It was surely not done."""
UNKNOWN = "unknown"


WRITING = ("SET", "RPUSH", "SADD", "HSET", "ZADD")
TAKING = ("LPOP", "SPOP", "ZPOPMIN")
OF_COLLECTIONS = frozenset(verb for _, verbs in COLLECTIONS for verb in verbs)


@define(eq=False)
class Operation:
    """A write of ``value``, which nobody else ever writes, or a read that found ``value``, None for nothing.

    A key is a register, or a collection: then it is an element that is put in or taken out, and who reads finds all of
    them, with blanks between.
    """

    client: int
    key: str
    verb: str
    value: str | None
    began_us: Micros
    ended_us: Micros = -1
    outcome: str = OPEN
    host: str = ""
    """Who answered."""

    @property
    def writes(self) -> bool:
        return self.verb in WRITING

    @property
    def takes(self) -> bool:
        return self.verb in TAKING

    @property
    def reads(self) -> bool:
        return not self.writes and not self.takes

    def words(self) -> list[str]:
        """The request."""
        return request_of(self.verb, self.key, self.value or "")

    def __str__(self) -> str:
        span = f"{self.began_us / 1e6:.6f}..{self.ended_us / 1e6:.6f}"
        return f"{self.verb} {self.key} {self.value} by {self.client} at {self.host} {span}"


@frozen
class Operated(Record):
    """An operation has ended."""

    client: int
    key: str
    value: str | None
    verb: str
    outcome: str

    def words(self) -> str:
        return f"client {self.client} {self.verb} {self.key} {self.value}: {self.outcome}"


@define
class Book:
    """All operations of a run, in the order in which they began."""

    operations: list[Operation] = field(factory=list)

    def begin(self, client: int, key: str, verb: str, value: str | None, now_us: Micros) -> Operation:
        operation = Operation(client, key, verb, value, now_us)
        self.operations.append(operation)
        return operation

    def by_key(self) -> dict[str, list[Operation]]:
        keys: dict[str, list[Operation]] = {}
        for operation in self.operations:
            keys.setdefault(operation.key, []).append(operation)
        return keys
