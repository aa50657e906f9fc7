"""The network between the hosts: TCP connections whose bytes take time, wait behind a cut, or are lost with the
connection.

Rules kept here:
- In one direction of one connection bytes arrive in the order they were sent, unless ``chaos`` makes a message
  overtake, vanish or come twice. Real TCP never does that; the protocol has to survive it all the same.
- Behind a cut (one way or both) bytes wait and arrive when it is healed, as TCP sends them again. A connection that
  breaks loses all that was under way, in both directions.
- A process that stops closes its connections, so the other ends hear of it; a host that goes silently does not, until
  it is back and answers with a reset.
"""

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Protocol

from attrs import define, field

from tests.sim.timeline import Micros, Timeline


class Process(Protocol):
    """Who has connections: what the network tells it, and whether it still can."""

    name: str
    ip: str
    cport: int
    alive: bool

    def accepted(self, end: "End", peer_ip: str) -> None: ...

    def link_up(self, end: "End", peer_ip: str) -> None: ...

    def receive(self, end: "End", data: bytes) -> None: ...

    def link_down(self, end: "End", refused: bool) -> None: ...


@define
class Weather:
    """How the network is. Delays are one way; probabilities are per message or per connection attempt."""

    base_us: Micros = 300
    jitter_us: Micros = 200
    lose: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    split: float = 0.0
    """How often a message arrives in two pieces."""


@define(eq=False)
class End:
    """One end of a connection, held by ``owner`` as ``link``. What is sent here arrives at ``far``."""

    owner: Process
    link: int
    far: "End | None" = None
    open: bool = True
    """False when this side has closed it, or has been told of its end."""
    arrival_us: Micros = 0
    """When the last thing sent here arrives."""
    held: list[bytes | None] = field(factory=list)
    """What waits behind a cut; None is the end of the stream."""


