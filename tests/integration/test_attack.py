"""No text that a client, a peer or a file sends ends a node, and others are served meanwhile."""

import random
import socket
import time
from typing import Final

import pytest
from attrs import evolve

from gossamer.cluster.nodesconf import load
from gossamer.cluster.text import text_of
from gossamer.gossip.bitmap import NO_SLOTS
from gossamer.gossip.extensions import (
    AvailabilityZone,
    ClientIpv4,
    ClientIpv6,
    ClusterIdentity,
    Forgotten,
    Hostname,
    HumanName,
    ShardId,
)
from gossamer.gossip.packet import Fail, GossipEntry, MessageFlag, MessageType, Packet, Ping, Update, encode
from tests.compat.pair import Word
from tests.compat.replies import Answer
from tests.integration.attack import NASTY, SOON_S, Attacker, Voice, nothing_unexpected, others_are_served, requests
from tests.integration.clusters import CLUSTER, OK, ask, demand, form, info, my_id, view, wait_state, wait_until
from tests.integration.every_type import makers
from tests.integration.nodes import Node, Nodes
from tests.integration.siege import Bystander

NODE_TIMEOUT_S: Final = 2
CLUSTERED: Final = (*CLUSTER, "--cluster-node-timeout", f"{NODE_TIMEOUT_S}000")
NOT_ATTACKED: Final = frozenset(
    {"shutdown", "debug", "client|pause", "config|set", "failover", "sync", "psync", "monitor"}
)
"""They end or stop the node, or turn the connection into a stream; CONFIG SET has a test of its own."""
ELSEWHERE: Final = frozenset({"replicaof", "slaveof"})
"""Asked only for names that no resolver is asked for."""
NO_HOSTS: Final[tuple[bytes, ...]] = (b"redis-0..svc", b"\xff" * 40, b"x" * 5000, b"\0", b"", b"x" * 64 + b".svc")
PLAUSIBLE: Final[tuple[bytes, ...]] = (
    b"k", b"{k}2", b"1", b"0", b"10", b"u8", b"GET", b"SET", b"EX", b"NX", b"COUNT", b"MATCH", b"*", b"ID", b"ADDR",
    b"127.0.0.1", b"1", b"NODE", b"STREAM", b"FORCE", b"LIMIT", b"default",
    b"STREAMS", b"BLOCK", b"LEFT", b"RIGHT",
)  # fmt: skip
LOCKS_US_OUT: Final = frozenset({"port", "bind", "requirepass", "maxclients", "timeout", "dir", "logfile", "loglevel"})
MIXTURES: Final = 25


OF_TYPE: Final = {
    b"@geo": "geo:small",
    b"@stream": "stream:small",
    b"@list": "list:small",
    b"@set": "set:small",
    b"@hash": "hash:small",
    b"@sortedset": "zset:small",
    b"@hyperloglog": "hll",
    b"@bitmap": "bits",
    b"@string": "number",
}
"""What ``every_type`` calls data for the commands of a category."""
KEYS: Final = ("k", "{k}2")
BLOCK: Final = 7
"""Requests to an empty database, then as many to one that has keys; texts come in fives of these."""
FIRST_IDS: Final = 16
"""Clients whose ids an attack may name."""


def filling(categories: set[bytes]) -> list[list[str]]:
    """Requests that make the plausible keys, of the type that commands of these ``categories`` are for."""
    kinds = [kind for category, kind in OF_TYPE.items() if category in categories][:1] * 2 or ["list:small", "number"]
    return [request for kind, key in zip(kinds, KEYS, strict=True) for request in makers(kind, key)]


def attack(attacker: Attacker, name: str, arity: int, fill: list[list[str]]) -> None:
    """All of its requests, to an empty database and to keys that are there by turns."""
    for number, request in enumerate(requests(name, arity, random.Random(name), PLAUSIBLE, MIXTURES)):
        if number % BLOCK == 0:
            full = number // BLOCK % 2
            answers = attacker.beside(("FLUSHALL",), *(fill if full else ()), ("EXISTS", *KEYS))
            if not name.startswith("cluster|"):  # which takes the slots away
                assert answers[-1].content == full * len(KEYS), (name, answers)
        attacker.say(*request)


def own_all_slots(node: Node) -> None:
    """Whatever has been done to the cluster of this one node."""
    if info(node)["cluster_slots_ok"] != "16384":
        node.ask("CLUSTER", "FLUSHSLOTS")
        demand(node, "CLUSTER", "ADDSLOTSRANGE", "0", "16383")
    wait_state([node], "ok")


