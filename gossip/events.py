"""Everything that can happen to the agreement.

Links are opaque numbers. Negative ones are connections this node asked for with Dial; positive ones are connections it
accepted, numbered by whoever accepts. A number is never used again within one life of a node.
"""

from typing import Literal

from attrs import frozen

from gossamer.cluster.topology import Millis, NodeId
from gossamer.gossip.config import GossipConfig
from gossamer.gossip.packet import Packet


@frozen
class Woke:
    """The deadline has come."""


@frozen
class Accepted:
    """A peer connected. ``peer_ip`` is its address as the socket shows it, ``local_ip`` the one it reached us at."""

    link: int
    peer_ip: str
    local_ip: str


@frozen
class LinkUp:
    """A dialled link is connected; ``peer_ip`` is the address at its other end."""

    link: int
    peer_ip: str = ""


@frozen
class LinkDown:
    """A link is gone, or could not be made. Not told for links that were hung up by us.

    ``refused``: the host was reached and said that nobody listens there; never of a link that was up.
    """

    link: int
    refused: bool = False


@frozen
class Resolved:
    """The answer to the effect Resolve: the addresses that the hostname of ``node`` has now; none if it has none."""

    node: NodeId
    ips: tuple[str, ...]


@frozen
class PacketIn:
    """A whole, decodable message came in on ``link``."""

    link: int
    packet: Packet


@frozen
class GarbageIn:
    """What came in on ``link`` is not the bus protocol."""

    link: int


@frozen
class Replicated:
    """How far replication has come: ``offset``, in bytes, is what a primary has sent, or a replica has applied.

    ``heard`` is when a replica last heard from its primary, or, if the connection is down, when it broke; 0: never.
    ``primary_lost_data``: the primary has come back without the data that this replica has of it. ``syncing``: it is
    getting all of the primary's data anew, and nobody was promised anything of what it has until then.
    """

    offset: int
    heard: Millis = 0
    primary_lost_data: bool = False
    syncing: bool = False


@frozen
class Paused:
    """The answer to the effect Pause: nothing is written any more, and replication has sent up to ``offset``."""

    offset: int


@frozen
class ConfigChanged:
    config: GossipConfig


# Commands of the operator: each is answered by exactly one Answer or Refused.


@frozen
class Meet:
    """``ip`` as typed, which may be no address; ``cport`` None means port + 10000."""

    ip: str
    port: int
    cport: int | None = None


@frozen
class Forget:
    node: NodeId


@frozen
class AddSlots:
    """Slots in the order given, each 0 to 16383; a repeated one is refused."""

    slots: tuple[int, ...]


@frozen
class DelSlots:
    slots: tuple[int, ...]


@frozen
class FlushSlots:
    """``keys`` is how many keys the node holds."""

    keys: int


@frozen
class SetSlot:
    """CLUSTER SETSLOT. ``node`` is empty for ``stable``; ``keys`` is how many keys of the slot the node holds.

    ``from_primary``: it was granted by the primary of this replica, which has to know in case it takes over.
    """

    slot: int
    action: Literal["migrating", "importing", "stable", "node"]
    node: NodeId = ""
    keys: int = 0
    from_primary: bool = False


@frozen
class TakeSlots:
    """Slots that were handed over to this node, or that come back to it, with a new config epoch beyond ``beyond``."""

    slots: tuple[int, ...]
    beyond: int = 0


@frozen
class KeepEpoch:
    """While it is ``on`` this node takes no config epoch without being elected: it still claims slots that another has
    been granted, whose claim has to be the newer one."""

    on: bool


@frozen
class SetConfigEpoch:
    epoch: int


@frozen
class BumpEpoch:
    pass


@frozen
class Reset:
    """CLUSTER RESET; ``keys`` is how many keys the node holds."""

    hard: bool
    keys: int


@frozen
class Replicate:
    """CLUSTER REPLICATE; ``keys`` is how many keys the node holds."""

    node: NodeId
    keys: int


@frozen
class Failover:
    """CLUSTER FAILOVER: with the primary's help, without it (``force``), or without asking anybody (``takeover``)."""

    how: Literal["asking", "force", "takeover"] = "asking"


@frozen
class SaveConfig:
    pass


@frozen
class KillLink:
    """DEBUG CLUSTERLINK KILL: end the link that we made to ``node``, the one that it made to us (``from``), or both."""

    way: Literal["to", "from", "all"]
    node: NodeId


@frozen
class DropMessageType:
    """DEBUG DROP-CLUSTER-PACKET-FILTER: messages of this type are not read from now on; none has a negative one."""

    kind: int


@frozen
class PauseCron:
    """DEBUG PAUSE-CRON: while it is on, nothing is done that only the time asks for."""

    on: bool


@frozen
class Broadcast:
    """Carry a PUBLISH (or, ``sharded``, an SPUBLISH) to the other nodes. The one command without an answer."""

    channel: bytes
    message: bytes
    sharded: bool = False


ClusterCommand = (
    Meet
    | Forget
    | AddSlots
    | DelSlots
    | FlushSlots
    | SetSlot
    | TakeSlots
    | KeepEpoch
    | SetConfigEpoch
    | BumpEpoch
    | Reset
    | Replicate
    | Failover
    | SaveConfig
    | KillLink
    | DropMessageType
    | PauseCron
)
Event = (
    Woke
    | Accepted
    | LinkUp
    | LinkDown
    | Resolved
    | PacketIn
    | GarbageIn
    | Replicated
    | Paused
    | ConfigChanged
    | Broadcast
    | ClusterCommand
)
