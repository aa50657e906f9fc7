"""Ping extensions: what a PING, PONG or MEET may carry after its gossip entries.

Source: Redis 7.0 (type 0), 7.2 (1 to 3), Valkey 8.1 (4, 5) and 9.1 (6 to 8); 0x4753 is ours. Each extension is a u32
length that counts its own 8-byte head and is a multiple of 8, a u16 type, a u16 of zero, and a body padded with zero
bytes.

Rules kept here:
- A type this file does not know, or a body that does not say what its type promises, becomes Unknown and is written
  back as it came. A peer's odd extension must neither cost us its ping nor reach nodes.conf or a client as text.
- A length that cannot be right makes the whole message unusable: the caller gets ValueError.
"""

from functools import lru_cache
from struct import Struct
from typing import Final

from attrs import frozen

from gossamer.cluster.names import is_storable
from gossamer.cluster.nodesconf import is_node_id
from gossamer.cluster.text import bytes_of, text_of
from gossamer.cluster.topology import NodeId

_HEAD: Final = Struct(">IHH")
IDENTITY_TYPE: Final = 0x4753
"""Far from the types of Redis and Valkey, which count from 0."""

_PORT: Final = Struct(">H6x")
_FORGOTTEN: Final = Struct(">40sQ")


@frozen
class Hostname:
    """Name the sender wants to be announced by (cluster-announce-hostname)."""

    name: str


@frozen
class HumanName:
    """Name for people to read (cluster-announce-human-nodename)."""

    name: str


@frozen
class Forgotten:
    """The sender has forgotten ``node`` and will not have it back for ``ttl_s`` more seconds."""

    node: NodeId
    ttl_s: int


@frozen
class ShardId:
    """The shard of the sender; 40 lower-case characters, the same in a primary and its replicas."""

    shard: str


@frozen
class ClientIpv4:
    """IPv4 address for clients where it differs from the one nodes use."""

    ip: str


@frozen
class ClientIpv6:
    """IPv6 address for clients where it differs from the one nodes use."""

    ip: str


@frozen
class ClientPort:
    """Plain port for clients where it differs."""

    port: int


@frozen
class ClientTlsPort:
    """TLS port for clients where it differs."""

    port: int


@frozen
class AvailabilityZone:
    """Zone the sender runs in."""

    name: str


@frozen
class ClusterIdentity:
    """The cluster that the sender is of; empty if it has no identity yet. Ours alone: other servers skip it."""

    identity: str


@frozen
class Unknown:
    """Anything else: its type and all bytes after the 8-byte head, padding included."""

    type: int
    body: bytes


Extension = (
    Hostname
    | HumanName
    | Forgotten
    | ShardId
    | ClientIpv4
    | ClientIpv6
    | ClientPort
    | ClientTlsPort
    | AvailabilityZone
    | ClusterIdentity
    | Unknown
)


@lru_cache(256)
def encode_extension(extension: Extension) -> bytes:
    """The extension with its head and padding. A node tells the same ones with every ping."""
    match extension:
        case Hostname(name):
            kind, body = 0, _text(name)
        case HumanName(name):
            kind, body = 1, _text(name)
        case Forgotten(node, ttl_s):
            kind, body = 2, _FORGOTTEN.pack(bytes_of(node), ttl_s)
        case ShardId(shard):
            kind, body = 3, bytes_of(shard)
        case ClientIpv4(ip):
            kind, body = 4, _text(ip)
        case ClientIpv6(ip):
            kind, body = 5, _text(ip)
        case ClientPort(port):
            kind, body = 6, _PORT.pack(port)
        case ClientTlsPort(port):
            kind, body = 7, _PORT.pack(port)
        case AvailabilityZone(name):
            kind, body = 8, _text(name)
        case ClusterIdentity(identity):
            kind, body = IDENTITY_TYPE, bytes_of(identity).ljust(40, b"\0")
        case Unknown(kind, body):
            pass
    assert len(body) % 8 == 0, f"extension {kind} is not padded"
    return _HEAD.pack(_HEAD.size + len(body), kind, 0) + body


def decode_extensions(data: bytes, count: int) -> tuple[Extension, ...]:
    """All ``count`` extensions, which must fill ``data`` exactly; ValueError if they do not."""
    out: list[Extension] = []
    at = 0
    for _ in range(count):
        if len(data) - at < _HEAD.size:
            raise ValueError("extensions end early")
        length, kind, _unused = _HEAD.unpack_from(data, at)
        if length < _HEAD.size or length % 8 or length > len(data) - at:
            raise ValueError(f"extension of length {length}")
        out.append(_typed(kind, data[at + _HEAD.size : at + length]))
        at += length
    if at != len(data):
        raise ValueError("bytes after the last extension")
    return tuple(out)


def _typed(kind: int, body: bytes) -> Extension:
    if kind in _TEXT_TYPES:
        text = _read_text(body)
        if text is not None:
            return _TEXT_TYPES[kind](text)
    elif kind == 2 and len(body) == _FORGOTTEN.size and is_node_id(body[:40]):
        return Forgotten(text_of(body[:40]), int.from_bytes(body[40:], "big"))
    elif kind == 3 and len(body) == 40 and is_node_id(body):
        return ShardId(text_of(body))
    elif kind == IDENTITY_TYPE and len(body) == 40 and (is_node_id(body) or not body.strip(b"\0")):
        return ClusterIdentity(text_of(body.strip(b"\0")))
    elif kind in _PORT_TYPES and len(body) == _PORT.size:
        return _PORT_TYPES[kind](_PORT.unpack(body)[0])
    return Unknown(kind, body)


def _text(value: str) -> bytes:
    raw = bytes_of(value)
    return raw + bytes(8 - len(raw) % 8)


def _read_text(body: bytes) -> str | None:
    """The text before the first zero byte; None if there is no zero or the text is not fit to be kept."""
    raw, zero, _ = body.partition(b"\0")
    if not zero:
        return None
    text = text_of(raw)
    return text if is_storable(text) else None


_TEXT_TYPES: Final[dict[int, type[Hostname | HumanName | ClientIpv4 | ClientIpv6 | AvailabilityZone]]] = {
    0: Hostname,
    1: HumanName,
    4: ClientIpv4,
    5: ClientIpv6,
    8: AvailabilityZone,
}
_PORT_TYPES: Final[dict[int, type[ClientPort | ClientTlsPort]]] = {6: ClientPort, 7: ClientTlsPort}
