"""A replica on which the stream or the disk fails: it says so, and ends if it was told to."""

import pytest

from tests.unit.node.replication.joined import Node, Told, join, same


def test_what_fails_on_a_replica_alone_is_told_once_in_the_words_of_redis() -> None:
    primary, replica = Node(1), Node(2)
    told = Told()
    replica.server.edge = told
    link = join(replica, primary)
    primary.server.access.debug = "yes"
    assert primary.tell("DEBUG REPLICATE", "DEBUG REPLICATE nonsense a", "DEBUG REPLICATE nonsense b", "SET k v") == (
        b"-ERR unknown subcommand or wrong number of arguments for 'REPLICATE'. Try DEBUG HELP.\r\n" + b"+OK\r\n" * 3
    )
    link.settle()
    same(primary, replica)
    assert ["nonsense" in text for text in told.lines if "== CRITICAL ==" in text] == [True]
    assert told.ended == []


@pytest.mark.parametrize(
    ("behavior", "read_only", "ends"),
    [("ignore", "yes", 0), ("panic", "yes", 1), ("panic-on-replicas", "yes", 1), ("panic", "no", 0)],
)
@pytest.mark.parametrize(
    "sent", [["nonsense a"], ["INCR text"], ["MULTI", "SET k v", "INCR text", "EXEC"]], ids=" ".join
)
def test_a_replica_ends_if_the_stream_fails_and_it_was_told_to(
    sent: list[str], behavior: str, read_only: str, ends: int
) -> None:
    primary, replica = Node(1), Node(2, ("propagation-error-behavior", behavior), ("replica-read-only", read_only))
    replica.server.edge = told = Told()
    primary.tell("SET text abc")
    link = join(replica, primary)
    primary.server.access.debug = "yes"
    primary.tell(*(f"DEBUG REPLICATE {words}" for words in sent))
    link.settle()
    assert len(told.ended) == ends
    assert [text for text in told.lines if "== CRITICAL ==" in text]


@pytest.mark.parametrize("fault", ["append-only file", "snapshot"])
@pytest.mark.parametrize(("ignore", "ends"), [("no", 1), ("yes", 0)])
def test_a_replica_whose_disk_fails_ends_at_the_next_write_unless_it_is_told_to_go_on(
    ignore: str, ends: int, fault: str
) -> None:
    primary, replica = Node(1), Node(2, ("replica-ignore-disk-write-errors", ignore), ("save", "3600 1"))
    replica.server.edge = told = Told()
    link = join(replica, primary)
    saves = replica.machine.saves
    if fault == "snapshot":
        saves.ok = False
        saves.set_condition()
    else:
        saves.aof.sink.set_failure("appendonly.aof: No space left on device")
    primary.server.access.debug = "yes"
    primary.tell("DEBUG REPLICATE PING")
    link.settle()
    assert not told.ended, "nothing is lost with a PING"
    lines = len([text for text in told.lines if "unable to write to disk" in text])
    primary.tell("SET k v", "SET l v")
    link.settle()
    assert len(told.ended) == 2 * ends
    assert all(text.startswith("Replica was unable to write command to disk. Exiting.") for text in told.ended)
    assert lines == 1, "once in ten seconds"
    assert len([text for text in told.lines if "unable to write to disk" in text]) == 1
    assert replica.digest == primary.digest
    if fault == "append-only file":
        saves.aof.sink.set_failure("")
        primary.tell("SET m v")
        link.settle()
        assert len(told.ended) == 2 * ends, "the disk is well again"
