"""A primary that begins with its file goes on with the stream: its replicas have no more and no less than it has."""

from gossamer.node.saving.rdb_load import RdbLoad
from tests.unit.node.replication.joined import START, Link, Node, join
from tests.unit.node.saving.disk import Disk


def restarted(data: bytes, later_ms: int, **settings: str) -> Node:
    """A node that begins with the file, so long after the start."""
    node = Node(3, *[(name.replace("_", "-"), value) for name, value in settings.items()])
    node.at(START + later_ms)
    load = RdbLoad(node.server, node.replication, "dump.rdb", len(data))
    load.feed(data)
    load.finish(node.machine.saves)
    node.machine.drain()
    return node


def test_keys_whose_time_was_over_are_gone_on_replicas_too() -> None:
    disk = Disk()
    primary, replica = Node(1, edge=disk), Node(2)
    link = join(replica, primary)
    primary.tell("SET a 1", "SET b 2 PX 10", "SELECT 7", "SET c 3 PX 10", "SET d 4")
    link.settle()
    primary.at(START + 20)
    assert primary.tell("SAVE") == b"+OK\r\n"
    link.cut()
    again = restarted(disk.files["dump.rdb"], 30)
    assert (again.machine.saves.loaded_keys, again.machine.saves.loaded_expired) == (2, 2)
    Link(replica, again).settle()
    assert again.server.stats.partial_syncs == 1
    assert (again.history, again.digest) == (replica.history, replica.digest)
    assert replica.tell("DBSIZE") == b":1\r\n"
    again.tell("SET e 5")


def test_more_of_them_than_the_backlog_holds_take_a_full_sync() -> None:
    disk = Disk()
    primary, replica = Node(1, edge=disk), Node(2)
    link = join(replica, primary)
    primary.tell(*[f"SET k:{number} v PX 10" for number in range(2000)], "SET a 1")
    link.settle()
    primary.tell("SAVE")
    link.cut()
    again = restarted(disk.files["dump.rdb"], 30, repl_backlog_size="16384")
    Link(replica, again).settle()
    assert again.server.stats.partial_syncs == 0
    assert (again.history, again.digest) == (replica.history, replica.digest)


def test_a_file_without_a_place_in_a_stream_is_told_to_nobody() -> None:
    disk = Disk()
    primary = Node(1, edge=disk)
    primary.tell("SET a 1", "SET b 2 PX 10", "SAVE")
    again = restarted(disk.files["dump.rdb"], 30)
    assert again.replication.offset == 0
    assert again.machine.saves.loaded_expired == 1
