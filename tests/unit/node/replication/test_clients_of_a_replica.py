"""What a replica tells its own clients: of its role, of writes, and while its primary is away."""

from tests.unit.node.replication.joined import Node, join


def test_a_replica_refuses_writes_of_its_clients() -> None:
    replica = Node(1)
    replica.replication.follow("somewhere", 1)
    assert replica.tell("SET k v").startswith(b"-READONLY")
    assert replica.tell("MULTI", "SET k v", "EXEC").count(b"-READONLY") == 1
    assert replica.tell("WAIT 0 0").startswith(b"-ERR WAIT cannot be used with replica instances.")


MASTERDOWN = b"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n"


def test_a_transaction_that_reads_is_aborted_when_the_link_was_lost_meanwhile() -> None:
    primary, replica = Node(1), Node(2, ("replica-serve-stale-data", "no"))
    primary.tell("SET k v")
    link = join(replica, primary)
    assert replica.tell("MULTI", "PING", "GET k").count(b"+QUEUED") == 2
    link.cut()
    assert replica.tell("EXEC") == b"-EXECABORT Transaction discarded because of: " + MASTERDOWN
    assert replica.tell("EXEC") == b"-ERR EXEC without MULTI\r\n"
    assert replica.tell("MULTI", "ECHO hi", "EXEC") == b"+OK\r\n+QUEUED\r\n*1\r\n$2\r\nhi\r\n", "it reads nothing"
    refused = b"-EXECABORT Transaction discarded because of previous errors.\r\n"
    assert replica.tell("MULTI", "GET k", "EXEC") == b"+OK\r\n-" + MASTERDOWN + refused
    replica.tell("CONFIG SET replica-serve-stale-data yes")
    assert replica.tell("MULTI", "GET k", "EXEC").endswith(b"*1\r\n$1\r\nv\r\n")


def test_hello_names_the_role() -> None:
    primary, replica = Node(1), Node(2)
    assert b"$4\r\nrole\r\n$6\r\nmaster\r\n" in primary.tell("HELLO 2")
    link = join(replica, primary)
    assert b"$4\r\nrole\r\n$7\r\nreplica\r\n" in replica.tell("HELLO 3")
    link.cut()
    assert b"$4\r\nrole\r\n$7\r\nreplica\r\n" in replica.tell("HELLO 3"), "with or without its primary"
    replica.tell("REPLICAOF NO ONE")
    assert b"$4\r\nrole\r\n$6\r\nmaster\r\n" in replica.tell("HELLO 3")