class Network:
    def __init__(self, timeline: Timeline, rng: Random) -> None:
        self.weather = Weather()
        self.connect_timeout_us: Micros = 1_000_000
        self.processes: dict[tuple[str, int], Process] = {}
        """Who listens, by address and bus port."""
        self.silent: set[tuple[str, int]] = set()
        """Addresses that do not even refuse."""
        self.names: dict[str, str] = {}
        """What hostnames stand for."""
        self.lazy_resets = False
        """A host that is back answers with a reset only where it is spoken to, as TCP does; else it tells all."""
        self.deaf: set[tuple[str, str]] = set()
        """From whom to whom whole messages vanish, on links that stay up."""
        self._timeline = timeline
        self._rng = rng
        self._cut: dict[tuple[str, str], int] = {}
        self._ends: dict[End, None] = {}

    # Cuts

    def cut(self, source: str, target: str) -> None:
        """Nothing comes through from ``source`` to ``target``. Cuts may overlap; each is healed once."""
        self._cut[source, target] = self._cut.get((source, target), 0) + 1

    def heal(self, source: str, target: str) -> None:
        left = self._cut.get((source, target), 0) - 1
        if left > 0:
            self._cut[source, target] = left
        elif left == 0:
            del self._cut[source, target]
            self._release(source, target)

    def heal_all(self) -> None:
        for source, target in list(self._cut):
            del self._cut[source, target]
            self._release(source, target)

    def _release(self, source: str, target: str) -> None:
        for end in list(self._ends):
            if end.held and end.far is not None and (end.owner.name, end.far.owner.name) == (source, target):
                held, end.held = end.held, []
                pause_us = self._rng.randrange(200_000)
                end.arrival_us = max(end.arrival_us, self._timeline.now_us + pause_us)
                for data in held:
                    self._carry(end, data)
                if not end.open:
                    del self._ends[end]

    # Names

    def look_up(self, hostname: str, tell: Callable[[tuple[str, ...]], None]) -> None:
        """Ask a name server; it is told what the name stands for when the question arrives."""
        self._timeline.after(self._delay(), partial(self._answer, hostname, tell))

    def _answer(self, hostname: str, tell: Callable[[tuple[str, ...]], None]) -> None:
        known = self.names.get(hostname)
        tell((known,) if known else ())

    # Connections

    def listen(self, process: Process) -> None:
        self.processes[process.ip, process.cport] = process
        self.silent.discard((process.ip, process.cport))

    def vanish(self, process: Process, silently: bool) -> None:
        """The process is gone, and with it its end of every connection."""
        if self.processes.get((process.ip, process.cport)) is process:
            del self.processes[process.ip, process.cport]
        for end in [e for e in self._ends if e.owner is process]:
            if silently:
                end.open = False
                del self._ends[end]
            else:
                self.close(end)
        if silently:
            self.silent.add((process.ip, process.cport))

    def answer_resets(self, name: str) -> None:
        """The host is back and knows nothing of its old connections."""
        if self.lazy_resets:
            return
        for end in list(self._ends):
            if end.open and end.far is not None and end.far.owner.name == name and not end.far.owner.alive:
                self._timeline.after(self._delay(), partial(self._tell_down, end))

    def dial(self, process: Process, link: int, ip: str, cport: int) -> End:
        end = End(process, link)
        self._ends[end] = None
        self._timeline.after(self._delay(), partial(self._knock, end, ip, cport))
        return end

    def _knock(self, end: End, ip: str, cport: int) -> None:
        if not self._usable(end):
            return
        target = self.processes.get((ip, cport))
        name = target.name if target else ""
        if (end.owner.name, name) in self._cut or (name, end.owner.name) in self._cut or (ip, cport) in self.silent:
            self._timeline.after(self.connect_timeout_us, partial(self._tell_down, end))
            return
        if target is None:
            self._timeline.after(self._delay(), partial(self._tell_down, end, refused=True))
            return
        far = End(target, 0, end)
        end.far = far
        self._ends[far] = None
        target.accepted(far, end.owner.ip)
        delay_us = self._delay()
        far.arrival_us = self._timeline.now_us + delay_us
        self._timeline.at(far.arrival_us, partial(self._connected, end, target.ip))

    def _connected(self, end: End, peer_ip: str) -> None:
        if self._usable(end):
            end.owner.link_up(end, peer_ip)

    def send(self, end: End, data: bytes) -> None:
        if end.open:
            self._transmit(end, data)

    def close(self, end: End) -> None:
        """This side is done with it; the other hears of that after all that was sent before."""
        if end.open:
            end.open = False
            self._transmit(end, None)
            if not end.held:
                self._ends.pop(end, None)

    def break_links(self, one: str, other: str) -> None:
        """All connections between two hosts are reset, and what was under way is lost."""
        for end in list(self._ends):
            if end.far is not None and end.owner.name == one and end.far.owner.name == other:
                self._lose(end)
                self._lose(end.far)

    def _lose(self, end: End) -> None:
        end.arrival_us = -1
        end.held.clear()
        self._timeline.after(self._delay(), partial(self._tell_down, end))

    # Bytes

    def _transmit(self, end: End, data: bytes | None) -> None:
        far = end.far
        if far is None or end.arrival_us < 0:
            return
        if (end.owner.name, far.owner.name) in self._cut:
            end.held.append(data)
            return
        if self.lazy_resets and not far.owner.alive and data is not None:
            self._reset_if_back(end, far.owner)
            return
        weather, rng = self.weather, self._rng
        if data is not None and (end.owner.name, far.owner.name) in self.deaf:
            return
        if data is not None and weather.lose and rng.random() < weather.lose:
            return
        self._carry(end, data)
        if data is not None and weather.duplicate and rng.random() < weather.duplicate:
            self._carry(end, data)

    def _reset_if_back(self, end: End, gone: Process) -> None:
        """Somebody else answers for ``gone``, or nobody does yet: then TCP tries again for long."""
        if (gone.ip, gone.cport) in self.silent:
            self._timeline.after(200_000, partial(self._reset_if_back, end, gone))
        else:
            self._timeline.after(self._delay(), partial(self._tell_down, end))

    def _carry(self, end: End, data: bytes | None) -> None:
        arrival_us = self._timeline.now_us + self._delay()
        weather, rng = self.weather, self._rng
        if data is not None and weather.reorder and rng.random() < weather.reorder:
            arrival_us += rng.randrange(50_000)
        else:
            arrival_us = end.arrival_us = max(arrival_us, end.arrival_us)
        if data is None:
            self._timeline.at(arrival_us, partial(self._ended, end))
        elif weather.split and not weather.reorder and rng.random() < weather.split:
            cut = rng.randrange(1, len(data))
            self._timeline.at(arrival_us, partial(self._arrive, end, data[:cut]))
            end.arrival_us += rng.randrange(1000)
            self._timeline.at(end.arrival_us, partial(self._arrive, end, data[cut:]))
        else:
            self._timeline.at(arrival_us, partial(self._arrive, end, data))

    def _arrive(self, end: End, data: bytes) -> None:
        far = end.far
        if far is not None and end.arrival_us >= 0 and self._usable(far):
            far.owner.receive(far, data)

    def _ended(self, end: End) -> None:
        if end.far is not None:
            self._tell_down(end.far)

    def _tell_down(self, end: End, refused: bool = False) -> None:
        """The connection is over for this side as well, or was ``refused`` by a host without that process."""
        if self._usable(end):
            end.open = False
            del self._ends[end]
            end.owner.link_down(end, refused)

    def _usable(self, end: End) -> bool:
        if end.open and end.owner.alive:
            return True
        self._ends.pop(end, None)
        return False

    def _delay(self) -> Micros:
        return self.weather.base_us + self._rng.randrange(self.weather.jitter_us + 1)
