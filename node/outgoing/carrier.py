"""A connection that this node has dialled: when something is said on it, and when it ends.

The same object is driven by real sockets and by simulated ones, which supply ``Wire``. Rules kept here:
- The speaker is asked for more when the wire has taken what it said last, never in the middle of a batch.
- The connection ends as soon as the speaker says that it is over: a dial too, and one whose other end takes nothing.
- The speaker is told of the end once; nothing that comes later reaches it.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import Protocol


class Speaker(Protocol):
    """Whoever speaks on the connection."""

    @property
    def finished(self) -> bool:
        """Is the connection, or the dial, of no more use?"""

    def on_output(self, tell: Callable[[], None] | None) -> None:
        """``tell`` is to be called when there may be something to say, or an end; None: by nobody any more."""

    def connected(self) -> None: ...

    def receive(self, data: bytes) -> None: ...

    def pause_s(self) -> float:
        """For how long, after that, nothing more is to be read."""

    def next_output(self) -> bytes:
        """What to send next; empty if there is nothing now."""

    def disconnected(self, why: str) -> None:
        """The connection has ended, or could not be made; ``why`` in the second case."""


class Wire(Protocol):
    """What the carrier needs of the world: batches of the machine, and a connection that has been dialled."""

    def begin(self) -> None: ...

    def finish(self) -> None: ...

    def wake_writer(self) -> None:
        """Call ``Carrier.next_output`` when this batch is over and all that it gave before has been sent."""

    def close(self) -> None:
        """End the dial or the connection, and call ``Carrier.ended`` when this batch is over."""


class State(Enum):
    DIALLING = auto()
    UP = auto()
    CLOSING = auto()
    ENDED = auto()


class Carrier:
    """Made when the dial begins."""

    def __init__(self, speaker: Speaker, wire: Wire) -> None:
        self._speaker = speaker
        self._wire = wire
        self._state = State.DIALLING
        self._was_up = False
        speaker.on_output(self.look)

    def up(self) -> None:
        """The connection is there."""
        if self._state is State.DIALLING:
            self._state = State.UP
            self._was_up = True
            self._wire.begin()
            self._speaker.connected()
            self._wire.finish()
            self.look()

    def heard(self, data: bytes) -> float:
        """The other end has said ``data``; for how many seconds to read no more."""
        if self._state is not State.UP:
            return 0.0
        self._wire.begin()
        self._speaker.receive(data)
        self._wire.finish()
        return self._speaker.pause_s()

    def look(self) -> None:
        """Is there something to say, or is it over?"""
        if self._state in (State.DIALLING, State.UP) and self._speaker.finished:
            self._state = State.CLOSING
            self._wire.close()
        elif self._state is State.UP:
            self._wire.wake_writer()

    def next_output(self) -> bytes:
        """What to send now; empty: nothing before the writer is woken."""
        if self._state is not State.UP:
            return b""
        self._wire.begin()
        data = self._speaker.next_output()
        self._wire.finish()
        return data

    def ended(self, why: str = "") -> None:
        """The connection has ended, by whichever end, or could not be made."""
        if self._state is State.ENDED:
            return
        self._state = State.ENDED
        self._speaker.on_output(None)
        self._wire.begin()
        self._speaker.disconnected("" if self._was_up else why)
        self._wire.finish()
