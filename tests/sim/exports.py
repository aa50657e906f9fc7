"""Slots on their way to other nodes in the simulation: the role of node/io/exports.py.

Rules kept here, which are those of node/io:
- A connection for each export, to the client port that the gossip knows; another when it has broken after the grant.
- What is to be said next is made when the last of it is gone, and the connection ends when the export is over.
"""

from functools import partial
from typing import TYPE_CHECKING

from gossamer.node.migration.source import Export
from tests.sim.network import End

if TYPE_CHECKING:
    from tests.sim.serving import Serving

PIECE = 1500
"""Bytes of a snapshot that are made at once: little, so that there are many pieces though there are few keys."""


class SimulatedExports:
    def __init__(self, process: "Serving") -> None:
        self._process = process
        process.machine.migrations.on_export = self._begin

    def _begin(self, export: Export) -> None:
        export.piece = PIECE
        export.on_asking = partial(self._start, export)
        self._start(export)

    def _start(self, export: Export) -> None:
        process = self._process
        process.timeline.after(0, partial(process.attend, Carriage(process, export).begin))


class Carriage:
    """One connection, from the first byte to the last."""

    def __init__(self, process: "Serving", export: Export) -> None:
        self._process = process
        self._export = export
        self._end: End | None = None
        self._up = False
        self._busy = False
        """Something is being sent, or soon will be."""

    def begin(self) -> None:
        node = self._process.machine.migrations.topology.nodes.get(self._export.target)
        if node is None:
            self._ended("target node not found")
        else:
            self._end = self._process.port.dial(node.ip, node.port, self)

    def up(self) -> None:
        self._up = True
        self._export.on_output = self._poked
        self._process.begin()
        self._export.connected()
        self._process.finish()
        self._poked()

    def heard(self, data: bytes) -> None:
        self._process.begin()
        self._export.receive(data)
        self._process.finish()

    def down(self) -> None:
        self._end = None
        self._ended("" if self._up else "cannot connect")

    def _poked(self) -> None:
        if not self._busy:
            self._busy = True
            self._soon(0)

    def _soon(self, delay_us: int) -> None:
        self._process.timeline.after(delay_us, partial(self._process.attend, self._write))

    def _write(self) -> None:
        if self._end is None:
            return
        self._process.begin()
        data = self._export.next_output()
        self._process.finish()
        if data:
            self._process.network.send(self._end, data)
            self._soon(self._process.network.weather.base_us)
        elif self._export.over:
            end, self._end = self._end, None
            self._process.port.close(end)
            self._ended("")
        else:
            self._export.sending = 0
            self._busy = False

    def _ended(self, why: str) -> None:
        self._export.on_output = None
        self._process.begin()
        self._export.disconnected(why)
        self._process.finish()