@pytest.mark.parametrize("options", [(), CLUSTERED], ids=["alone", "in a cluster"])
def test_no_arguments_of_any_command_end_a_node(nodes: Nodes, options: tuple[str, ...]) -> None:
    node = nodes.start("--enable-debug-command", "yes", *options)
    for _ in range(FIRST_IDS):
        others_are_served(node)
    names = [item.text.decode() for item in node.ask("COMMAND", "LIST").items]
    described = {
        name: (item.items[1].number, {category.text for category in item.items[6].items})
        for name, item in zip(names, node.ask("COMMAND", "INFO", *names).items, strict=True)
    }
    assert len(described) > 150
    waited = set()
    with Bystander(node) as bystander:
        for name in sorted(described.keys() - NOT_ATTACKED - ELSEWHERE):
            if options:
                own_all_slots(node)
            arity, categories = described[name]
            attacker = Attacker(node)
            attack(attacker, name, arity, filling(categories))
            attacker.close()
            if attacker.unblocked:
                waited.add(name)
            others_are_served(node)
        bystander.wait_served()
    bystander.check()
    assert waited >= {"blpop", "brpop", "bzpopmin", "bzpopmax"}, waited
    nothing_unexpected(node)
    assert node.stop() == 0


ENDS_OR_STOPS: Final = frozenset({"SEGFAULT", "PANIC", "RESTART", "SLEEP", "AOF-FLUSH-SLEEP", "PAUSE-CRON", "POPULATE"})
"""Subcommands of DEBUG. What POPULATE makes may be as much as is asked for."""


def test_no_arguments_of_debug_end_a_node(nodes: Nodes) -> None:
    node = nodes.start("--enable-debug-command", "yes")
    words = [item.text.decode() for item in node.ask("DEBUG", "HELP").items[1:]]
    names = {line.split()[0] for line in words if line[0] != " "} - ENDS_OR_STOPS
    assert len(names) > 15
    attacker = Attacker(node)
    with Bystander(node) as bystander:
        for name in sorted(names):
            attack(attacker, f"debug|{name}", -2, filling({b"@list"}))
        for text in NASTY:
            attacker.say("DEBUG", text)
            attacker.say("DEBUG", "POPULATE", "3", text)
            attacker.say("DEBUG", "POPULATE", "3", "k", text[:3])
    bystander.check()
    attacker.close()
    nothing_unexpected(node)
    assert node.stop() == 0


@pytest.mark.parametrize("options", [(), CLUSTERED], ids=["alone", "in a cluster"])
def test_no_words_make_a_replica_of_a_stranger_or_end_a_node(nodes: Nodes, options: tuple[str, ...]) -> None:
    node = nodes.start(*options)
    with Bystander(node) as bystander:
        for text in NASTY:
            for words in (
                ("PSYNC", text, "1"), ("PSYNC", "?", text), ("PSYNC", "f" * 40, text), ("SYNC", text),
                ("REPLCONF", "listening-port", text), ("REPLCONF", "ip-address", text), ("REPLCONF", "capa", text),
                ("REPLCONF", text, text), ("MONITOR", text), ("SHUTDOWN", text), ("SHUTDOWN", "NOSAVE", text),
                ("FAILOVER", text), ("FAILOVER", "TO", text, "1"), ("FAILOVER", "TO", "127.0.0.1", text),
                ("FAILOVER", "TIMEOUT", text), ("REPLICAOF", "127.0.0.1", text),
            ):  # fmt: skip
                attacker = Voice(node)
                attacker.send(words)
                attacker.is_answered(SOON_S)
                attacker.close()
        bystander.wait_served()
    bystander.check()
    if not options:
        demand(node, "REPLICAOF", "NO", "ONE")
    wait_until(lambda: "connected_slaves:0" in ask(node, "INFO", "replication"), "they have left")
    nothing_unexpected(node)
    assert node.stop() == 0


@pytest.mark.parametrize("asked", sorted(ELSEWHERE))
def test_a_primary_whose_name_is_no_name_is_a_primary_that_is_not_there(nodes: Nodes, asked: str) -> None:
    node = nodes.start()
    for host in NO_HOSTS:
        node.ask(asked, host, "6379")
        others_are_served(node)
        others_are_served(node)
    demand(node, asked, "NO", "ONE")
    nothing_unexpected(node)
    assert node.stop() == 0


def test_a_primary_in_the_file_whose_name_is_no_name_does_not_end_the_node(nodes: Nodes) -> None:
    node = nodes.start("--replicaof", "redis-0..svc 6379")
    node.wait_log("redis-0..svc")
    others_are_served(node)
    assert "role:slave" in ask(node, "INFO", "replication")
    nothing_unexpected(node)
    assert node.stop() == 0


