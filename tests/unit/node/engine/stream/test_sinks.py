"""A sink that stands for the append-only file: it has every write once, on a primary and on its replica."""

from random import Random

import pytest

from gossamer.node.commands.digest import digest_of_all
from gossamer.node.engine.server import Server
from gossamer.node.engine.stream.sink import Sink, Write
from gossamer.node.machine import Machine
from gossamer.node.resp.parser import Parser
from tests.unit.node.replication.joined import START, Link, Node, join

WRITES = (
    "SET a 1", "GET a", "SELECT 3", "SET v x PX 10", "SELECT 0", "MULTI", "INCR a", "GET a", "INCR b", "EXEC",
    "MULTI", "SET only one", "EXEC", "INCRBYFLOAT f 0.5", "DEL missing", "SWAPDB 0 3", "SWAPDB 0 3",
)  # fmt: skip
TOLD = [
    "0 SET a 1", f"3 SET v x PXAT {START + 10}", ["0 INCR a", "0 INCR b"], "0 SET only one", "0 SET f 0.5 KEEPTTL",
    "0 SWAPDB 0 3", "0 SWAPDB 0 3",
]  # fmt: skip


class File(Sink):
    """Keeps what it is given: a write as text, a group as a list of them."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str | list[str]] = []

    def write(self, db: int, data: bytes, slot: int) -> None:
        self.told.append(words(db, data))

    def group(self, writes: list[Write]) -> None:
        self.told.append([words(write.db, write.data) for write in writes])


def words(db: int, data: bytes) -> str:
    parser = Parser()
    parser.feed(data)
    argv = parser.next()
    assert argv is not None
    assert parser.behind() == 0, "one request, whole"
    return f"{db} {b' '.join(argv).decode()}"


def pair() -> tuple[Node, Node, Link, File, File]:
    """A primary, its replica, and what each of them would write to disk."""
    primary, replica = Node(1), Node(2)
    link = join(replica, primary)
    files = File(), File()
    primary.server.journal.attach(files[0])
    replica.server.journal.attach(files[1])
    return primary, replica, link, *files


def test_a_file_has_every_write_once_and_a_transaction_as_a_whole() -> None:
    node, file = Node(1), File()
    node.server.journal.attach(file)
    node.tell(*WRITES)
    assert file.told == TOLD


@pytest.mark.parametrize("piece", [1, 13, 1 << 16])
def test_the_file_of_a_replica_has_the_same_in_the_same_order(piece: int) -> None:
    primary, _, link, file, copy = pair()
    link.piece = piece
    primary.tell(*WRITES)
    link.settle()
    assert file.told == TOLD
    assert copy.told == file.told


def test_what_is_no_write_is_told_to_no_file() -> None:
    primary, _, link, file, copy = pair()
    for second in range(1, 30):  # PING
        primary.at(START + second * 1000)
        primary.machine.attend(START + second * 1000)
        link.settle()
    before = primary.replication.offset
    primary.client.feed(b"SET a 1\r\nWAIT 1 0\r\n")  # GETACK
    link.settle()
    primary.tell("DEBUG REPLICATE ping")
    link.settle()
    assert primary.replication.offset > before
    assert link.primary_link.connected
    assert file.told == copy.told == ["0 SET a 1"]


def test_an_expired_key_is_deleted_in_both_files() -> None:
    primary, _, link, file, copy = pair()
    primary.tell("SET a v PX 10", "SET b v PX 10")
    primary.at(START + 20)
    primary.tell("APPEND a x", "SCAN 0")
    link.settle()
    assert file.told[2:] == [["0 DEL a", "0 APPEND a x"], "0 DEL b"]
    assert copy.told == file.told


def test_what_the_file_of_a_replica_says_makes_the_same_data() -> None:
    primary, replica, link, _, copy = pair()
    rng = Random(5)
    for number in range(300):
        key = f"k{rng.randrange(20)}"
        primary.at(START + number * 7)
        primary.tell(rng.choice([f"SET {key} {number}", f"APPEND {key} x", f"DEL {key}", f"PEXPIRE {key} 40",
                                 f"RENAME {key} k1", f"GETDEL {key}", f"SETRANGE {key} 3 y"]))  # fmt: skip
        link.settle()
    again = Machine(Server())
    again.server.begin_batch(START)
    client = again.accept("127.0.0.1:1", "127.0.0.1:2")
    for told in copy.told:
        for line in [told] if isinstance(told, str) else told:
            client.feed(line.partition(" ")[2].encode() + b"\r\n")
    assert digest_of_all(again.server.keyspace) == replica.digest == primary.digest


def test_the_file_goes_on_when_the_replica_becomes_a_primary() -> None:
    primary, replica, link, _, copy = pair()
    primary.tell("SET a 1")
    link.settle()
    replica.replication.lead()
    replica.tell("SET b 2")
    primary.replication.follow("other", 1)
    assert copy.told == ["0 SET a 1", "0 SET b 2"]


def test_without_a_sink_nothing_is_kept_and_a_late_one_hears_only_what_comes() -> None:
    node, file = Node(1), File()
    node.tell("SET a 1 PX 10")
    node.at(START + 20)
    node.tell("GET a")
    journal = node.server.journal
    assert not journal.open
    assert journal.writes == []
    journal.attach(file)
    node.tell("GET a", "SET c x XX", "SET b 2")
    journal.detach(file)
    node.tell("SET d 3")
    assert file.told == ["0 SET b 2"]
