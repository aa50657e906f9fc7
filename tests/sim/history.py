"""What happened, as records: the one account that the hash, the checkers and the report of a failure are made from.

A record says when, at which host, and what; it holds nothing that changes later. The hash runs over all records in
order, so two worlds with one hash went the same way. Checkers see the records of the kinds they ask for, as they come.
"""

from collections import deque
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import TypeVar

from attrs import frozen

from gossamer.cluster.topology import NodeId, Topology
from gossamer.gossip.packet import MessageType, Packet
from tests.sim.timeline import Micros

SHORT: int = 60
"""Records that a short history shows."""


@frozen
class Record:
    at_us: Micros
    host: str

    def words(self) -> str:
        """What happened, without when and where."""
        return ""

    def data(self) -> bytes:
        """All that tells it from another, for the hash."""
        return self.words().encode()


@frozen
class Started(Record):
    """A process began with what its disk holds."""

    node: NodeId
    fresh: bool
    topology: Topology
    node_timeout_ms: int
    ip: str = ""

    def words(self) -> str:
        return f"starts as {self.node[:8]}{', new' if self.fresh else ''}"


@frozen
class Stopped(Record):
    """The process ended; what was not on disk is gone, and, if it ``lost_power``, what was not synced."""

    lost_power: bool = False

    def words(self) -> str:
        return "loses power" if self.lost_power else "stops"


@frozen
class Woken(Record):
    def words(self) -> str:
        return "wakes"


@frozen
class LinkEvent(Record):
    """``event`` is accepted, up, down, refused or garbage."""

    link: int
    event: str

    def words(self) -> str:
        return f"link {self.link} {self.event}"


@frozen
class Heard(Record):
    """A message arrived. ``attended_ms`` is how long the process has been attending to its links so far."""

    link: int
    packet: Packet
    raw: bytes
    attended_ms: int

    def words(self) -> str:
        return f"hears on {self.link} {describe(self.packet)}"

    def data(self) -> bytes:
        return b"%d %d " % (self.link, self.attended_ms) + self.raw


@frozen
class Said(Record):
    links: tuple[int, ...]
    packet: Packet
    raw: bytes

    def words(self) -> str:
        return f"says on {' '.join(map(str, self.links))} {describe(self.packet)}"

    def data(self) -> bytes:
        return str(self.links).encode() + self.raw


@frozen
class Stored(Record):
    """nodes.conf is written, and if ``synced`` on disk."""

    topology: Topology
    synced: bool = True

    def words(self) -> str:
        how = "stored" if self.synced else "written"
        return f"has {how} epoch {self.topology.myself.config_epoch} of {self.topology.current_epoch}"


@frozen
class Published(Record):
    """Clients are served by this from now on."""

    topology: Topology
    attended_ms: int

    def words(self) -> str:
        t = self.topology
        return f"publishes {len(t.nodes)} nodes, epoch {t.myself.config_epoch} of {t.current_epoch}, ok {t.ok}"


@frozen
class Replied(Record):
    """A client was answered. ``slot`` is that of the key, if there is one; ``topology`` what the node knew then."""

    request: tuple[str, ...]
    reply: bytes
    slot: int | None
    topology: Topology

    def words(self) -> str:
        return f"answers {' '.join(self.request[:5])}: {self.reply[:60]!r}"

    def data(self) -> bytes:
        return " ".join(self.request).encode() + self.reply


@frozen
class Logged(Record):
    """The engine wrote a line to the log."""

    text: str

    def words(self) -> str:
        return f"logs: {self.text}"


@frozen
class Noted(Record):
    """What the world did to the host, or to all if ``host`` is empty."""

    text: str

    def words(self) -> str:
        return f"** {self.text}"


@frozen
class Settled(Record):
    """Long enough after everything is healed: what every host believes, and how many messages it sent in
    ``over_ms``.
    """

    views: Mapping[str, Topology]
    sent: Mapping[str, int]
    over_ms: int

    def words(self) -> str:
        return "** settled"


class Violation(AssertionError):
    """A promise is broken; the text says which and how."""


R = TypeVar("R", bound=Record)


class History:
    """Takes records; keeps their hash and the newest of them."""

    def __init__(self) -> None:
        self.count = 0
        self.newest: deque[Record] = deque(maxlen=SHORT)
        self.everything: list[Record] | None = None
        """All records, if somebody wants them."""
        self.listeners: dict[type[Record], list[Callable[[Record], None]]] = {}
        self._hash = blake2b(digest_size=16)

    def add(self, record: Record) -> None:
        self.count += 1
        self.newest.append(record)
        if self.everything is not None:
            self.everything.append(record)
        kind = type(record)
        self._hash.update(f"\n{record.at_us} {record.host} {kind.__name__} ".encode() + record.data())
        for listener in self.listeners.get(kind, ()):
            listener(record)

    def digest(self) -> str:
        return self._hash.hexdigest()

    def short(self) -> list[str]:
        """The newest records, a line each."""
        return [line(record) for record in self.newest]


def line(record: Record) -> str:
    return f"{record.at_us / 1e6:11.6f} {record.host or '-':<4} {record.words()}"


def describe(packet: Packet) -> str:
    kind = MessageType(packet.kind).name
    return f"{kind} of {packet.sender[:8]} epoch {packet.config_epoch} of {packet.current_epoch}"