@pytest.mark.parametrize("options", [(), CLUSTERED], ids=["alone", "in a cluster"])
def test_what_config_set_has_taken_is_read_again_from_the_file(nodes: Nodes, options: tuple[str, ...]) -> None:
    node = nodes.make()
    file = node.home / "node.conf"
    file.write_text("enable-protected-configs yes\n")
    node.options = [*options]
    node._command = [*node._command, str(file)]
    node.start()
    names = [item.text.decode() for item in node.ask("CONFIG", "GET", "*").items][::2]
    attacker = Attacker(node)
    on_command_line = {word.removeprefix("--") for word in options if word.startswith("--")}  # they override the file
    for name in sorted(set(names) - LOCKS_US_OUT - on_command_line):
        taken = [text for text in NASTY if attacker.say("CONFIG", "SET", name, text) == OK]
        if taken and options:
            assert attacker.beside(("CLUSTER", "SAVECONFIG")) == [OK]
            load(text_of((node.home / "nodes.conf").read_bytes()))
        others_are_served(node)
    for name in ("requirepass", "masterauth"):
        demand(node, "CONFIG", "SET", name, b"\xff\0\"'\\\n\t x")
        node.ask("AUTH", b"\xff\0\"'\\\n\t x")
    demand(node, "CONFIG", "REWRITE")
    before = node.ask("CONFIG", "GET", "*")
    attacker.close()
    assert node.stop() == 0
    node.start()
    node.ask("AUTH", b"\xff\0\"'\\\n\t x")
    assert node.ask("CONFIG", "GET", "*") == before
    nothing_unexpected(node)


@pytest.mark.parametrize(
    "name", ["cluster-announce-ip", "cluster-announce-human-nodename", "cluster-announce-hostname"]
)
def test_a_name_is_refused_or_the_node_starts_again(nodes: Nodes, name: str) -> None:
    one, two = nodes.start(*CLUSTERED), nodes.start(*CLUSTERED)
    form([one, two])
    for text in (*NASTY, b"Node 1", b"1\t2", b"caf\xe9"):
        answer = one.ask("CONFIG", "SET", name, text)
        assert answer.text == b"OK" or answer.text.startswith(b"ERR CONFIG SET failed"), answer
        demand(one, "CLUSTER", "SAVECONFIG")
        load(text_of((one.home / "nodes.conf").read_bytes()))
    assert one.ask("CONFIG", "SET", name, "redis-0..svc").kind == ("error" if name.endswith("-ip") else "status")
    assert one.ask("CONFIG", "SET", name, "Node 1").kind == "error"
    one.restart()
    two.restart()
    for node in (one, two):
        nothing_unexpected(node)
        assert node.stop() == 0


NOBODY: Final = b"\xff" * 40


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("FORGET", NOBODY), b"Unknown node "),
        (("REPLICATE", NOBODY), b"Unknown node "),
        (("REPLICAS", NOBODY), b"Unknown node "),
        (("SLAVES", NOBODY), b"Unknown node "),
        (("COUNT-FAILURE-REPORTS", NOBODY), b"Unknown node "),
        (("SETSLOT", 1, "NODE", NOBODY), b"Unknown node "),
        (("SETSLOT", 1, "MIGRATING", NOBODY), b"I don't know about node "),
        (("SETSLOT", 2, "IMPORTING", NOBODY), b"I don't know about node "),
        (("MIGRATESLOTS", "SLOTSRANGE", 1, 1, "NODE", NOBODY), b"Unknown node name: "),
        (("MEET", NOBODY, 1), b"Invalid node address specified: "),
    ],
    ids=lambda value: "-".join(map(str, value[:3:2])) if isinstance(value, tuple) else "",
)
def test_an_id_that_is_no_text_is_an_unknown_node(nodes: Nodes, words: tuple[Word, ...], reason: bytes) -> None:
    node = nodes.start(*CLUSTERED)
    demand(node, "CLUSTER", "ADDSLOTS", 1)
    behind = b":1" if words[0] == "MEET" else b""
    assert node.ask("CLUSTER", *words) == Answer("error", b"ERR " + reason + NOBODY + behind)
    nothing_unexpected(node)
    assert node.stop() == 0


def fields_of(raw: bytes, at: int, patch: bytes, size: int) -> bytes:
    return raw[:at] + patch[:size].ljust(size, b"\0") + raw[at + size :]


def letters(letter: str) -> str:
    """Forty, to be found again in a message."""
    return letter * 40


