"""Nodes that come back at other addresses: recognised by their ids, found by their names.

Names are given by a hosts file that each node sees in place of /etc/hosts, in a mount namespace of its own.
"""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from typing import Final

import pytest

from tests.integration.clusters import (
    CLUSTER,
    OK,
    demand,
    form,
    info,
    introduce,
    my_id,
    start_together,
    view,
    wait_peace,
    wait_state,
    wait_until,
)
from tests.integration.nodes import GOSSAMER, REDIS, VALKEY, Node, Nodes, Program

pytestmark = pytest.mark.once  # nothing of it is compiled

TIMEOUT_MS: Final = 2000
KEY: Final = "06S"
"""In slot 0."""

ELSEWHERE: Final = "127.0.3.9"
MOUNT: Final = 'mount --bind "$1" /etc/hosts && mount --bind "$2" /etc/nsswitch.conf && shift 2 && exec "$@"'
NAMESPACE: Final = ("unshare", "--user", "--map-root-user", "--mount")


def scattered(nodes: Nodes, kinds: Sequence[Program], *more: str) -> list[Node]:
    """Each at an address of its own, not started yet."""
    made = []
    for number, kind in enumerate(kinds, 1):
        node = nodes.make(*CLUSTER, "--cluster-node-timeout", str(TIMEOUT_MS), *more, program=kind)
        node.options += ["--repl-diskless-sync-delay", "0", "--protected-mode", "no", "--bind-source-addr", ""]
        move(node, f"127.0.1.{number}")
        made.append(node)
    return made


def move(node: Node, host: str) -> None:
    """From its next start on it is at ``host``, and comes to others from there."""
    node.host = node.options[-1] = host


def attach(replica: Node, primary: Node, others: Sequence[Node]) -> None:
    introduce([replica], primary, [*others, replica])
    demand(replica, "CLUSTER", "REPLICATE", my_id(primary))
    wait_until(lambda: in_sync(replica, primary), "the replica is in sync")


def in_sync(replica: Node, primary: Node) -> bool:
    told = replica.ask("INFO", "replication").text
    where = b"master_host:%s\r\nmaster_port:%d\r\n" % (primary.host.encode(), primary.port)
    return where in told and b"master_link_status:up" in told


def all_tell(nodes: Sequence[Node], moved: Node) -> bool:
    """All know where it is now, and have a link to it."""
    name, place = my_id(moved), f"{moved.host}:{moved.port}@{moved.bus_port}"
    lines = [view(node)[name] for node in nodes if node is not moved]
    return all(line.address.partition(",")[0] == place and line.connected and not line.failed for line in lines)


@pytest.mark.parametrize("kind", [GOSSAMER, VALKEY, REDIS], ids=lambda kind: kind.name)
def test_a_node_that_returns_with_a_new_ip_and_port_is_followed(nodes: Nodes, kind: Program) -> None:
    """By peers of all kinds, by nodes.conf, by redirects and by its replica; a node of ours follows the others."""
    made = scattered(nodes, (kind, GOSSAMER, REDIS, VALKEY))
    start_together(made)
    form(made)
    moved, ours = made[0], made[1]
    replica = scattered(nodes, (GOSSAMER,), "--cluster-replica-no-failover", "yes")[0]
    move(replica, "127.0.1.9")
    replica.start()
    attach(replica, moved, made)
    moved.stop()
    move(moved, ELSEWHERE)
    nodes.give_new_ports(moved)
    moved.start()
    wait_until(lambda: all_tell(made, moved), f"all tell that it is at {ELSEWHERE}")
    wait_until(lambda: in_sync(replica, moved), "its replica follows it there")
    wait_state(made, "ok")
    assert ours.ask("GET", KEY).text == b"MOVED 0 %s:%d" % (ELSEWHERE.encode(), moved.port)
    wait_until(
        lambda: f"{ELSEWHERE}:{moved.port}@" in (ours.home / "nodes.conf").read_text(), "nodes.conf has the new address"
    )


# --- names


