"""Bus messages: what real servers sent is read completely and written back byte for byte; anything else is survived."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossamer.cluster.topology import ranges
from gossamer.gossip import extensions as ext
from gossamer.gossip.bitmap import NO_SLOTS, bitmap_to_slots, slots_to_bitmap
from gossamer.gossip.frames import Deframer, frame_length
from gossamer.gossip.packet import (
    Body,
    Fail,
    GossipEntry,
    MessageFlag,
    MessageType,
    Module,
    Packet,
    PacketError,
    Ping,
    Publish,
    Update,
    decode,
    encode,
)

VECTORS = Path(__file__).parents[2] / "vectors" / "bus"
CAPTURED = sorted(VECTORS.glob("*/*.bin"))

Json = dict[str, Any]


def captured(path: Path) -> tuple[bytes, Json]:
    return path.read_bytes(), json.loads(path.with_suffix(".json").read_text())


def described(packet: Packet) -> Json:
    """The packet in the words of the captured JSON."""
    out: Json = {"type_name": packet.kind.name, "light": packet.light} | described_body(packet.body)
    if packet.light:
        return out
    return out | {
        "port": packet.port,
        "pport": packet.pport,
        "cport": packet.cport,
        "currentEpoch": packet.current_epoch,
        "configEpoch": packet.config_epoch,
        "offset": packet.offset,
        "sender": packet.sender,
        "myslots": described_slots(packet.slots),
        "slaveof": packet.primary,
        "myip": packet.ip,
        "flags": packet.flags,
        "state": 0 if packet.state_ok else 1,
        "mflags": list(packet.mflags.to_bytes(3, "little")),
    }


def described_body(body: Body) -> Json:
    match body:
        case Ping(gossip, extensions):
            return {
                "count": len(gossip),
                "extensions": len(extensions),
                "gossip": [described_gossip(g) for g in gossip],
                "ext": [described_extension(e) for e in extensions],
            }
        case Fail(node):
            return {"about": node}
        case Publish(channel, message):
            return {"channel": channel, "message": message}
        case Update(config_epoch, node, slots):
            return {
                "update_configEpoch": config_epoch,
                "update_nodename": node,
                "update_slots": described_slots(slots),
            }
        case Module(module_id, kind, data):
            return {"module_id": module_id, "module_type": kind, "payload": data}
        case None:
            return {}


def described_gossip(entry: GossipEntry) -> Json:
    return {
        "nodename": entry.node,
        "ping_sent": entry.ping_sent_s,
        "pong_received": entry.pong_received_s,
        "ip": entry.ip,
        "port": entry.port,
        "cport": entry.cport,
        "flags": entry.flags,
        "pport": entry.pport,
    }


def described_extension(extension: ext.Extension) -> Json:
    match extension:
        case ext.Hostname(value):
            return {"type_name": "hostname", "value": value}
        case ext.HumanName(value):
            return {"type_name": "human_nodename", "value": value}
        case ext.Forgotten(node, ttl_s):
            return {"type_name": "forgotten_node", "name": node, "ttl": ttl_s}
        case ext.ClusterIdentity(identity):
            return {"type_name": "cluster_identity", "value": identity}
        case ext.ShardId(shard):
            return {"type_name": "shard_id", "shard_id": shard}
        case ext.ClientIpv4(value):
            return {"type_name": "client_ipv4", "value": value}
        case ext.ClientIpv6(value):
            return {"type_name": "client_ipv6", "value": value}
        case ext.ClientPort(port):
            return {"type_name": "client_tcp_port", "value": port}
        case ext.ClientTlsPort(port):
            return {"type_name": "client_tls_port", "value": port}
        case ext.AvailabilityZone(value):
            return {"type_name": "availability_zone", "value": value}
        case ext.Unknown(number, _):
            return {"type": number}


def described_slots(bitmap: bytes) -> list[list[int]]:
    return [list(pair) for pair in ranges(bitmap_to_slots(bitmap))]


def expected(recorded: Json) -> Json:
    """The captured JSON without what only the bytes can show, its base64 decoded."""
    unseen = {"sig", "totlen", "ver", "type", "flag_names", "mflag_names", "reserved_at_2216_nonzero", "module_id"}
    unseen |= {"unused_at_10", "unused_at_14", "channel_len", "message_len", "module_len"}
    if "gossip" not in recorded:
        unseen |= {"count", "extensions"}
    out: Json = {}
    for name, value in recorded.items():
        if name == "module_id_bytes_base64":
            out["module_id"] = b64decode(value)
        elif name.endswith("_base64"):
            out[name.removesuffix("_base64")] = b64decode(value)
        elif name == "gossip":
            out[name] = [{k: v for k, v in g.items() if k not in {"flag_names", "notused1"}} for g in value]
        elif name == "ext":
            head = {"length", "type", "unused", "padding"}
            out[name] = [{k: v for k, v in e.items() if k not in head} for e in value]
        elif name not in unseen:
            out[name] = value
    return out


def test_the_captured_messages_are_there() -> None:
    kinds = {json.loads(p.with_suffix(".json").read_text())["type_name"] for p in CAPTURED}
    assert kinds == {k.name for k in MessageType}


@pytest.mark.parametrize("path", CAPTURED, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_captured_message_is_read_completely_and_written_back_byte_for_byte(path: Path) -> None:
    frame, recorded = captured(path)
    packet = decode(frame)
    assert packet is not None
    assert described(packet) == expected(recorded)
    assert encode(packet) == frame


def test_captured_messages_are_cut_out_of_a_stream_whatever_its_pieces() -> None:
    frames = [p.read_bytes() for p in CAPTURED[:40]]
    stream = b"".join(frames)
    for size in (1, 7, 2255, 2256, 2257, 100_000):
        deframer = Deframer()
        got = [f for at in range(0, len(stream), size) for f in deframer.feed(stream[at : at + size])]
        assert got == frames


FULL = encode(Packet(MessageType.PING, sender="a" * 40, body=Ping()))


def with_bytes(frame: bytes, at: int, patch: bytes) -> bytes:
    return frame[:at] + patch + frame[at + len(patch) :]


@pytest.mark.parametrize("head", [b"X", b"RCmc", b"GET / HTTP/1.1", b"RCmb" + bytes(12)])
def test_a_stream_that_is_not_the_bus_closes_the_link(head: bytes) -> None:
    with pytest.raises(PacketError):
        Deframer().feed(head)


def test_a_full_header_cannot_be_shorter_than_2256_bytes_but_a_light_one_can() -> None:
    short = b"RCmb" + (2255).to_bytes(4, "big") + b"\0\1\0\0"
    with pytest.raises(PacketError):
        frame_length(short + b"\0\4")
    assert frame_length(short + b"\x80\4") == 2255
    with pytest.raises(PacketError):
        frame_length(b"RCmb\0\0\0\x0f\0\1\0\0\x80\4")


@pytest.mark.parametrize("kind", [b"\0\0", b"\0\x07", b"\x0f\xff", b"\0\4", b"\x80\4"])
def test_an_absurd_length_is_refused_before_anything_is_stored(kind: bytes) -> None:
    with pytest.raises(PacketError):
        frame_length(b"RCmb\xff\xff\xff\xff\0\1\0\0" + kind)


def test_a_long_publish_is_only_a_promise_until_its_bytes_come() -> None:
    deframer = Deframer()
    assert deframer.feed(b"RCmb" + (1 << 30).to_bytes(4, "big") + b"\0\1\0\0\0\4\0\0") == []
    assert deframer.held_bytes == 16


@pytest.mark.parametrize("kind", [b"\0\2", b"\0\4", b"\x80\4"])
def test_what_a_stranger_says_is_short(kind: bytes) -> None:
    head = b"RCmb" + (2 << 20).to_bytes(4, "big") + b"\0\1\0\0" + kind
    assert frame_length(head) == 2 << 20
    with pytest.raises(PacketError):
        frame_length(head, stranger=True)


@pytest.mark.parametrize(
    ("at", "patch"),
    [
        (8, b"\0\2"),  # another version
        (12, b"\0\x0b"),  # unknown type
        (12, b"\0\3"),  # FAIL without its node
        (12, b"\x80\0"),  # PING has no light form
        (14, b"\0\1"),  # one gossip entry announced, none there
        (40, b"\n"),  # sender is not an id
        (2128, b"short"),  # primary is not an id
    ],
)
def test_a_message_that_cannot_be_used_is_ignored(at: int, patch: bytes) -> None:
    assert decode(with_bytes(FULL, at, patch)) is None


def test_bytes_after_the_entries_are_read_only_with_ext_data() -> None:
    packet = Packet(
        MessageType.PONG, sender="a" * 40, mflags=MessageFlag.EXT_DATA, body=Ping((), (ext.Unknown(77, b"8 bytes."),))
    )
    frame = encode(packet)
    assert decode(frame) == packet
    assert decode(with_bytes(frame, 2253, b"\0")) is None
    assert decode(with_bytes(frame, 2214, b"\0\0")) is None


@pytest.mark.parametrize("length", [0, 4, 8, 12, 24, 0xFFFFFFF8])
def test_an_extension_of_the_wrong_length_spoils_the_message(length: int) -> None:
    packet = Packet(
        MessageType.PING, sender="a" * 40, mflags=MessageFlag.EXT_DATA, body=Ping((), (ext.Hostname("host"),))
    )
    assert decode(with_bytes(encode(packet), 2256, length.to_bytes(4, "big"))) is None


@pytest.mark.parametrize(
    ("number", "body"),
    [
        (0, b"no zero."),
        (0, b"a b\0\0\0\0\0"),
        (0, b"\xff\0\0\0\0\0\0\0"),
        (1, b"a=b\0\0\0\0\0"),
        (2, bytes(48)),
        (3, b"f" * 32),
        (6, bytes(16)),
        (999, b""),
    ],
)
def test_an_extension_that_makes_no_sense_is_kept_as_it_came(number: int, body: bytes) -> None:
    packet = Packet(
        MessageType.PING, sender="a" * 40, mflags=MessageFlag.EXT_DATA, body=Ping((), (ext.Unknown(number, body),))
    )
    assert decode(encode(packet)) == packet


def test_encode_refuses_what_no_reader_would_take() -> None:
    with pytest.raises(AssertionError):
        encode(Packet(MessageType.PING, sender="a" * 40, body=Ping((), (ext.Hostname("h"),))))
    with pytest.raises(AssertionError):
        encode(Packet(MessageType.PING, body=Ping()))
    with pytest.raises(AssertionError):
        encode(Packet(MessageType.FAIL, sender="a" * 40, body=Ping()))
    with pytest.raises(AssertionError):
        encode(Packet(MessageType.PING, body=Ping(), light=True))


u16 = st.integers(0, 2**16 - 1)
u32 = st.integers(0, 2**32 - 1)
u64 = st.integers(0, 2**64 - 1)
ids = st.text("0123456789abcdef", min_size=40, max_size=40)
ips = st.one_of(st.just(""), st.ip_addresses().map(str))
names = st.text("abcxyz-.09é", max_size=70)
bitmaps = st.one_of(st.just(NO_SLOTS), st.binary(min_size=2048, max_size=2048))
entries = st.builds(GossipEntry, ids, u32, u32, ips, u16, u16, u16, u16)
any_extension: st.SearchStrategy[ext.Extension] = st.one_of(
    *(st.builds(t, names) for t in (ext.Hostname, ext.HumanName, ext.AvailabilityZone, ext.ClientIpv4, ext.ClientIpv6)),
    *(st.builds(t, u16) for t in (ext.ClientPort, ext.ClientTlsPort)),
    st.builds(ext.Forgotten, ids, u64),
    st.builds(ext.ShardId, ids),
    st.builds(ext.ClusterIdentity, ids | st.just("")),
    st.builds(ext.Unknown, st.integers(9, 2**16 - 1), st.binary(max_size=8).map(lambda b: b * 8)),
)


def bodies(kind: MessageType, with_extensions: bool) -> st.SearchStrategy[Body]:
    match kind:
        case MessageType.PING | MessageType.PONG | MessageType.MEET:
            gossip = st.lists(entries, max_size=3).map(tuple)
            tail = st.lists(any_extension, max_size=3 if with_extensions else 0).map(tuple)
            return st.builds(Ping, gossip, tail)
        case MessageType.FAIL:
            return st.builds(Fail, ids)
        case MessageType.PUBLISH | MessageType.PUBLISHSHARD:
            return st.builds(Publish, st.binary(), st.binary())
        case MessageType.UPDATE:
            return st.builds(Update, u64, ids, bitmaps)
        case MessageType.MODULE:
            return st.builds(Module, st.binary(min_size=8, max_size=8), st.integers(0, 255), st.binary())
        case _:
            return st.none()


@st.composite
def packets(draw: st.DrawFn) -> Packet:
    kind = draw(st.sampled_from(MessageType))
    mflags = draw(st.integers(0, 7) | st.integers(0, 2**24 - 1))
    body = draw(bodies(kind, bool(mflags & MessageFlag.EXT_DATA)))
    if kind in {MessageType.PUBLISH, MessageType.PUBLISHSHARD, MessageType.MODULE} and draw(st.booleans()):
        return Packet(kind, body=body, light=True)
    return Packet(
        kind,
        sender=draw(ids),
        port=draw(u16),
        pport=draw(u16),
        cport=draw(u16),
        current_epoch=draw(u64),
        config_epoch=draw(u64),
        offset=draw(u64),
        slots=draw(bitmaps),
        primary=draw(st.none() | ids),
        ip=draw(ips),
        flags=draw(u16),
        state_ok=draw(st.booleans()),
        mflags=mflags,
        body=body,
    )


@given(packets())
def test_what_is_written_is_read_back(packet: Packet) -> None:
    frame = encode(packet)
    assert frame_length(frame[:16]) == len(frame)
    assert decode(frame) == packet


@given(st.binary(max_size=200))
def test_random_bytes_are_a_packet_error_or_nothing(noise: bytes) -> None:
    for data in (noise, b"RCmb" + noise):
        try:
            Deframer().feed(data)
            decode(data)
        except PacketError:
            pass


@given(st.data())
def test_a_damaged_message_never_gets_past_the_codec_unharmed(data: st.DataObject) -> None:
    """Either refused, or understood as something that can be written and read again."""
    frame = bytearray(encode(data.draw(packets())))
    for _ in range(data.draw(st.integers(1, 4))):
        interesting = st.integers(0, 79) | st.integers(min(2120, len(frame) - 1), len(frame) - 1)
        frame[data.draw(interesting) % len(frame)] = data.draw(st.integers(0, 255))
    try:
        packet = decode(bytes(frame))
    except PacketError:
        return
    if packet is not None:
        assert decode(encode(packet)) == packet


@given(st.sets(st.integers(0, 16383), max_size=400))
def test_a_bitmap_holds_exactly_its_slots(slots: set[int]) -> None:
    bitmap = slots_to_bitmap(slots)
    assert len(bitmap) == 2048
    assert bitmap_to_slots(bitmap) == sorted(slots)
