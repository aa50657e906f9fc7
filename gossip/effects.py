"""Everything the agreement can ask for.

One promise: the effects of one event are performed in the order given, and Save is done when it holds. The Outbox
keeps the order: what was noted for the log, then Save, then the own role (Lead or Follow), then Publish, then all that
depends on them: messages, links, answers. So nothing is ever said to anybody before what it promises is on disk.
"""

from enum import IntEnum

from attrs import frozen

from gossamer.cluster.topology import Millis, NodeId, Topology
from gossamer.gossip.packet import MessageType, Packet


class Level(IntEnum):
    """Log levels of redis.conf, by their marks in the log: ``.`` ``-`` ``*`` ``#``."""

    DEBUG = 0
    VERBOSE = 1
    NOTICE = 2
    WARNING = 3


@frozen
class Log:
    level: Level
    text: str


@frozen
class Save:
    """Keep this as nodes.conf. What follows depends on it, so it has to hold before that is done.

    ``synced``: across a loss of power (fsync), for something in it is about to be said that others build on: a vote, an
    epoch, slots of this node, its role, its id, whom it has met, whom it has been told to forget (a node that is back
    after a loss of power would tell all others of it again). Otherwise across the end of the process: what is new in it
    was heard from others, or only an operator has asked for it. Then a synced one follows within a second.
    """

    topology: Topology
    synced: bool


@frozen
class Lead:
    """This node is a primary now: stop following, take writes, and go on with the stream from where it is."""


@frozen
class Follow:
    """This node is a replica of ``node``, whose clients' address is ``ip``, ``port``: replicate it.

    Said again when the address changes.
    """

    node: NodeId
    ip: str
    port: int


@frozen
class Unfollow:
    """The primary that is followed has no address any more, and whoever is at the old one is not it: keep the data, end
    the connection, and make no other before the next Follow.
    """


@frozen
class Pause:
    """Hold the clients' writes back until then, and tell with Paused how far the stream has come."""

    until: Millis


@frozen
class Resume:
    """The pause is over."""


@frozen
class Publish:
    """What clients are told has changed: the newest view."""

    topology: Topology


@frozen
class Dial:
    """Connect to the bus port of ``node``; answered by LinkUp or LinkDown of ``link``."""

    link: int
    node: NodeId
    ip: str
    cport: int


@frozen
class Resolve:
    """Look up ``hostname``, which ``node`` is announced by; answered by Resolved, in its time."""

    node: NodeId
    hostname: str


@frozen
class Hangup:
    """Close ``link`` and forget what is queued on it; LinkDown is not expected."""

    link: int


@frozen
class Send:
    """One message to one or many links; encode it once."""

    links: tuple[int, ...]
    packet: Packet


@frozen
class Deliver:
    """A message published at another node, for the subscribers of this one."""

    channel: bytes
    message: bytes
    sharded: bool


@frozen
class DropKeys:
    """These slots now belong to others: delete their keys, if there are any."""

    slots: tuple[int, ...]


@frozen
class SlotsConfirmed:
    """A majority knows of the slots that were handed over to this node: it may take writes for them."""


@frozen
class Answer:
    """The command is done; ``text`` is the simple string to reply."""

    text: str


@frozen
class Refused:
    """The command is refused; ``text`` is the error without its ``ERR``."""

    text: str


Effect = (
    Log
    | Save
    | Lead
    | Follow
    | Unfollow
    | Publish
    | Pause
    | Resume
    | Dial
    | Resolve
    | Hangup
    | Send
    | Deliver
    | DropKeys
    | SlotsConfirmed
    | Answer
    | Refused
)


class Outbox:
    """Collects the effects of one event, and what has to follow from it.

    ``promised``: this node is about to promise something, which a loss of power must not undo; ``save_now``: worth
    keeping before anything else is said; ``save_soon``: worth keeping, within a tick.
    ``publish``: it matters to clients; ``publish_soon``: it may wait for the next tick. ``recheck``: the cluster state
    may be another. ``role``: this node has a new one. ``sent`` counts messages by kind.
    """

    def __init__(self) -> None:
        self.sent = [0] * len(MessageType)
        self.promised = False
        self.save_now = False
        self.save_soon = False
        self.publish = False
        self.publish_soon = False
        self.recheck = False
        self.role: Lead | Follow | Unfollow | None = None
        self._notes: list[Effect] = []
        self._deeds: list[Effect] = []

    def log(self, level: Level, text: str) -> None:
        self._notes.append(Log(level, text))

    def do(self, effect: Effect) -> None:
        self._deeds.append(effect)

    def send(self, links: tuple[int, ...], packet: Packet) -> None:
        if links:
            self.sent[packet.kind] += len(links)
            self._deeds.append(Send(links, packet))

    def changed(self) -> None:
        """Something that clients and nodes.conf show has changed."""
        self.save_soon = self.publish = self.recheck = True

    def grown(self) -> None:
        """A node without slots is new, which neither routes nor the state of the cluster depend on."""
        self.save_soon = self.publish_soon = True

    def take(self, topology: Topology | None) -> list[Effect]:
        """All effects in the promised order; ``topology`` is needed if there is anything to save or publish."""
        effects = self._notes
        if self.save_now or self.promised:
            assert topology is not None
            effects.append(Save(topology, self.promised))
            self.promised = self.save_now = self.save_soon = False
        if self.role is not None:
            effects.append(self.role)
            self.role = None
        if self.publish:
            assert topology is not None
            effects.append(Publish(topology))
            self.publish = self.publish_soon = False
        effects += self._deeds
        self._notes, self._deeds = [], []
        return effects
