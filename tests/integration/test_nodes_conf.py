"""nodes.conf as people treat it: edited before a start, mounted as a single file, a link to somewhere else."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.integration.clusters import CLUSTER, demand, form, info, my_id, myself, start_together, view, wait_until
from tests.integration.nodes import REDIS, Node, Nodes

pytestmark = pytest.mark.once  # nothing of it is compiled

QUIET: Final = (*CLUSTER, "--cluster-node-timeout", "2000")


def edit_address(node: Node, ip: str) -> None:
    """As charts do it before each start."""
    path = node.home / "nodes.conf"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(re.sub(r" [^ :]*:", f" {ip}:", x, count=1) if "myself" in x else x for x in lines))


def settled(node: Node) -> None:
    wait_until(lambda: "vars" in (node.home / "nodes.conf").read_text(), "nodes.conf itself is written")


def killed_behind(nodes: Nodes) -> Node:
    """A node that was killed right after its OK: its nodes.conf is older than what was promised."""
    node = nodes.start(*QUIET)
    settled(node)
    before = (node.home / "nodes.conf").read_text()
    demand(node, "CLUSTER", "SET-CONFIG-EPOCH", 7)
    demand(node, "CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    node.kill()
    if (node.home / "nodes.conf").read_text() != before:
        pytest.skip("the machine is too slow for this: nodes.conf has followed already")
    return node


def test_what_was_answered_ok_survives_an_edit_of_the_address(nodes: Nodes) -> None:
    node = killed_behind(nodes)
    edit_address(node, "10.9.8.7")
    node.start()
    assert myself(node).slots == ("0-16383",)
    assert myself(node).epoch == 7
    assert myself(node).address.startswith("10.9.8.7:")
    node.wait_log("were edited")


def test_a_vote_survives_an_edit_of_the_address(nodes: Nodes) -> None:
    made = [nodes.make(*QUIET, "--repl-diskless-sync-delay", "0") for _ in range(4)]
    start_together(made)
    primaries, replica = made[:3], made[3]
    form(primaries)
    demand(replica, "CLUSTER", "MEET", *primaries[0].address)
    wait_until(lambda: all(len(view(node)) == 4 for node in made), "all know the fourth")
    demand(replica, "CLUSTER", "REPLICATE", my_id(primaries[0]))
    told = my_id(replica)
    wait_until(lambda: b"master_link_status:up" in replica.ask("INFO", "replication").text, "it is in sync")
    wait_until(lambda: all(view(n)[told].primary == my_id(primaries[0]) for n in made), "all know whose replica it is")
    primaries[0].kill()
    voter = primaries[1]
    granted = re.search(r"granted to \S+ for epoch (\d+)", voter.wait_log("Failover auth granted"))
    assert granted is not None
    replica.wait_log("Failover election won")  # with two of three votes: so this one has been sent
    voter.kill()
    edit_address(voter, "127.0.0.2")
    voter.start()
    voter.stop()
    kept = (voter.home / "nodes.conf").read_text()
    assert f"lastVoteEpoch {granted[1]}" in kept
    assert int(re.findall(r"currentEpoch (\d+)", kept)[0]) >= int(granted[1])


def copied(nodes: Nodes, node: Node, *files: str) -> Node:
    other = nodes.make(*QUIET)
    for file in files:
        shutil.copy(node.home / file, other.home / file)
    return other


def test_what_was_answered_ok_goes_along_to_another_home(nodes: Nodes) -> None:
    node = killed_behind(nodes)
    other = copied(nodes, node, "nodes.conf", "nodes.conf.latest")
    other.start()
    assert (myself(other).slots, myself(other).epoch) == (("0-16383",), 7)
    assert not [line for line in other.log().splitlines() if "nodes.conf" in line], "there is nothing to tell"


def test_a_copy_without_the_notes_is_an_older_state_and_the_log_says_so(nodes: Nodes) -> None:
    """A nodes.conf of Redis looks the same, so it is no reason not to start."""
    node = killed_behind(nodes)
    told = re.findall(r"(\S+) \S+ myself", (node.home / "nodes.conf").read_text())
    other = copied(nodes, node, "nodes.conf")
    other.start()
    assert [my_id(other)] == told
    assert (myself(other).slots, myself(other).epoch) == ((), 0)
    other.wait_log(f"No notes are beside {other.home / 'nodes.conf'}")
    demand(other, "CLUSTER", "SET-CONFIG-EPOCH", 7)
    other.restart()
    assert "No notes" not in other.log()


def test_a_nodes_conf_that_was_cut_short_in_place_is_refused(nodes: Nodes) -> None:
    """``b"\\0"`` stands for the first letter until the rest is written."""
    node = nodes.start(*QUIET)
    settled(node)
    node.stop()
    path = node.home / "nodes.conf"
    torn = b"\0" + path.read_bytes()
    path.write_bytes(torn)
    (node.home / "nodes.conf.latest").unlink()
    node.launch()
    line = node.wait_log("was cut short while it was written in place")
    assert "Put a copy of it there, or remove it" in line
    assert node.wait_end() == 1
    assert path.read_bytes() == torn, "it is left to whoever mends it"


def test_a_link_is_kept_and_redis_starts_from_it(nodes: Nodes) -> None:
    node = nodes.make(*QUIET)
    (node.home / "elsewhere").mkdir()
    link, target = node.home / "nodes.conf", node.home / "elsewhere" / "kept.conf"
    link.symlink_to(target)
    node.start()
    name = my_id(node)
    demand(node, "CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    node.stop()
    assert link.is_symlink()
    assert f"{name} " in target.read_text()
    redis = nodes.make(*QUIET, program=REDIS)
    shutil.copy(target, redis.home / "nodes.conf")
    redis.start()
    assert my_id(redis) == name
    assert myself(redis).slots == ("0-16383",)


def mounting(home: Path) -> list[str]:
    """A command that runs another where ``nodes.conf`` is a mount of its own, as a single file in a container is."""
    wrapper = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" "$1" && shift && exec "$@"']
    kept, path = home / "kept.conf", home / "nodes.conf"
    kept.touch()
    path.touch()
    tried = shutil.which("unshare") and subprocess.run(
        [*wrapper, str(kept), str(path), "true"], capture_output=True, text=True, check=False
    )
    if not tried or tried.returncode:
        pytest.skip(f"a file cannot be mounted here (root and unshare of util-linux): {tried and tried.stderr}")
    return [*wrapper, str(kept), str(path)]


def test_a_nodes_conf_that_is_mounted_as_a_single_file_is_kept_up_to_date(nodes: Nodes) -> None:
    node = nodes.make(*QUIET)
    node.wrapper = mounting(node.home)
    kept = node.home / "kept.conf"
    node.start()
    node.wait_log("cannot be replaced")
    name, inode = my_id(node), os.stat(kept).st_ino
    demand(node, "CLUSTER", "SET-CONFIG-EPOCH", 7)
    demand(node, "CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    node.kill()
    assert os.stat(kept).st_ino == inode
    text = kept.read_text()
    assert re.search(rf"{name} \S+ myself,master - \d+ \d+ 7 connected 0-16383\n", text), text
    (node.home / "nodes.conf.latest").unlink()  # the container is gone, and with it all but the file
    node.start()
    assert my_id(node) == name
    wait_until(lambda: info(node)["cluster_state"] == "ok", "it serves again")
    assert myself(node).slots == ("0-16383",)
    node.stop()


def test_a_node_that_cannot_have_a_nodes_conf_says_so_and_does_not_start(nodes: Nodes) -> None:
    """In ``/sys`` nobody makes files, root neither."""
    node = nodes.make(*QUIET, "--dir", "/sys")
    node.launch()
    line = node.wait_log("Can't open /sys/nodes.conf in order to acquire a lock: ")
    assert line.endswith(("Permission denied", "Operation not permitted", "Read-only file system"))
    assert node.wait_end() == 1


def test_a_second_node_in_the_same_directory_does_not_start(nodes: Nodes) -> None:
    first = nodes.start(*QUIET)
    name = my_id(first)
    second = nodes.make(*QUIET, "--dir", str(first.home))
    second.launch()
    second.wait_log("nodes.conf is already used by a different Redis Cluster node")
    assert second.wait_end() == 1
    first.kill()
    second.start()
    assert my_id(second) == name
