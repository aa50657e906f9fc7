"""Keys on their way from node to node in the simulation: the role of node/io/migrate.py."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from gossamer.node.engine.slots.migrate import MigrateTransfer, MigrateTransport
from gossamer.node.resp.errors import CANNOT_CONNECT, CANNOT_READ
from tests.sim.network import End

if TYPE_CHECKING:
    from tests.sim.serving import Serving


class SimulatedMigrateTransport(MigrateTransport):
    """Each transfer goes on a connection of its own."""

    def __init__(self, process: "Serving") -> None:
        super().__init__()
        self._process = process

    def carry(self, transfer: MigrateTransfer) -> None:
        transfer.pack_all()
        Journey(self._process, transfer).begin()


class Journey:
    """One transfer: requests in one piece, an answer each. Every step has the timeout of the transfer."""

    def __init__(self, process: "Serving", transfer: MigrateTransfer) -> None:
        self._process = process
        self._transfer = transfer
        self._tail = b""
        self._steps = 0
        self._over = False
        self._end: End | None = None

    def begin(self) -> None:
        self._end = self._process.port.dial(self._transfer.host, self._transfer.port, self)
        self._watch(CANNOT_CONNECT)

    def _watch(self, failure: bytes) -> None:
        """The next step must come in time."""
        self._steps += 1
        due_us = int(self._transfer.timeout_s * 1_000_000)
        late: Callable[[], None] = partial(self._late, self._steps, failure)
        self._process.timeline.after(due_us, partial(self._process.attend, late))

    def _late(self, step: int, failure: bytes) -> None:
        if step == self._steps:
            self._land(failure)

    def up(self) -> None:
        assert self._end is not None
        self._process.network.send(self._end, b"".join(self._transfer.requests))
        self._watch(CANNOT_READ)

    def heard(self, data: bytes) -> None:
        *lines, self._tail = (self._tail + data).split(b"\r\n")
        for line in lines:
            self._transfer.answered(line)
        if len(self._transfer.accepted) >= len(self._transfer.requests):
            self._land(b"")
        else:
            self._watch(CANNOT_READ)

    def down(self) -> None:
        self._land(CANNOT_READ)

    def _land(self, failure: bytes) -> None:
        if self._over:
            return
        self._over = True
        self._steps += 1
        if self._end is not None:
            self._process.port.close(self._end)
        self._transfer.failure = failure
        self._process.begin()
        self._process.machine.server.migrate_transport.finished.append(self._transfer)
        self._process.finish()
