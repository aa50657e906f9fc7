"""nodes.conf: what real servers wrote is read, and written back as they wrote it; a damaged file is refused by line."""

from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from gossamer.cluster.names import is_storable
from gossamer.cluster.nodesconf import NodesConfError, dump, load
from gossamer.cluster.slots import SLOTS
from gossamer.cluster.topology import Flag, Node, NodeId, Topology

SAMPLES = sorted((Path(__file__).parents[2] / "vectors" / "nodes.conf").glob("*.conf"))

A, B, C = "a" * 40, "b" * 40, "c" * 40


def sample(name: str) -> Topology:
    return load((SAMPLES[0].parent / name).read_text())


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.stem)
def test_what_a_server_wrote_is_written_back_alike(path: Path) -> None:
    """All but the state of links, which do not outlive a process."""
    text = path.read_text()
    topology = load(text)
    assert dump(topology) == "\n".join(
        line if "myself" in line else line.replace(" connected", " disconnected") for line in text.split("\n")
    )
    assert load(dump(topology)) == topology


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.stem)
def test_every_sample_assigns_every_slot_to_a_primary(path: Path) -> None:
    topology = load(path.read_text())
    assert None not in topology.owners
    assert topology.size == 3
    assert all(topology.nodes[owner].has(Flag.MASTER) for owner in topology.owners if owner)
    assert topology.myself.has(Flag.MYSELF)
    assert sum(n.has(Flag.MYSELF) for n in topology.nodes.values()) == 1


def test_a_redis_7_0_file_says_what_it_said() -> None:
    topology = sample("redis-7.0.15-migrating-1.conf")
    me, other = "1fe4e92405f37dfd8d6a9cf9697c60208ec79103", "4fb609c34ea68f62b703c0b8e7d4d05a3e0a2520"
    assert topology.me == me
    assert topology.migrating == {100: other}
    assert topology.importing == {}
    assert (topology.current_epoch, topology.last_vote_epoch) == (5, 0)
    assert topology.myself == Node(
        me,
        "127.0.0.1",
        24001,
        24501,
        flags=Flag.MYSELF | Flag.MASTER,
        config_epoch=1,
        pong_received=1795239649000,
        hostname="host-1.example.com",
    )
    replica = topology.nodes["492884fa972eca3fe5b9102da0069fd4f73fdbf5"]
    assert (replica.primary, replica.config_epoch, replica.flags) == (me, 0, Flag.SLAVE)


def test_a_valkey_file_says_what_it_said() -> None:
    topology = sample("valkey-9.1.2-noaddr-1.conf")
    me = topology.myself
    assert me.shard_id == "314adc11d73fdeb7f809ec298da6d71a48e6a821"
    assert me.human_name == "human1"
    assert me.aux == (
        ("availability-zone", "az-one"),
        ("client-tls-port", "7101"),
        ("client-tcp-port", "7001"),
        ("client-ipv6", "2001:db8::1"),
        ("client-ipv4", "192.0.2.1"),
    )
    lost = topology.nodes["f45bbea725a463a2a708a7c8f5e40fa8c1382ee8"]
    assert (lost.ip, lost.port, lost.cport) == ("", 0, 0)
    assert lost.flags == Flag.SLAVE | Flag.FAIL | Flag.NOADDR
    assert (topology.current_epoch, topology.last_vote_epoch) == (10, 7)
    assert topology.owners[100] == "a61da5d1a11c820d4456b387ad4ebb4ad5a5243a"


def line(name: NodeId = A, rest: str = "myself,master - 0 0 0 connected", address: str = "1.2.3.4:1@2") -> str:
    return f"{name} {address} {rest}\n"


def test_epochs_are_raised_to_the_largest_config_epoch_of_a_primary() -> None:
    text = line(rest="myself,master - 0 0 9 connected") + line(B, f"slave {A} 0 0 12 connected")
    topology = load(text + "vars currentEpoch 3 lastVoteEpoch 2\n")
    assert (topology.current_epoch, topology.last_vote_epoch) == (9, 2)
    assert topology.nodes[B].config_epoch == 0
    assert f"{B} 1.2.3.4:1@2 slave {A} 0 0 9 disconnected\n" in dump(topology)


def test_the_vars_line_may_stand_anywhere_and_empty_lines_are_skipped() -> None:
    topology = load("vars currentEpoch 3 lastVoteEpoch 2\n\n" + line() + "\n\n\n")
    assert (topology.current_epoch, topology.last_vote_epoch) == (3, 2)


def test_an_old_address_has_its_bus_port_10000_higher() -> None:
    node = load(line(address="2001:db8::1:7000")).myself
    assert (node.ip, node.port, node.cport) == ("2001:db8::1", 7000, 17000)


def test_nodes_in_handshake_are_not_remembered() -> None:
    topology = load(line())
    stranger = Node(B, "1.1.1.1", 1, 2, flags=Flag.HANDSHAKE | Flag.MEET)
    assert B not in dump(evolve(topology, nodes={**topology.nodes, B: stranger}))


