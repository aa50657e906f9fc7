"""Cluster bus messages: bytes ⇄ Packet.

Source: the bus of Redis 7.0.15 and of Valkey 9.1.2; held byte for byte against messages captured from both.
Integers are big-endian; only the module id of MODULE is raw bytes.

Who is at fault decides what happens:
- a wrong signature or a length no message can have: PacketError, the link is closed;
- a well-framed message that cannot be used (another version, an unknown type, a length its type does not allow, an id
  that is not one): None, the message is dropped and the link stays;
- a text that is not fit to be kept, where the rest makes sense without it: as if it had not been said;
- something we should never have built: an assertion in ``encode``.

What the bytes mean to the cluster is not decided here. Splitting a stream into messages is in frames.py, the optional
tail of a ping in extensions.py, the slot bitmap in bitmap.py.
"""

from enum import IntEnum
from functools import lru_cache
from struct import Struct
from typing import Final

from attrs import frozen

from gossamer.cluster.names import is_address
from gossamer.cluster.nodesconf import is_node_id
from gossamer.cluster.text import bytes_of, text_of
from gossamer.cluster.topology import NodeId
from gossamer.gossip.bitmap import NO_SLOTS
from gossamer.gossip.bitmap import bitmap_to_slots as bitmap_to_slots
from gossamer.gossip.bitmap import slots_to_bitmap as slots_to_bitmap
from gossamer.gossip.extensions import Extension as Extension
from gossamer.gossip.extensions import decode_extensions, encode_extension

SIGNATURE: Final = b"RCmb"
VERSION: Final = 1
LIGHT_BIT: Final = 0x8000

_HEADER: Final = Struct(">4sIHHHHQQQ40s2048s40s46sH30xHHHB3s")
_LIGHT_HEADER: Final = Struct(">4sIHHHH")
_ENTRY: Final = Struct(">40sII46sHHHH2x")
_LENGTHS: Final = Struct(">II")
_UPDATE: Final = Struct(">Q40s2048s")
_MODULE: Final = Struct(">8sIB")

HEADER_BYTES: Final = _HEADER.size
LIGHT_HEADER_BYTES: Final = _LIGHT_HEADER.size
ENTRY_BYTES: Final = _ENTRY.size
assert (HEADER_BYTES, LIGHT_HEADER_BYTES, ENTRY_BYTES) == (2256, 16, 104)


class PacketError(Exception):
    """The peer does not speak the bus protocol; its link is to be closed."""


class MessageType(IntEnum):
    """Message types by their number on the wire."""

    PING = 0
    PONG = 1
    MEET = 2
    FAIL = 3
    PUBLISH = 4
    FAILOVER_AUTH_REQUEST = 5
    FAILOVER_AUTH_ACK = 6
    UPDATE = 7
    MFSTART = 8
    MODULE = 9
    PUBLISHSHARD = 10


class MessageFlag:
    """The three bytes of the header's ``mflags``, the first one lowest; real servers use nothing but that.

    Plain integers, as in Flag.
    """

    PAUSED: Final = 1
    FORCEACK: Final = 2
    EXT_DATA: Final = 4
    IDENTITY: Final = 1 << 23
    """The sender reads ClusterIdentity. Others are not sent it: Valkey logs every extension that it does not know."""


MESSAGE_TYPES: Final = tuple(MessageType)
"""By number: to look one up costs less than to call MessageType."""
LIGHT_TYPES: Final = frozenset({MessageType.PUBLISH, MessageType.PUBLISHSHARD, MessageType.MODULE})
SHORT_BYTES: Final = 256
"""Extensions up to this length are worth remembering: a shard, an identity, a name."""
PING_TYPES: Final = frozenset({MessageType.PING, MessageType.PONG, MessageType.MEET})


@frozen
class GossipEntry:
    """What the sender knows of another node. Times are unix seconds, 0 = none; ``ip`` is empty if unknown."""

    node: NodeId
    ping_sent_s: int
    pong_received_s: int
    ip: str
    port: int
    cport: int
    flags: int
    pport: int = 0


@frozen
class Ping:
    """Body of PING, PONG and MEET. Extensions are carried only with MessageFlag.EXT_DATA."""

    gossip: tuple[GossipEntry, ...] = ()
    extensions: tuple[Extension, ...] = ()


@frozen
class Fail:
    """Body of FAIL: ``node`` has failed."""

    node: NodeId


@frozen
class Publish:
    """Body of PUBLISH and PUBLISHSHARD."""

    channel: bytes
    message: bytes


@frozen
class Update:
    """Body of UPDATE: ``node`` owns ``slots`` (a bitmap) since ``config_epoch``."""

    config_epoch: int
    node: NodeId
    slots: bytes


