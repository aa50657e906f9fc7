"""An exception that nobody expected costs the client or the link that it came from, and the node only where its own
state may be half changed."""

import sys
from typing import Final

import pytest

from gossamer.deploy.blocking_client import fields
from gossamer.node.engine.serving.unexpected import told
from tests.compat.pair import Word, encode
from tests.compat.replies import Answer
from tests.integration.clusters import CLUSTER, OK, ask, demand, form, links, wait_peace, wait_until
from tests.integration.nodes import Node, Nodes, Program
from tests.integration.siege import Bystander

FAULTY: Final = Program("gossamer", "", lambda: [sys.executable, "-m", "tests.integration.faulty"])
OUTCOME: Final = "An exception that nobody expected"


def counted(node: Node) -> int:
    return int(fields(ask(node, "INFO", "stats"))["unexpected_errors"])


def closed_after(node: Node, *requests: tuple[Word, ...]) -> list[Answer]:
    """What a new client is answered until it is closed."""
    with node.connect() as sock:
        sock.sendall(b"".join(encode(request) for request in requests))
        data = b""
        while piece := sock.recv(65536):
            data += piece
    return [Answer("raw", line) for line in data.split(b"\r\n")[:-1]]


@pytest.mark.parametrize(
    "request_",
    [("FAULT.READ", "k"), ("fault.early", "k", "v"), ("FAULT.READ", b"\xff" * 100)],
    ids=["reads", "had not written", "bytes that are no text"],
)
def test_a_request_that_fails_unexpectedly_costs_its_client_alone(nodes: Nodes, request_: tuple[Word, ...]) -> None:
    node = nodes.start(program=FAULTY)
    demand(node, "SET", "k", "before")
    with node.connect() as other:
        assert closed_after(node, ("SET", "first", "1"), request_, ("SET", "k", "after")) == [Answer("raw", b"+OK")]
        other.sendall(encode(("GET", "k")))
        assert other.recv(100) == b"$6\r\nbefore\r\n"
    assert node.ask("GET", "first").text == b"1"
    assert counted(node) == 1
    assert str(request_[0]) in node.wait_log(OUTCOME)
    node.wait_log("Traceback (most recent call last)")
    node.wait_log("Fault")
    demand(node, "CONFIG", "RESETSTAT")
    assert counted(node) == 0
    assert node.stop() == 0


def test_a_transaction_that_only_read_costs_its_client_alone(nodes: Nodes) -> None:
    node = nodes.start(program=FAULTY)
    answers = closed_after(node, ("MULTI",), ("GET", "k"), ("FAULT.READ", "k"), ("EXEC",), ("PING",))
    assert [answer.text for answer in answers] == [b"+OK", b"+QUEUED", b"+QUEUED"]
    assert counted(node) == 1
    assert "b'EXEC'"[1:] in node.wait_log(OUTCOME)


@pytest.mark.parametrize(
    "requests",
    [
        [("FAULT.LATE", "k", "v")],
        [("MULTI",), ("SET", "k", "v"), ("FAULT.READ", "k"), ("EXEC",)],
    ],
    ids=["in the midst of a write", "in a transaction that has written"],
)
def test_the_node_ends_where_its_data_may_be_half_changed(nodes: Nodes, requests: list[tuple[Word, ...]]) -> None:
    node = nodes.start(program=FAULTY)
    closed_after(node, *requests)
    assert node.wait_end() == 1
    node.wait_log("The state of this node may be half changed, so it ends.")


def test_the_node_ends_where_its_view_of_the_cluster_may_be_half_changed(nodes: Nodes) -> None:
    node = nodes.start(*CLUSTER, program=FAULTY)
    closed_after(node, ("FAULT.GOSSIP",))
    assert node.wait_end() == 1
    node.wait_log("The state of this node may be half changed, so it ends.")


@pytest.mark.once
def test_the_node_ends_where_what_the_cluster_asked_for_fails(nodes: Nodes) -> None:
    """Whatever message it was that made the cluster ask."""
    node, other = nodes.start(*CLUSTER, program=FAULTY), nodes.start(*CLUSTER)
    demand(node, "FAULT.ARM", "dial")
    demand(other, "CLUSTER", "MEET", "127.0.0.1", node.port)
    assert node.wait_end() == 1
    node.wait_log("Fault: dial")


def test_passwords_are_not_in_the_log_of_a_mishap() -> None:
    for request in (
        [b"AUTH", b"secret"],
        [b"hello", b"3", b"AUTH", b"default", b"secret"],
        [b"CONFIG", b"SET", b"requirepass", b"secret"],
        [b"migrate", b"h", b"1", b"k", b"0", b"5", b"AUTH", b"secret"],
        [b"ACL", b"SETUSER", b"me", b">secret"],
    ):
        assert "secret" not in told(request)
        assert told(request).startswith(repr(request[0])[1:])
    assert told([b"SET", b"\xff\n", b"x" * 70]) == f"'SET' '\\xff\\n' '{'x' * 64}'…"
    assert told([b"DEL", *[b"k"] * 9]) == "'DEL' 'k' 'k' 'k' and 6 more arguments"


