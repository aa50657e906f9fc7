"""Carries a connection that a process has dialled, on the simulated network: the role of node/io/carry.py."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from gossamer.node.outgoing.carrier import Carrier, Speaker
from tests.sim.network import End

if TYPE_CHECKING:
    from tests.sim.serving import Serving


class Carried:
    """The Wire of one connection, and what the network tells of it. ``on_end`` is called when it has ended."""

    def __init__(self, process: "Serving", speaker: Speaker, ip: str, port: int, on_end: Callable[[], None]) -> None:
        self.begin = process.begin
        self.finish = process.finish
        self._process = process
        self._on_end = on_end
        self._writing = False
        """Something is being sent, or soon will be."""
        self._end: End | None = process.port.dial(ip, port, self)
        self._carrier = Carrier(speaker, self)

    # What the carrier asks for

    def wake_writer(self) -> None:
        if not self._writing:
            self._writing = True
            self._soon(0, self._write)

    def close(self) -> None:
        if self._end is not None:
            end, self._end = self._end, None
            self._process.port.close(end)
        self._soon(0, self._ended)

    def _soon(self, delay_us: int, action: Callable[[], None]) -> None:
        self._process.timeline.after(delay_us, partial(self._process.attend, action))

    def _write(self) -> None:
        data = self._carrier.next_output()
        self._writing = bool(data)
        if data and self._end is not None:
            self._process.network.send(self._end, data)
            self._soon(self._process.network.weather.base_us, self._write)

    def _ended(self) -> None:
        self._carrier.ended("cannot connect")
        self._on_end()

    # What the network tells

    def up(self) -> None:
        self._carrier.up()

    def heard(self, data: bytes) -> None:
        self._carrier.heard(data)

    def down(self) -> None:
        self._end = None
        self._ended()