@pytest.fixture(scope="module")
def namespace() -> None:
    """Skips where a process may not have a mount namespace of its own."""
    if shutil.which("unshare") is None:
        pytest.skip("no unshare here: apt-get install util-linux")
    tried = subprocess.run(
        [*NAMESPACE, "sh", "-c", "mount --bind /dev/null /etc/hosts"], capture_output=True, text=True
    )
    if tried.returncode:
        pytest.skip(f"mount namespaces are not permitted here: {tried.stderr.strip()}")


class NameServer:
    """The hosts file that all ``nodes`` share. Nothing that is not in it is ever asked of a real name server."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        folder = nodes[0].home.parent
        self._hosts, switch = folder / "hosts", folder / "nsswitch.conf"
        self._hosts.write_text("")
        switch.write_text("hosts: files\n")
        for node in nodes:
            node.wrapper = [*NAMESPACE, "sh", "-c", MOUNT, "sh", str(self._hosts), str(switch)]

    def tell(self, names: Mapping[str, str]) -> None:
        with self._hosts.open("r+") as file:  # the same file, which is what they have mounted
            file.truncate()
            file.write("127.0.0.1 localhost\n" + "".join(f"{ip} {name}\n" for name, ip in names.items()))


def named(nodes: Nodes, kinds: Sequence[Program]) -> tuple[list[Node], NameServer]:
    """Started nodes with names, all on the same port, as such nodes are."""
    made = scattered(nodes, kinds)
    for node in made:
        node.port, node.bus_port = made[0].port, made[0].bus_port
    names = NameServer(made)
    for number, node in enumerate(made):
        node.options[:0] = ["--cluster-announce-hostname", f"node-{number}.example"]
    names.tell({f"node-{number}.example": node.host for number, node in enumerate(made)})
    start_together(made)
    return made, names


def all_named(made: Sequence[Node]) -> bool:
    """On every disk are the names of all."""
    texts = [(node.home / "nodes.conf").read_text() for node in made]
    return all(f",node-{number}.example" in text for text in texts for number in range(len(made)))


@pytest.mark.usefixtures("namespace")
def test_all_that_restart_at_once_at_new_addresses_find_each_other(nodes: Nodes) -> None:
    made, names = named(nodes, (GOSSAMER,) * 4)
    primaries, replica = made[:3], made[3]
    form(primaries)
    attach(replica, primaries[0], primaries)
    assert primaries[0].ask("SET", KEY, "there") == OK
    wait_until(lambda: all_named(made), "all names are on every disk")
    before = view(made[0]).keys()
    for turn in (2, 3):
        for node in made:
            node.kill()
        # First all at new addresses; then each at the address of another, whose name stands for a third.
        for number, node in enumerate(made):
            move(node, f"127.0.2.{number + 1 if turn == 2 else (number + 1) % len(made) + 1}")
        names.tell({f"node-{number}.example": node.host for number, node in enumerate(made)})
        start_together(made)
        took = wait_until(lambda: all(all_tell(made, moved) for moved in made), "all have found all")
        print(f"all found all within {took:.2f} s")
        assert view(made[0]).keys() == before
        wait_state(made, "ok")
        wait_until(lambda: in_sync(replica, primaries[0]), "the replica has found its primary")
        assert made[1].ask("GET", KEY).text == b"MOVED 0 %s:%d" % (primaries[0].host.encode(), primaries[0].port)


@pytest.mark.usefixtures("namespace")
def test_a_name_that_leads_to_another_cluster_changes_nothing(nodes: Nodes) -> None:
    made, names = named(nodes, (GOSSAMER,) * 4)
    ours, other = made[:3], made[3]
    form(ours)
    demand(other, "CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    gone = ours[2]
    told, place = my_id(gone), view(ours[0])[my_id(gone)].address
    gone.kill()
    names.tell({"node-2.example": other.host})
    wait_until(lambda: "cluster_stats_messages_ping_received" in info(other), "somebody has asked there")
    wait_until(lambda: view(ours[0])[told].failed, "the dead node has failed all the same")
    assert view(ours[0])[told].address == place
    assert len(view(other)) == 1
    assert len(view(ours[0])) == 3
    gone.start()
    wait_peace(ours)
