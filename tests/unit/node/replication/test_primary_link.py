"""The link to the primary: what is said on it, to whom, and when it is left."""

import pytest

from gossamer.node.replication.link_state import LinkState
from gossamer.node.resp.requests import encoded
from tests.unit.node.replication.joined import START, WRITES, Link, Node, join, same


def test_the_first_ack_is_said_again_until_the_stream_begins() -> None:
    """Redis does not hear it while the child that made the snapshot has not been reaped."""
    primary, replica = Node(1), Node(2)
    primary.tell("SET k v")
    replica.replication.follow("primary", 1)
    link = Link(replica, primary)
    while not link.primary_link.connected:
        assert link.step()
    assert b"ACK" in link.primary_link.take_output()  # lost
    replica.at(START + 100)
    replica.machine.tick(START + 100)
    again = link.primary_link.take_output()
    assert b"ACK" in again
    link.session.feed(again)
    primary.tell("SET k w")
    link.settle()
    same(primary, replica)
    replica.at(START + 200)
    replica.machine.tick(START + 200)
    assert link.primary_link.take_output() == b""


def test_the_connection_to_the_primary_can_be_listed_and_ended() -> None:
    primary, replica = Node(1), Node(2)
    primary.tell("SET k v")
    link = join(replica, primary)
    replica.at(START + 5000)
    address = f"{link.primary_link.ip}:{link.primary_link.port}"
    listed = replica.tell("CLIENT LIST TYPE master")
    assert f" addr={address} ".encode() in listed
    assert b" flags=M " in listed
    assert b"flags=M" not in replica.tell("CLIENT LIST TYPE normal")
    assert replica.tell("CLIENT KILL 127.0.0.1:77").startswith(b"-ERR No such client")
    assert replica.tell(f"CLIENT KILL {address}") == b"+OK\r\n"
    assert (link.primary_link.state, replica.replication.heard) == (LinkState.CONNECT, START + 5000)
    assert replica.tell("CLIENT KILL TYPE master") == b":0\r\n"
    link.cut()
    Link(replica, primary).settle()
    same(primary, replica)
    assert primary.server.stats.full_syncs == 1
    assert replica.tell("CLIENT KILL TYPE master") == b":1\r\n"


@pytest.mark.parametrize("garbage", [b"HTTP/1.1 200 OK\r\n", b"-ERR go away\r\n", b"x" * 5000])
def test_a_primary_that_talks_nonsense_is_left(garbage: bytes) -> None:
    replica = Node(1)
    replica.tell("SET k v")
    replica.replication.follow("somewhere", 1)
    primary_link = replica.replication.primary_link
    assert primary_link is not None
    primary_link.connecting()
    primary_link.connected_to()
    for _ in range(8):
        primary_link.receive(garbage)
    assert primary_link.failure
    assert replica.tell("GET k") == b"$1\r\nv\r\n"


ID, OTHER_ID = b"a" * 40, b"b" * 40


def asked_who(replica: Node, answer: bytes) -> bytes:
    """What the replica of the node ID says after ``answer`` to its question who is there."""
    replica.tell("SET k v")
    replica.replication.follow("somewhere", 1, False, ID.decode())
    primary_link = replica.replication.primary_link
    assert primary_link is not None
    primary_link.connecting()
    primary_link.connected_to()
    primary_link.receive(b"+PONG\r\n")
    said = primary_link.take_output()
    assert said == encoded([b"PING"]) + encoded([b"CLUSTER", b"MYID"])
    for at in range(len(answer)):
        primary_link.receive(answer[at : at + 1])
    return b"" if primary_link.failure else primary_link.take_output()


@pytest.mark.parametrize(
    "answer",
    [
        b"$40\r\n" + OTHER_ID + b"\r\n",
        b"-ERR This instance has cluster support disabled\r\n",
        b"-LOADING Redis is loading the dataset in memory\r\n",
    ],
    ids=["another id", "no cluster", "not ready"],
)
def test_a_replica_takes_nothing_from_whoever_is_not_its_primary(answer: bytes) -> None:
    replica = Node(1)
    assert asked_who(replica, answer) == b""
    assert replica.tell("GET k") == b"$1\r\nv\r\n"


@pytest.mark.parametrize(
    "answer",
    [b"$40\r\n" + ID + b"\r\n", b"-NOPERM this user has no permissions to run the 'cluster|myid' command\r\n"],
    ids=["its id", "may not ask"],
)
def test_a_replica_goes_on_with_its_primary(answer: bytes) -> None:
    assert asked_who(Node(1), answer).startswith(b"*3\r\n$8\r\nREPLCONF\r\n")


def test_a_replica_whose_primary_is_not_there_any_more_connects_to_nobody() -> None:
    primary, replica = Node(1), Node(2)
    primary.tell(*WRITES)
    link = join(replica, primary)
    heard = replica.replication.heard
    replica.replication.unfollow()
    assert link.primary_link.failure
    link.primary_link.disconnected()
    link.primary_link.receive(encoded([b"FLUSHALL"]))
    same(primary, replica)
    assert replica.replication.heard == heard, "how old its data is stays known"
    link.primary_link.connected_to()
    assert link.primary_link.failure, "a connection that was just being made is ended"
    replica.replication.follow("elsewhere", 2, True)
    assert replica.replication.primary_link is not link.primary_link
    assert replica.replication.heard == heard


def test_the_handshake_is_that_of_a_real_replica() -> None:
    """Step by step; a primary that does not know an option is followed all the same."""
    replica = Node(
        2,
        ("masteruser", "u"),
        ("masterauth", "p"),
        ("replica-announce-ip", "10.0.0.1"),
        ("replica-announce-port", "7777"),
    )
    replica.replication.follow("primary", 1)
    primary_link = replica.replication.primary_link
    assert primary_link is not None
    primary_link.connecting()
    primary_link.connected_to()
    replid = replica.replication.history.replid
    for said, reply in (
        ("PING", b"-NOAUTH Authentication required.\r\n"),
        ("AUTH u p", b"+OK\r\n"),
        ("REPLCONF listening-port 7777", b"+OK\r\n"),
        ("REPLCONF ip-address 10.0.0.1", b"-ERR Unrecognized REPLCONF option: ip-address\r\n"),
        ("REPLCONF capa eof capa psync2", b"+OK\r\n"),
        ("REPLCONF version 9.0.0", b"-ERR Unrecognized REPLCONF option: version\r\n"),
        (f"PSYNC {replid} 1", b"\n\n-NOMASTERLINK Can't SYNC while not connected with my master\r\n"),
    ):
        assert primary_link.take_output() == encoded([word.encode() for word in said.split()])
        primary_link.receive(reply)
    assert primary_link.failure.startswith("Master is currently unable to PSYNC")
    assert not primary_link.damaged
