"""WAITAOF: who waits for disks, here and elsewhere, and what ends that (Redis 7.2)."""

import pytest

from gossamer.node.persist.aof.manifest import Manifest
from tests.unit.node.replication.joined import START, Link, Node, join
from tests.unit.node.saving.disk import Disk, GrowingFile

NEITHER, HERE, THERE, BOTH = (b"*2\r\n:%d\r\n:%d\r\n" % pair for pair in ((0, 0), (1, 0), (0, 1), (1, 1)))
WITHOUT_AOF = b"-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.\r\n"


class Writer(Node):
    """A node with an append-only file whose fsyncs in the background are done when the test says so."""

    def __init__(self, seed: int, appendfsync: str = "everysec") -> None:
        self.disk = Disk()
        super().__init__(seed, ("appendfsync", appendfsync), text="appendonly yes", edge=self.disk)
        self.machine.saves.aof.go_on(Manifest(), [])
        self.pass_time(10)

    def pass_time(self, seconds: float) -> None:
        self.at(START + int(seconds * 1000))
        self.machine.attend(self.server.now)
        self.work()

    def work(self) -> None:
        self.machine.drain()
        while self.machine.has_work:
            self.machine.work()
            self.machine.drain()

    @property
    def incr(self) -> GrowingFile:
        return self.disk.appended[f"appendonlydir/{self.machine.saves.aof.manifest.incrs[-1].name}"]

    def synchronize(self) -> None:
        """The fsync that was begun is done."""
        self.incr.synchronize()
        self.work()

    def heard(self) -> bytes:
        return self.client.take_output()


def test_a_write_is_waited_for_until_its_fsync() -> None:
    node = Writer(1)
    assert node.tell("WAITAOF 1 0 0") == HERE, "who has written nothing has nothing to wait for"
    node.tell("SET a 1")
    assert node.tell("WAITAOF 1 0 0") == b""
    node.synchronize()
    assert node.heard() == HERE
    node.tell("SET a 2")
    assert node.tell("WAITAOF 0 0 0") == NEITHER
    assert node.tell("MULTI", "WAITAOF 1 0 0", "EXEC").endswith(b"*1\r\n" + NEITHER)


def test_with_always_it_is_there_when_the_batch_is_done() -> None:
    node = Writer(1, "always")
    assert node.tell("SET a 1", "WAITAOF 1 0 0") == b"+OK\r\n"
    node.work()
    assert node.heard() == HERE


def test_time_and_client_unblock_end_it() -> None:
    node = Writer(1)
    node.tell("SET a 1", "WAITAOF 1 0 500")
    node.pass_time(10.6)
    assert node.heard() == NEITHER
    node.tell("WAITAOF 1 0 0")
    other = node.machine.accept("127.0.0.1:5", "127.0.0.1:2")
    other.feed(b"CLIENT UNBLOCK %d\r\n" % node.client.id)
    assert other.take_output() == b":1\r\n"
    assert node.heard() == NEITHER


def test_a_failed_fsync_is_none() -> None:
    node = Writer(1)
    node.tell("SET a 1", "WAITAOF 1 0 0")
    node.disk.fails_at = "sync"
    node.synchronize()
    assert node.heard() == b""
    node.disk.fails_at = ""
    node.pass_time(12)
    node.synchronize()
    assert node.heard() == b"", "Linux tells of it once, and may have forgotten what it was to write"
    node.pass_time(13.5)
    node.pass_time(15)
    node.synchronize()
    assert node.heard() == HERE, "written anew"


def test_who_waits_for_files_that_are_no_longer_written_is_told_so() -> None:
    node = Writer(1)
    node.tell("SET a 1", "WAITAOF 1 0 0")
    node.server.config.set([("appendonly", "no")])
    node.work()
    assert node.heard() == WITHOUT_AOF
    assert node.tell("WAITAOF 1 0 0") == WITHOUT_AOF
    assert node.tell("WAITAOF 0 0 0") == NEITHER


def test_files_count_once_their_first_base_is_there() -> None:
    node = Writer(1)
    node.tell("SET a 1")
    node.server.config.set([("appendonly", "no")])
    node.server.config.set([("appendonly", "yes")])
    assert node.tell("WAITAOF 1 0 0") == b""
    node.work()
    assert node.heard() == HERE


@pytest.mark.parametrize("policy", ["always", "everysec"])
def test_a_replica_tells_what_is_on_its_disk(policy: str) -> None:
    primary, replica = Node(1), Writer(2, policy)
    link = join(replica, primary)
    replica.work()
    assert primary.tell("SET a 1", "WAITAOF 0 1 0") == b"+OK\r\n"
    settle(link, replica)
    if policy == "everysec":
        assert primary.client.take_output() == b""
        replica.pass_time(11.5)
        replica.synchronize()
        settle(link, replica)
    assert primary.client.take_output() == THERE
    assert primary.tell("WAITAOF 1 1 0") == WITHOUT_AOF


def test_what_was_written_before_there_were_replicas_is_in_their_snapshot() -> None:
    primary, replica = Writer(1, "always"), Writer(2, "always")
    assert primary.tell("SET a 1", "WAITAOF 1 1 0") == b"+OK\r\n"
    primary.work()
    assert primary.heard() == b""
    link = join(replica, primary)
    assert primary.heard() == b"", "the replica has no base yet"
    replica.pass_time(11.5)
    settle(link, replica)
    assert primary.heard() == BOTH


def settle(link: Link, replica: Writer) -> None:
    link.settle()
    replica.work()
    link.settle()


def test_a_replica_without_files_is_none() -> None:
    primary, replica = Writer(1, "always"), Node(2)
    link = join(replica, primary)
    primary.tell("SET a 1", "WAITAOF 1 1 300")
    link.settle()
    primary.pass_time(10.4)
    assert primary.heard() == HERE
    assert replica.tell("WAITAOF 0 0 0").startswith(b"-ERR WAITAOF cannot be used with replica instances. ")


def test_both() -> None:
    primary, replica = Writer(1, "always"), Writer(2, "always")
    link = join(replica, primary)
    replica.work()
    assert primary.tell("SET a 1", "WAITAOF 1 1 0") == b"+OK\r\n"
    primary.work()
    settle(link, replica)
    assert primary.heard() == BOTH


def test_a_primary_that_follows_now_ends_it() -> None:
    node = Writer(1)
    node.tell("SET a 1", "WAITAOF 1 0 0")
    node.replication.follow("elsewhere", 1)
    assert node.heard().startswith(b"-UNBLOCKED ")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("2 0 0", "value is out of range, value must between 0 and 1"),
        ("x 0 0", "value is not an integer or out of range"),
        ("1 -1 0", "value is out of range, must be positive"),
        ("1 x 0", "value is out of range, must be positive"),
        ("1 0 -1", "timeout is negative"),
        ("1 0 x", "timeout is not an integer or out of range"),
        ("1 0 9223372036854775807", "timeout is out of range"),
    ],
)
def test_what_it_refuses(words: str, text: str) -> None:
    assert Writer(1).tell(f"WAITAOF {words}") == f"-ERR {text}\r\n".encode()
