"""The values of stubs: put away in a store at the edge of the node, and read back.

A value is put away as an RDB holds it, so a snapshot copies bytes, and nothing is made anew for it. Until the store has
it, its stub keeps the payload, and so it can be read at any moment. What is read is what was written, or an error: the
store holds each payload to its checksum. The store holds no truth: it begins empty, and what a node promises for its
data stands in its RDB and append-only files.
"""

from collections.abc import Callable

from gossamer.node.engine.data.kinds import STUBS, kind_of
from gossamer.node.engine.data.spilled import Unreadable
from gossamer.node.engine.edge import SpillStore
from gossamer.node.persist.codes import RdbError
from gossamer.node.persist.values import payload_of, value_of
from gossamer.node.store.spilled import NOWHERE, Spilled
from gossamer.node.types.kind import Value
from gossamer.node.types.limits import EncodingLimits


class Vault:
    """``limits``: of the values that are made. ``on_failure`` is told why a value could not be read."""

    def __init__(self, store: SpillStore, limits: EncodingLimits, on_failure: Callable[[str], None]) -> None:
        self.store: SpillStore = store
        self.limits: EncodingLimits = limits
        self.on_failure: Callable[[str], None] = on_failure
        self.gone: list[int] = []
        self.away: int = 0
        """Values that have a place in the store; those in ``gone`` are counted still."""
        self.unwritten: int = 0
        """Bytes of payloads that are in memory until they are written."""

    def stub(self, value: Value) -> Spilled:
        """What may stand for ``value`` from now on."""
        kind = kind_of(value)
        stub = STUBS[kind](self, payload_of(value), kind.encoding(value), kind.soonest(value))
        self.unwritten += len(stub.payload)
        return stub

    def landed(self, stub: Spilled, place: int) -> None:
        """Its payload is in the store, or (``NOWHERE``) has been refused there: it stays with the stub."""
        self.unwritten -= len(stub.payload)
        if place != NOWHERE:
            stub.place = place
            stub.payload = b""
            self.away += 1

    def load(self, spilled: Spilled) -> Value:
        return self.value(self.payload(spilled))

    def payload(self, spilled: Spilled) -> bytes:
        if spilled.place == NOWHERE:
            return spilled.payload
        try:
            return self.store.read(spilled.place)
        except OSError as error:
            raise self._unreadable(error.strerror or str(error)) from None

    def value(self, payload: bytes) -> Value:
        """What was put away as ``payload``. Unreadable."""
        try:
            return value_of(payload, self.limits)
        except RdbError as error:
            raise self._unreadable(str(error)) from None

    def sweep(self) -> None:
        """Give back the places that nobody needs any more."""
        while self.gone:
            self.store.free(self.gone.pop())
            self.away -= 1

    def _unreadable(self, reason: str) -> Unreadable:
        text = f"a value that is not in memory cannot be read back from {self.store.path}: {reason}"
        self.on_failure(text)
        return Unreadable(text)
