"""What the stream carries: to the replicas of a replica, over databases, under other names, and what ends or counts."""

from tests.unit.node.replication.joined import START, WRITES, Link, Node, join, same


def test_a_chain_passes_on_the_same_bytes() -> None:
    first, middle, last = Node(1), Node(2), Node(3)
    first.tell("SELECT 2", "SET k v")
    upper = join(middle, first)
    lower = join(last, middle)
    first.tell("SET k w", "SELECT 0", *WRITES)
    upper.settle()
    lower.settle()
    same(first, middle, last)


def test_a_key_ends_when_the_primary_says_so() -> None:
    primary, replica = Node(1), Node(2)
    link = join(replica, primary)
    primary.tell("SET k v PX 100")
    link.settle()
    for node in (primary, replica):
        node.at(START + 200)
    replica.machine.tick(START + 200)
    assert replica.tell("GET k") == b"$-1\r\n"
    assert replica.tell("DBSIZE") == b":1\r\n", "hidden, not deleted"
    replica.server.access.debug = "yes"
    assert replica.tell("DEBUG OBJECT k").startswith(b"+Value at:"), "DEBUG shows what is there"
    assert replica.tell("DEBUG DIGEST-VALUE k") != b"*1\r\n+%s\r\n" % (b"0" * 40)
    primary.tell("GET k")
    link.settle()
    assert replica.tell("DBSIZE") == b":0\r\n"


def test_a_transaction_in_another_database_arrives_there() -> None:
    primary, replica = Node(1), Node(2)
    link = join(replica, primary)
    primary.tell("SET a 0", "SELECT 3", "MULTI", "SET a 3", "SELECT 5", "SET a 5", "EXEC", "SET b 5")
    link.settle()
    same(primary, replica)
    link.cut()
    primary.tell("APPEND b x", "MULTI", "SELECT 3", "APPEND a x", "APPEND a y", "EXEC")
    Link(replica, primary).settle()
    same(primary, replica)
    assert primary.server.stats.full_syncs == 1


def test_a_replica_understands_renamed_commands_and_the_words_that_the_stream_makes_itself() -> None:
    """Whatever either calls them, or does not let its clients call at all."""
    here = "rename-command SET put\nrename-command GETDEL fetch\nrename-command MULTI tx"
    there = 'rename-command SET put\nrename-command DEL ""\nrename-command MULTI ""\nrename-command SELECT ""'
    primary, replica = Node(1, text=here), Node(2, text=there)
    link = join(replica, primary)
    primary.tell("put a 1", "put b 2 EX 100", "fetch a", "TX", "put c 3", "APPEND c 4", "EXEC", "SELECT 3", "PUT d 5")
    link.settle()
    same(primary, replica)
    assert replica.replication.primary_link is not None
    assert replica.tell("GET c") == b"$2\r\n34\r\n"
    assert replica.tell("DEL c").startswith(b"-ERR unknown command")


def test_what_pfcount_has_counted_is_kept_by_the_primary_and_told() -> None:
    primary, replica = Node(1), Node(2)
    primary.tell("PFADD k a b c")
    link = join(replica, primary)
    before = replica.digest
    assert replica.tell("PFCOUNT k") == b":3\r\n"
    assert replica.digest == before
    assert primary.tell("PFCOUNT k") == b":3\r\n"
    link.settle()
    assert replica.digest != before
    same(primary, replica)