def bus_attack(target: Node, known: Node) -> None:
    """Every text field of messages from a node that the target knows."""
    own = ask(known, "CLUSTER", "MYID")
    frame = Packet(
        MessageType.PING, own, known.port, 0, known.bus_port, ip="127.0.0.1", flags=2, mflags=MessageFlag.EXT_DATA,
        primary=letters("p"), body=Ping(
            (GossipEntry(letters("c"), 1, 1, "127.0.0.9", 1, 2, 2),),
            (
                Hostname(letters("h")), HumanName(letters("n")), AvailabilityZone(letters("z")),
                ClientIpv4(letters("4")), ClientIpv6(letters("6")), Forgotten(letters("f"), 60),
                ShardId(letters("s")), ClusterIdentity(letters("i")),
            ),
        ),
    )  # fmt: skip
    ping = encode(frame)
    fail = encode(evolve(frame, kind=MessageType.FAIL, primary=None, body=Fail(letters("x"))))
    update = encode(evolve(frame, kind=MessageType.UPDATE, primary=None, body=Update(1, letters("u"), NO_SLOTS)))
    fields = [(ping, "127.0.0.1", 46), (ping, "127.0.0.9", 46), (ping, own, 40)]
    fields += [(ping, letters(letter), 40) for letter in "pchnz46fsi"]
    fields += [(fail, letters("x"), 40), (update, letters("u"), 40)]
    for message, field, size in fields:
        at = message.index(field.encode())
        for text in NASTY:
            with_bus(target, fields_of(message, at, text, size))
            demand(target, "CLUSTER", "SAVECONFIG")
            load(text_of((target.home / "nodes.conf").read_bytes()))
        others_are_served(target)


def with_bus(target: Node, data: bytes) -> None:
    with socket.create_connection((target.host, target.bus_port), 20) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass


def test_no_text_of_a_peer_ends_a_node_or_stays_in_its_file(nodes: Nodes) -> None:
    one, two = nodes.start(*CLUSTERED), nodes.start(*CLUSTERED)
    form([one, two])
    bus_attack(one, two)
    demand(one, "CLUSTER", "SAVECONFIG")
    nothing_unexpected(one)
    one.restart()
    nothing_unexpected(one)
    wait_state([one, two], "ok")


def test_a_name_in_nodes_conf_that_is_no_name_is_a_peer_that_is_not_there(nodes: Nodes) -> None:
    one, two = nodes.start(*CLUSTERED), nodes.start(*CLUSTERED)
    form([one, two])
    peer = my_id(two)
    two.stop()
    one.stop()
    file = one.home / "nodes.conf"
    right = f"{peer} 127.0.0.1:".encode()
    assert right in file.read_bytes()
    file.write_bytes(file.read_bytes().replace(right, f"{peer} redis-0..svc:".encode()))
    for _ in range(2):
        one.start()
        serves_without(one, peer, 2 * NODE_TIMEOUT_S)
        nothing_unexpected(one)
        assert b" redis-0..svc:" in file.read_bytes()
        assert one.stop() == 0


def serves_without(node: Node, peer: str, seconds: float) -> None:
    started = time.monotonic()
    with Bystander(node) as bystander:
        wait_until(lambda: view(node)[peer].flags & {"fail?", "fail"} != set(), "it is missed")
        wait_until(lambda: time.monotonic() - started > seconds, "the time is over")
    bystander.check()


def is_up(node: Node) -> bool:
    """Whether it serves; its log may be anywhere."""
    try:
        others_are_served(node)
    except OSError:
        return False
    return True


MEANINGFUL: Final = 150
"""Letters of the last line of a start that failed; it is not as long as a text of 5,000."""


@pytest.mark.parametrize("name", ["dir", "logfile", "pidfile", "unixsocket", "bind", "cluster-config-file", "include"])
@pytest.mark.parametrize("text", ["\\x00", "\\xff", "x" * 5000, " ", "..", "a\\nb", ""], ids=range(7))
def test_a_file_with_such_a_text_starts_a_node_or_names_its_line(nodes: Nodes, name: str, text: str) -> None:
    node = nodes.make()
    node.all_in_file = True
    deep = node.home / "deep"
    deep.mkdir()
    node.wrapper = ["env", "-C", str(deep)]  # so that ``..`` is ours too
    before = f'port {node.port}\nbind {node.host}\ndir "{deep}"\nsave ""\ncluster-enabled yes\n'
    file = node.home / "node.conf"
    file.write_text(f'{before}{name} "{text}"\n')
    node._command = [*node._command, str(file)]
    node.launch()
    wait_until(lambda: node.process_ended() or is_up(node), "it serves, or it has ended")
    served = not node.process_ended()
    assert (node.stop() if served else node.wait_end()) == (0 if served else 1)
    log = node.log()
    assert "Traceback" not in log, node.log_tail()
    if not served:
        line = f"gossamer: {file}:{before.count(chr(10)) + 1}: '{name} \"{text}"[:MEANINGFUL]
        assert line in log, node.log_tail()
