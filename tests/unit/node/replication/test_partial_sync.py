"""Who was cut off, or follows another now, gets the rest of the stream where that is enough, and else all."""

from tests.unit.node.replication.joined import WRITES, Link, Node, join, same


def test_after_a_cut_the_rest_is_enough() -> None:
    primary, replica = Node(1), Node(2)
    primary.tell(*WRITES)
    link = join(replica, primary)
    link.cut()
    primary.tell("SET k while-away", "SELECT 5", "SET k other")
    link = Link(replica, primary)
    link.settle()
    same(primary, replica)
    assert primary.server.stats.full_syncs == 1
    assert primary.server.stats.partial_syncs == 1


def test_after_a_cut_inside_a_transaction_it_is_told_again() -> None:
    primary, replica = Node(1), Node(2)
    primary.tell("SET n 0")
    link = join(replica, primary)
    primary.tell("MULTI", "INCR n", "INCR n", "INCR n", "EXEC")
    heard = link.session.take_output()
    link.primary_link.receive(heard[:-20])
    offset = replica.replication.offset
    assert offset < primary.replication.offset - 20, "inside MULTI the offset waits before it"
    link.cut()
    Link(replica, primary).settle()
    same(primary, replica)
    assert replica.tell("GET n") == b"$1\r\n3\r\n"


def test_who_was_away_for_too_long_gets_all_again() -> None:
    primary, replica = Node(1, ("repl-backlog-size", "100")), Node(2)
    link = join(replica, primary)
    link.cut()
    primary.tell(*[f"SET key:{number} value" for number in range(20)])
    Link(replica, primary).settle()
    same(primary, replica)
    assert primary.server.stats.full_syncs == 2
    assert primary.server.stats.refused_partial_syncs == 2


def test_a_promoted_replica_leads_its_sibling_and_the_old_primary() -> None:
    old, new, sibling = Node(1), Node(2), Node(3)
    old.tell(*WRITES)
    to_new, to_sibling = join(new, old), join(sibling, old)
    old.tell("SET k last")
    for link in (to_new, to_sibling):
        link.settle()
        link.cut()
    replid, offset = old.history
    new.replication.lead()
    assert (new.replication.history.replid2, new.replication.history.second_offset) == (replid, offset + 1)
    assert new.replication.history.replid != replid
    new.tell("SET k new-era", "SELECT 4", "SET k v")
    join(sibling, new)
    join(old, new)
    assert new.server.stats.full_syncs == 0
    same(new, sibling, old)


def test_an_old_primary_that_wrote_on_gets_all_again() -> None:
    old, new = Node(1), Node(2)
    old.tell("SET k v")
    join(new, old).cut()
    old.tell("SET k never-replicated")
    new.replication.lead()
    new.tell("SET k elected")
    join(old, new)
    assert new.server.stats.full_syncs == 1
    same(new, old)
    assert old.tell("GET k") == b"$7\r\nelected\r\n"