@frozen
class Module:
    """Body of MODULE. ``module_id`` is 8 bytes in the sender's byte order, ``kind`` the module's own type, 0 to 255."""

    module_id: bytes
    kind: int
    data: bytes


Body = Ping | Fail | Publish | Update | Module | None
"""None is the body of FAILOVER_AUTH_REQUEST, FAILOVER_AUTH_ACK and MFSTART."""


@frozen
class Packet:
    """One message: the header's fields and the body that ``kind`` demands.

    ``port`` is the client port of the sender, ``pport`` its other client port, ``cport`` its bus port; an empty ``ip``
    means "the address you see me at". ``primary`` is None if the sender is a primary. ``slots`` is a 2048-byte bitmap;
    it and ``config_epoch`` are those of its primary if the sender is a replica. ``state_ok`` is cluster_state as the
    sender sees it. A ``light`` message has only kind and body: the sender is known by the link.
    """

    kind: MessageType
    sender: NodeId = ""
    port: int = 0
    pport: int = 0
    cport: int = 0
    current_epoch: int = 0
    config_epoch: int = 0
    offset: int = 0
    slots: bytes = NO_SLOTS
    primary: NodeId | None = None
    ip: str = ""
    flags: int = 0
    state_ok: bool = True
    mflags: int = 0
    body: Body = None
    light: bool = False


def encode(packet: Packet) -> bytes:
    """The message as it goes over the wire."""
    payload, count, extensions = _encode_body(packet)
    if packet.light:
        assert packet.kind in LIGHT_TYPES, f"{packet.kind.name} has no light form"
        total = LIGHT_HEADER_BYTES + len(payload)
        return _LIGHT_HEADER.pack(SIGNATURE, total, VERSION, 0, packet.kind | LIGHT_BIT, 0) + payload
    assert len(packet.sender) == 40, "a full header names its sender"
    assert not extensions or packet.mflags & MessageFlag.EXT_DATA, "extensions are read only with EXT_DATA"
    header = _HEADER.pack(
        SIGNATURE,
        HEADER_BYTES + len(payload),
        VERSION,
        packet.port,
        packet.kind,
        count,
        packet.current_epoch,
        packet.config_epoch,
        packet.offset,
        bytes_of(packet.sender),
        packet.slots,
        bytes_of(packet.primary) if packet.primary else b"",
        bytes_of(packet.ip),
        extensions,
        packet.pport,
        packet.cport,
        packet.flags,
        0 if packet.state_ok else 1,
        packet.mflags.to_bytes(3, "little"),
    )
    return header + payload


def _encode_body(packet: Packet) -> tuple[bytes, int, int]:
    """Payload, number of gossip entries, number of extensions."""
    match packet.kind, packet.body:
        case ((MessageType.PING | MessageType.PONG | MessageType.MEET), Ping(gossip, extensions)):
            parts = [_encode_entry(g) for g in gossip]
            parts += [encode_extension(e) for e in extensions]
            return b"".join(parts), len(gossip), len(extensions)
        case MessageType.FAIL, Fail(node):
            payload = bytes_of(node)
        case ((MessageType.PUBLISH | MessageType.PUBLISHSHARD), Publish(channel, message)):
            payload = b"".join((_LENGTHS.pack(len(channel), len(message)), channel, message))
        case MessageType.UPDATE, Update(config_epoch, node, slots):
            payload = _UPDATE.pack(config_epoch, bytes_of(node), slots)
        case MessageType.MODULE, Module(module_id, kind, data):
            payload = _MODULE.pack(module_id, len(data), kind) + data
        case ((MessageType.FAILOVER_AUTH_REQUEST | MessageType.FAILOVER_AUTH_ACK | MessageType.MFSTART), None):
            payload = b""
        case kind, body:
            raise AssertionError(f"{kind.name} with body {body!r}")
    return payload, 0, 0


def _encode_entry(entry: GossipEntry) -> bytes:
    return _ENTRY.pack(
        bytes_of(entry.node),
        entry.ping_sent_s,
        entry.pong_received_s,
        bytes_of(entry.ip),
        entry.port,
        entry.cport,
        entry.flags,
        entry.pport,
    )