@pytest.mark.once
def test_a_message_that_fails_unexpectedly_costs_its_link_alone(nodes: Nodes) -> None:
    made = [nodes.start(*CLUSTER, "--cluster-node-timeout", "5000", program=FAULTY) for _ in range(3)]
    form(made)
    wait_peace(made)
    wait_until(lambda: len(links(made[0])) == 4, "both ways to both others")
    before = links(made[0])
    demand(made[0], "FAULT.ARM", "bus")
    wait_until(lambda: counted(made[0]) == 1, "the message has come")
    assert "a cluster link, which is closed" in made[0].wait_log(OUTCOME)
    wait_peace(made)
    assert len(set(before) - set(links(made[0]))) in (1, 2), "one link, and perhaps its twin, is another one now"
    assert [counted(node) for node in made] == [1, 0, 0]


@pytest.mark.once
def test_a_message_that_cannot_be_made_costs_the_links_that_it_was_for(nodes: Nodes) -> None:
    made = [nodes.start(*CLUSTER, "--cluster-node-timeout", "5000", program=FAULTY) for _ in range(2)]
    form(made)
    wait_peace(made)
    demand(made[0], "FAULT.ARM", "send")
    wait_until(lambda: counted(made[0]) == 1, "the message was to be sent")
    assert "a message to cluster links (" in made[0].wait_log(OUTCOME)
    wait_peace(made)
    assert [counted(node) for node in made] == [1, 0]


@pytest.mark.once
def test_a_lookup_that_fails_unexpectedly_finds_nothing(nodes: Nodes) -> None:
    node = nodes.start(*CLUSTER, "--cluster-node-timeout", "5000", program=FAULTY)
    other = nodes.start(*CLUSTER, "--cluster-announce-hostname", "node.example")
    form([node, other])
    wait_until(lambda: "node.example" in ask(node, "CLUSTER", "NODES"), "its name is known")
    demand(node, "FAULT.ARM", "lookup")
    other.kill()
    with Bystander(node) as bystander:
        wait_until(lambda: counted(node) == 1, "it was looked for")
    bystander.check()
    assert "the lookup of 'node.example'" in node.wait_log(OUTCOME)
    other.start()
    wait_peace([node, other])
    assert counted(node) == 1


def test_a_connection_that_fails_unexpectedly_as_it_comes_in_costs_itself_alone(nodes: Nodes) -> None:
    node = nodes.start(program=FAULTY)
    demand(node, "FAULT.ARM", "accept")
    assert closed_after(node) == []
    assert counted(node) == 1
    assert "a new connection" in node.wait_log(OUTCOME)
    with node.connect() as other:
        other.sendall(encode(("PING",)))
        assert other.recv(100) == b"+PONG\r\n"


def test_a_connection_to_the_primary_that_fails_unexpectedly_is_made_again(nodes: Nodes) -> None:
    fast = ("--repl-diskless-sync-delay", "0")
    primary = nodes.start(*fast)
    replica = nodes.start(*fast, "--replicaof", "127.0.0.1", str(primary.port), program=FAULTY)
    wait_until(lambda: "master_link_status:up" in ask(replica, "INFO", "replication"), "the replica is in sync")
    demand(replica, "FAULT.ARM", "carry")
    with Bystander(replica) as bystander:
        demand(primary, "SET", "k", "v")
        wait_until(lambda: counted(replica) == 1, "the replica has met it")
        wait_until(lambda: replica.ask("GET", "k").content == b"v", "it has dialled again")
    bystander.check()
    assert f"the connection to primary '127.0.0.1':{primary.port}, which is closed" in replica.wait_log(OUTCOME)
    assert counted(replica) == 1


def test_a_migrate_that_fails_unexpectedly_costs_itself_alone(nodes: Nodes) -> None:
    node, target = nodes.start(program=FAULTY), nodes.start(program=FAULTY)
    demand(node, "SET", "k", "v")
    demand(node, "FAULT.ARM", "migrate")
    migrate = ("MIGRATE", "127.0.0.1", str(target.port), "k", "0", "5000")
    assert node.ask(*migrate).text.startswith(b"IOERR")
    assert node.ask("GET", "k").text == b"v"
    assert counted(node) == 1
    demand(node, *migrate)
    assert target.ask("GET", "k").text == b"v"


def test_a_replica_that_cannot_run_the_stream_takes_a_full_sync(nodes: Nodes) -> None:
    """What came before is run once; what could not be run comes with the snapshot."""
    fast = ("--repl-diskless-sync-delay", "0")
    primary = nodes.start(*fast, program=FAULTY)
    replica = nodes.start(*fast, "--replicaof", "127.0.0.1", str(primary.port), program=FAULTY)
    wait_until(lambda: "master_link_status:up" in ask(replica, "INFO", "replication"), "the replica is in sync")
    with primary.connect() as sock:
        sock.sendall(encode(("INCR", "n")) + encode(("FAULT.STREAM", "k", "v")) + encode(("INCR", "n")))
        wait_until(lambda: counted(replica) == 1, "the replica has met it")
    wait_until(lambda: replica.ask("GET", "k").content == b"v", "a full sync has brought it")
    assert replica.ask("GET", "n").text == b"2"
    assert "FAULT.STREAM" in replica.wait_log(OUTCOME)
    demand(primary, "SET", "behind", "1")
    assert primary.ask("WAIT", "1", "5000").number == 1
    assert primary.ask("SET", "again", "1") == OK
    assert counted(replica) == 1