def test_the_other_port_is_named_by_what_it_is() -> None:
    topology = load(line(address=f"1.2.3.4:1@2,,tls-port=77,shard-id={C}"))
    assert topology.myself.pport == 77
    assert f"1.2.3.4:1@2,,tls-port=77,shard-id={C} " in dump(topology)
    assert f"1.2.3.4:1@2,,tcp-port=77,shard-id={C} " in dump(topology, tls=True)
    assert load(dump(topology, tls=True)) == topology


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no node is myself"),
        (line(rest="master - 0 0 0 connected"), "no node is myself"),
        (line() + line(B), "line 2: a second node is myself"),
        (line() + line(rest="master - 0 0 0 connected"), f"line 2: node {A} was described before"),
        (line("A" * 40), "line 1: 'AAA"),
        ("\n\nabc def\n", "line 3: 2 fields"),
        (line(rest="myself,boss - 0 0 0 connected"), "line 1: unknown flag 'boss'"),
        (line(rest="myself,master nobody 0 0 0 connected"), "line 1: 'nobody' is not an id"),
        (line(rest="myself,master - 0 0 x connected"), "line 1: config epoch 'x' is not a number"),
        (line(rest=f"myself,master - 0 0 {2**64} connected"), "does not fit 64 bits"),
        (line(rest="myself,master - 0 0 0 connected 16384"), "line 1: slot 16384 is over 16383"),
        (line(rest="myself,master - 0 0 0 connected 7-5"), "line 1: range 7-5 runs backwards"),
        (line(rest="myself,master - 0 0 0 connected 7-9 9"), "line 1: slot 9 has an owner already"),
        (line(rest="myself,master - 0 0 0 connected five"), "line 1: 'five' is neither"),
        (line(rest=f"myself,master - 0 0 0 connected [5->-{B}]"), f"slot 5 is on its way to or from {B}"),
        (line() + line(B, f"master - 0 0 0 connected [5->-{A}]"), "line 2: [5->-"),
        (line(address="somewhere"), "line 1: 'somewhere' is not ip:port@bus-port"),
        (line(address="1.2.3.4:65536@1"), "line 1: port 65536 is over 65535"),
        (line(address="1.2.3.4:1@2,host,what"), "line 1: 'what' is not name=value"),
        (line(address="1.2.3.4:1@2,,shard-id=x"), "line 1: 'x' is not an id"),
        (line() + "vars currentEpoch\n", "line 2: vars are names and values"),
        (line() + "vars currentEpoch -1\n", "line 2: currentEpoch '-1' is not a number"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused_and_says_where(text: str, complaint: str) -> None:
    with pytest.raises(NodesConfError) as caught:
        load(text)
    assert complaint in str(caught.value)


@given(st.sampled_from(SAMPLES), st.data())
def test_a_damaged_file_is_refused_or_makes_sense(path: Path, data: st.DataObject) -> None:
    text = path.read_text()
    at = data.draw(st.integers(0, len(text) - 1))
    junk = data.draw(st.text(" ,=@:[]-<>\n09az٣\u2028", max_size=4))
    try:
        topology = load(text[:at] + junk + text[at + data.draw(st.integers(0, 30)) :])
    except NodesConfError:
        return
    assert load(dump(topology)) == topology


ids = st.text("0123456789abcdef", min_size=40, max_size=40)
words = st.text("abc-.7é", max_size=20)
ports = st.integers(0, 65535)


@st.composite
def topologies(draw: st.DrawFn) -> Topology:
    names = draw(st.lists(ids, min_size=1, max_size=6, unique=True))
    nodes = {name: draw_node(draw, name, names) for name in names}
    owners: list[NodeId | None] = [None] * SLOTS
    for _ in range(draw(st.integers(0, 6))):
        first = draw(st.integers(0, SLOTS - 1))
        last = min(SLOTS - 1, first + draw(st.integers(0, 3000)))
        owners[first : last + 1] = [draw(st.sampled_from(names))] * (last + 1 - first)
    open_slots = st.dictionaries(st.integers(0, SLOTS - 1), st.sampled_from(names), max_size=3)
    epoch = max(n.config_epoch for n in nodes.values()) + draw(st.integers(0, 3))
    return Topology(
        names[0],
        nodes,
        tuple(owners),
        draw(open_slots),
        draw(open_slots),
        epoch,
        draw(st.integers(0, epoch)),
        size=len(set(owners) - {None}),
    )


def draw_node(draw: st.DrawFn, name: NodeId, names: list[NodeId]) -> Node:
    replica = len(names) > 1 and draw(st.booleans())
    flags = Flag.SLAVE if replica else Flag.MASTER
    return Node(
        name,
        ip=draw(st.just("") | st.ip_addresses().map(str)),
        port=draw(ports),
        cport=draw(ports),
        pport=draw(ports),
        flags=flags | (Flag.MYSELF if name == names[0] else draw(st.sampled_from([0, Flag.FAIL, Flag.NOADDR]))),
        primary=draw(st.sampled_from(names)) if replica else None,
        config_epoch=0 if replica else draw(st.integers(0, 2**60)),
        ping_sent=draw(st.integers(0, 2**50)),
        pong_received=draw(st.integers(0, 2**50)),
        shard_id=draw(st.just("") | ids),
        hostname=draw(words),
        human_name=draw(words),
        aux=tuple(draw(st.dictionaries(st.sampled_from(["zone", "client-ipv4"]), words)).items()),
    )


@settings(max_examples=50)
@given(topologies(), st.booleans())
def test_what_is_dumped_is_loaded_again(topology: Topology, tls: bool) -> None:
    assert load(dump(topology, tls=tls)) == topology


@pytest.mark.parametrize("text", ["a b", "a,b", "a=b", 'a"b', "a'b", "a\nb", "a\0", "a\u2028b", "a\u00a0b"])
def test_text_that_would_break_a_line_is_not_storable(text: str) -> None:
    assert not is_storable(text)
