"""CLUSTER replies: rebuilt from a real server's own view of its cluster, they are the replies it gave."""

import json
import re
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from gossamer.cluster import reports
from gossamer.cluster.nodesconf import load
from gossamer.cluster.topology import Flag, Node, Topology

VECTORS = Path(__file__).parents[2] / "vectors" / "resp" / "redis-7.0.15"

Replies = dict[str, Any]


class Captured:
    """The CLUSTER replies one node gave at one time, by subcommand."""

    def __init__(self, name: str, resp: int, note: str) -> None:
        self.name, self.resp, self.note = name, resp, note
        self.replies: Replies = {}

    @property
    def preferred(self) -> str:
        match = re.match(r"preferred-endpoint-type (\S+),", self.note)
        return match[1] if match else "ip"

    def topology(self) -> Topology:
        """The topology that CLUSTER NODES, SHARDS and INFO together describe."""
        info = self.info()
        topology = load(f"{self.replies['NODES']}vars currentEpoch {info.get('cluster_current_epoch', 0)}\n")
        offsets = {}
        for shard in self.replies["SHARDS"]:
            for node in as_map(as_map(shard)["nodes"], self.resp):
                fields = as_map(node)
                offsets[fields["id"]] = fields["replication-offset"]
        nodes = {n.id: evolve(n, linked=True, repl_offset=offsets[n.id]) for n in topology.nodes.values()}
        size = int(info.get("cluster_size", 0))
        return evolve(topology, nodes=nodes, ok=info.get("cluster_state") == "ok", size=size)

    def info(self) -> dict[str, str]:
        return dict(row.split(":") for row in self.replies.get("INFO", "").split())

    def as_sent(self, value: object) -> object:
        """``value`` as this capture's protocol shows it."""
        if isinstance(value, Mapping) and self.resp == 2:
            return [self.as_sent(item) for pair in value.items() for item in pair]
        if isinstance(value, Mapping):
            return {key: self.as_sent(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.as_sent(item) for item in value]
        return value


def as_map(value: Any, resp: int = 0) -> Any:  # noqa: ANN401 - whatever a server may reply
    """A RESP2 map as a dict; lists of maps are left alone."""
    if isinstance(value, dict) or resp:
        return value
    return dict(zip(value[::2], value[1::2], strict=True))


def parse(data: bytes) -> tuple[Any, bytes]:
    """One reply and what follows it."""
    head, _, rest = data.partition(b"\r\n")
    kind, value = head[:1], head[1:].decode()
    if kind in b"$=":
        if value == "-1":
            return None, rest
        size = int(value)
        text = rest[:size].decode()
        return text.removeprefix("txt:") if kind == b"=" else text, rest[size + 2 :]
    if kind in b"*%":
        items = []
        for _ in range(int(value) * (2 if kind == b"%" else 1)):
            item, rest = parse(rest)
            items.append(item)
        return (items if kind == b"*" else dict(zip(items[::2], items[1::2], strict=True))), rest
    return int(value) if kind == b":" else value, rest


def captures() -> list[Captured]:
    found: dict[tuple[str, int, str], Captured] = {}
    for path in sorted(VECTORS.glob("*.json")):
        for item in json.loads(path.read_text())["items"]:
            if item.get("cmd", [""])[0] == "CLUSTER" and "reply_b64" in item:
                key = (f"{path.stem} {item['node']}", item["resp"], item.get("note", ""))
                capture = found.setdefault(key, Captured(*key))
                capture.replies[item["cmd"][1]] = parse(b64decode(item["reply_b64"]))[0]
    return list(found.values())


CAPTURES = captures()
every = pytest.mark.parametrize("seen", CAPTURES, ids=lambda c: f"{c.name} RESP{c.resp} {c.note}")


def test_the_captures_cover_both_protocols_and_all_endpoint_types() -> None:
    assert {c.resp for c in CAPTURES} == {2, 3}
    assert {c.preferred for c in CAPTURES} == {"ip", "hostname", "unknown-endpoint"}


@every
def test_nodes_slots_shards_and_info_are_what_the_server_said(seen: Captured) -> None:
    topology = seen.topology()
    assert reports.nodes_text(topology) == seen.replies["NODES"]
    assert seen.as_sent(list(reports.slots(topology, seen.preferred))) == seen.replies["SLOTS"]
    assert seen.as_sent(list(reports.shards(topology, seen.preferred))) == seen.replies["SHARDS"]
    if "INFO" in seen.replies:
        assert (
            reports.info(topology, counters(seen.info(), "sent"), counters(seen.info(), "received"))
            == (seen.replies["INFO"])
        )


def counters(info: Mapping[str, str], way: str) -> dict[str, int]:
    names = {f"cluster_stats_messages_{name}_{way}": name for name in reports.MESSAGE_NAMES}
    return {names[field]: int(value) for field, value in info.items() if field in names}


@every
def test_replicas_and_links_are_what_the_server_said(seen: Captured) -> None:
    if "REPLICAS" in seen.replies:
        topology = seen.topology()
        primary = topology.myself.primary or topology.me
        # Pings went on between the two commands: the times may differ.
        times = re.compile(r" \d+ \d{13} ")
        ours = [times.sub(" ", line) for line in reports.replica_lines(topology, primary)]
        assert ours == [times.sub(" ", line) for line in seen.replies["REPLICAS"]]
    if "LINKS" in seen.replies:
        records = [
            reports.Link(link["direction"] == "to", link["node"], link["create-time"], link["events"])
            for link in map(as_map, seen.replies["LINKS"])
        ]
        assert seen.as_sent(list(reports.links(records))) == seen.replies["LINKS"]


A, B, C = "a" * 40, "b" * 40, "c" * 40
PRIMARY = Node(A, "10.0.0.1", 7000, 17000, flags=Flag.MASTER | Flag.MYSELF, config_epoch=3)
REPLICA = Node(B, "10.0.0.2", 7001, 17001, flags=Flag.SLAVE, primary=A, repl_offset=5)


def topology(*nodes: Node) -> Topology:
    return Topology(A, {n.id: n for n in nodes}, (A,) * 16384, current_epoch=3)


@pytest.mark.parametrize(
    ("replica", "listed", "health"),
    [
        (REPLICA, True, "online"),
        (evolve(REPLICA, repl_offset=0), False, "loading"),
        (evolve(REPLICA, flags=Flag.SLAVE | Flag.PFAIL), True, "online"),
        (evolve(REPLICA, flags=Flag.SLAVE | Flag.FAIL), False, "fail"),
    ],
)
def test_only_replicas_that_can_serve_are_in_slots_but_shards_lists_all(
    replica: Node, listed: bool, health: str
) -> None:
    seen = topology(PRIMARY, replica)
    assert [node[2] for node in reports.slots(seen, "ip")[0][2:] if isinstance(node, list)] == [A, B][: 1 + listed]
    (shard,) = reports.shards(seen, "ip")
    assert isinstance(shard["nodes"], list)
    assert [n["health"] for n in shard["nodes"]] == ["online", health]


def test_slots_names_nobody_who_has_no_address() -> None:
    lost = Node(C, "", 0, 0, flags=Flag.MASTER | Flag.NOADDR)
    replica = evolve(REPLICA, ip="", port=0, cport=0, flags=Flag.SLAVE | Flag.NOADDR)
    seen = evolve(topology(PRIMARY, replica, lost), owners=(A,) * 10 + (C,) * 16374)
    assert reports.slots(seen, "ip") == [[0, 9, ["10.0.0.1", 7000, A, {}]]]
    nodes: list[dict[str, object]] = []
    for shard in reports.shards(seen, "ip"):
        assert isinstance(shard["nodes"], list)
        nodes += shard["nodes"]
    assert [node["health"] for node in nodes] == ["online", "fail", "fail"]
    assert ["port" in node for node in nodes] == [True, False, False]


def test_a_primary_without_slots_is_a_shard_without_slots() -> None:
    empty = Node(C, "10.0.0.3", 7002, 17002)
    assert [shard["slots"] for shard in reports.shards(topology(PRIMARY, empty), "ip")] == [[0, 16383], []]


def test_slots_of_failing_primaries_are_counted_apart() -> None:
    pfail = Node(B, "", 0, 0, flags=Flag.MASTER | Flag.PFAIL)
    fail = Node(C, "", 0, 0, flags=Flag.MASTER | Flag.FAIL | Flag.PFAIL)
    owners = (A,) * 10 + (B,) * 4 + (C,) * 2 + (None,) * 16368
    text = reports.info(evolve(topology(PRIMARY, pfail, fail), owners=owners), {}, {}, 7)
    for row in (
        "cluster_slots_assigned:16",
        "cluster_slots_ok:10",
        "cluster_slots_pfail:4",
        "cluster_slots_fail:2",
        "total_cluster_links_buffer_limit_exceeded:7",
    ):
        assert f"{row}\r\n" in text


def test_a_replica_reports_the_epoch_of_its_primary() -> None:
    seen = evolve(topology(PRIMARY, REPLICA), me=B)
    assert "cluster_my_epoch:3\r\n" in reports.info(seen, {}, {})


def test_counters_stand_in_the_order_of_the_message_types() -> None:
    text = reports.info(topology(PRIMARY), {"update": 2, "auth-req": 1, "ping": 9}, {})
    assert re.findall(r"messages_(.*)_sent:(\d+)", text) == [("ping", "9"), ("auth-req", "1"), ("update", "2")]
    assert "cluster_stats_messages_sent:12\r\n" in text


def test_on_tls_each_client_is_told_the_port_it_can_use() -> None:
    seen = topology(evolve(PRIMARY, port=7443, pport=7000))
    assert reports.slots(seen, "ip", pport=True)[0][2] == ["10.0.0.1", 7000, A, {}]
    assert reports.slots(seen, "ip")[0][2] == ["10.0.0.1", 7443, A, {}]
    assert ":7000@17000" in reports.nodes_text(seen, pport=True)
    (shard,) = reports.shards(seen, "ip", tls=True)
    assert isinstance(shard["nodes"], list)
    assert {k: v for k, v in shard["nodes"][0].items() if "port" in k} == {"port": 7000, "tls-port": 7443}


def test_open_slots_stand_on_the_line_of_myself_in_slot_order() -> None:
    seen = evolve(topology(PRIMARY, REPLICA), migrating={9: B}, importing={2: B, 11: B})
    first, second = reports.nodes_text(seen).splitlines()
    assert first.endswith(f" 0-16383 [2-<-{B}] [9->-{B}] [11-<-{B}]")
    assert "[" not in second
