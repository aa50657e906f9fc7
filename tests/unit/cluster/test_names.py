"""What passes the checks comes back from nodes.conf and from the bus as it was."""

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from gossamer.cluster.names import can_be_dialled, is_address, is_storable
from gossamer.cluster.nodesconf import NodesConfError, dump, load
from gossamer.cluster.text import text_of
from gossamer.cluster.topology import Flag, Node, Topology
from gossamer.gossip.extensions import Hostname, HumanName
from gossamer.gossip.packet import GossipEntry, MessageFlag, MessageType, Packet, Ping, decode, encode
from gossamer.node.config import checks

ME = "a" * 40
ANY = st.one_of(
    st.text(max_size=50), st.binary(max_size=50).map(text_of), st.from_regex(r"[a-z0-9.:-]{0,45}", fullmatch=True)
)
WRONG = ["Node 1", "a\tb", "a\nb", "a,b", "a=b", '"a"', text_of(b"caf\xe9"), "a\x85b", "a\u2028b", "a\0b"]


def described(ip: str = "127.0.0.1", hostname: str = "", human_name: str = "") -> Topology:
    me = Node(ME, ip, 6379, 16379, flags=Flag.MYSELF | Flag.MASTER, hostname=hostname, human_name=human_name)
    return Topology(ME, {ME: me})


@given(ANY)
def test_an_address_that_may_be_announced_comes_back(text: str) -> None:
    if checks.announced_address(text) is None or is_address(text):
        assert load(dump(described(ip=text))).nodes[ME].ip == text
        packet = Packet(MessageType.PING, ME, ip=text, body=Ping((GossipEntry("b" * 40, 0, 0, text, 1, 2, 0),)))
        assert decode(encode(packet)) == packet


@given(ANY)
def test_a_human_name_that_is_accepted_comes_back(text: str) -> None:
    if checks.nodename(text) is None or is_storable(text):
        assert load(dump(described(human_name=text))).nodes[ME].human_name == text
        packet = Packet(MessageType.PING, ME, mflags=MessageFlag.EXT_DATA, body=Ping((), (HumanName(text),)))
        assert decode(encode(packet)) == packet


@given(ANY)
def test_a_hostname_that_is_accepted_comes_back(text: str) -> None:
    if checks.hostname(text) is None:
        assert load(dump(described(hostname=text))).nodes[ME].hostname == text
        packet = Packet(MessageType.PING, ME, mflags=MessageFlag.EXT_DATA, body=Ping((), (Hostname(text),)))
        assert decode(encode(packet)) == packet


@pytest.mark.parametrize("text", WRONG)
def test_what_would_not_come_back_is_refused_where_it_comes_in(text: str) -> None:
    assert checks.nodename(text) == "Announced human node name contained invalid character"
    assert checks.announced_address(text) is not None
    assert checks.hostname(text) is not None


@pytest.mark.parametrize("text", ["redis-0..svc", "a" * 46, "x" * 64 + ".y", "a@b", "-.-.", "1::2::3", "."])
def test_an_address_that_nobody_could_dial_is_not_announced(text: str) -> None:
    assert checks.announced_address(text) is not None or can_be_dialled(text)
    assert text == "-.-." or checks.announced_address(text) is not None


@pytest.mark.parametrize("text", ["", "10.0.0.1", "fe80::1", "redis-0.redis.default.svc.", "my_host"])
def test_addresses_of_all_kinds_are_announced(text: str) -> None:
    assert checks.announced_address(text) is None


@pytest.mark.parametrize("name", ["a\x1fb", "n\x85m", text_of(b"caf\xe9")])
def test_a_name_in_nodes_conf_that_is_no_good_text_is_told_with_its_line(name: str) -> None:
    good = dump(described(human_name="NAME"))
    with pytest.raises(NodesConfError, match="line 1"):
        load(good.replace("NAME", name))


def test_an_address_from_a_peer_that_cannot_be_kept_is_unknown_and_the_rest_counts() -> None:
    entry = GossipEntry("b" * 40, 1, 2, "10.0.0.2", 1, 2, 0)
    packet = Packet(MessageType.PING, ME, ip="10.0.0.1", port=7, body=Ping((entry,)))
    frame = encode(packet).replace(b"10.0.0.1", b"10 0\t0 1").replace(b"10.0.0.2", b"\xff\xff,\xff00.2")
    assert decode(frame) == evolve(packet, ip="", body=Ping((evolve(entry, ip=""),)))
