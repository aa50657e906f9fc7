"""Slots on their way to other nodes in the simulation: the role of node/io/exports.py."""

from functools import partial
from typing import TYPE_CHECKING

from gossamer.node.migration.source import Export
from gossamer.node.outgoing.to_target import ToTarget
from tests.sim.carry import Carried

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
        process.timeline.after(0, partial(process.attend, partial(self._dial, export)))

    def _dial(self, export: Export) -> None:
        speaker = ToTarget(export, self._process.machine.migrations)
        if speaker.address is None:
            self._process.begin()
            speaker.disconnected("target node not found")
            self._process.finish()
        else:
            Carried(self._process, speaker, *speaker.address, partial(self._ended, export, speaker))

    def _ended(self, export: Export, speaker: ToTarget) -> None:
        if speaker.again:
            self._start(export)