def decode(frame: bytes) -> Packet | None:
    """One whole message; None if it is to be ignored, PacketError if the link is to be closed.

    ``frame`` must be as long as it says (frames.Deframer cuts such frames).
    """
    if len(frame) < LIGHT_HEADER_BYTES:
        raise PacketError(f"message of {len(frame)} bytes")
    signature, total, version, _, kind, _ = _LIGHT_HEADER.unpack_from(frame)
    if signature != SIGNATURE or total != len(frame):
        raise PacketError("not a bus message")
    light = bool(kind & LIGHT_BIT)
    if not light and total < HEADER_BYTES:
        raise PacketError(f"message of {total} bytes is shorter than its header")
    number = kind & ~LIGHT_BIT
    if version != VERSION or number > MessageType.PUBLISHSHARD:
        return None
    try:
        return _decode_light(MESSAGE_TYPES[number], frame) if light else _decode_full(MESSAGE_TYPES[number], frame)
    except ValueError:
        return None


def _decode_light(kind: MessageType, frame: bytes) -> Packet:
    if kind not in LIGHT_TYPES:
        raise ValueError(f"{kind.name} has no light form")
    return Packet(kind, body=_decode_body(kind, frame[LIGHT_HEADER_BYTES:]), light=True)


def _decode_full(kind: MessageType, frame: bytes) -> Packet:
    (_, _, _, port, _, count, current_epoch, config_epoch, offset, sender, slots, primary, ip, extensions, pport, cport,
     flags, state, raw_mflags) = _HEADER.unpack_from(frame)  # fmt: skip
    mflags = int.from_bytes(raw_mflags, "little")
    payload = frame[HEADER_BYTES:]
    if kind in PING_TYPES:
        body: Body = _decode_ping(payload, count, extensions if mflags & MessageFlag.EXT_DATA else 0)
    else:
        body = _decode_body(kind, payload)
    return Packet(
        kind,
        _id(sender),
        port,
        pport,
        cport,
        current_epoch,
        config_epoch,
        offset,
        slots,
        _id(primary) if primary.strip(b"\0") else None,
        _ip(ip),
        flags,
        state == 0,
        mflags,
        body,
    )


def _decode_ping(payload: bytes, count: int, extensions: int) -> Ping:
    end = count * ENTRY_BYTES
    if len(payload) < end:
        raise ValueError("gossip entries end early")
    entries = [
        GossipEntry(_id(node), ping_sent, pong_received, _ip(ip), port, cport, flags, pport)
        for node, ping_sent, pong_received, ip, port, cport, flags, pport in _ENTRY.iter_unpack(payload[:end])
    ]
    told = payload[end:]
    short = len(told) <= SHORT_BYTES
    return Ping(tuple(entries), _short_extensions(told, extensions) if short else decode_extensions(told, extensions))


def _decode_body(kind: MessageType, payload: bytes) -> Body:
    match kind:
        case MessageType.FAIL:
            _demand(payload, 40)
            return Fail(_id(payload))
        case MessageType.PUBLISH | MessageType.PUBLISHSHARD:
            _at_least(payload, _LENGTHS.size)
            channel, message = _LENGTHS.unpack_from(payload)
            _demand(payload, _LENGTHS.size + channel + message)
            middle = _LENGTHS.size + channel
            return Publish(payload[_LENGTHS.size : middle], payload[middle:])
        case MessageType.UPDATE:
            _demand(payload, _UPDATE.size)
            config_epoch, node, slots = _UPDATE.unpack(payload)
            return Update(config_epoch, _id(node), slots)
        case MessageType.MODULE:
            _at_least(payload, _MODULE.size)
            module_id, length, module_kind = _MODULE.unpack_from(payload)
            _demand(payload, _MODULE.size + length)
            return Module(module_id, module_kind, payload[_MODULE.size :])
        case _:
            _demand(payload, 0)
            return None


def _at_least(payload: bytes, size: int) -> None:
    if len(payload) < size:
        raise ValueError("payload ends early")


def _demand(payload: bytes, size: int) -> None:
    if len(payload) != size:
        raise ValueError(f"payload of {len(payload)} bytes, not {size}")


@lru_cache(1024)
def _short_extensions(data: bytes, count: int) -> tuple[Extension, ...]:
    """A node tells the same with every ping."""
    return decode_extensions(data, count)


# The same few ids and addresses come with every ping: caching skips the checks and keeps one string object of each.
@lru_cache(4096)
def _id(raw: bytes) -> NodeId:
    if not is_node_id(raw):
        raise ValueError(f"node id {raw!r}")
    return text_of(raw)


@lru_cache(4096)
def _ip(raw: bytes) -> str:
    """Text before the first zero byte; it will be written to nodes.conf, so it must be fit for that, or it is unknown.

    The link must not suffer: a Redis node announces whatever its operator typed, and all who know it repeat that. To
    close links, or to drop messages, for such a name would part us from every node that gossips about it, again and
    again. Without it we take the address that the node is seen at, or leave it to be found.
    """
    text = text_of(raw.partition(b"\0")[0])
    return text if is_address(text) else ""
