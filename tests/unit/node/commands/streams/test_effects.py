"""Whoever runs what the journal tells has the same streams and groups."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gossamer.node.engine.stream.sink import Sink, Write
from gossamer.node.types.streams.pending import PendingCursor
from gossamer.node.types.streams.stream import Stream
from tests.compat.test_streams import COMMANDS, is_fair
from tests.unit.node.commands.one import One

NOW = 1_000_000


class Told(Sink):
    def __init__(self) -> None:
        self.by_slot = False
        self.data = b""
        self.groups: list[int] = []

    def write(self, db: int, data: bytes, slot: int) -> None:
        self.data += data
        self.groups.append(1)

    def group(self, writes: list[Write]) -> None:
        self.data += b"".join(write.data for write in writes)
        self.groups.append(len(writes))

    def words(self) -> list[str]:
        """The requests, a line each."""
        parts = self.data.split(b"\r\n")
        lines: list[list[str]] = []
        for at, part in enumerate(parts):
            if part.startswith(b"*") and (at == 0 or not parts[at - 1].startswith(b"$")):
                lines.append([])
            elif part.startswith(b"$"):
                lines[-1].append(parts[at + 1].decode())
        self.data = b""
        return [" ".join(line) for line in lines]


def node() -> tuple[One, Told]:
    one, told = One(), Told()
    one.server.journal.attach(told)
    return one, told


def held(one: One, key: bytes) -> object:
    """All that two nodes must agree on."""
    stream = one.stored(key)
    if not isinstance(stream, Stream):
        return stream
    cursor = stream.cursor()
    entries = []
    while cursor.next():
        entries.append((cursor.id, cursor.pairs()))
    groups = []
    for name in sorted(stream.groups):
        group = stream.groups[name]
        pending = PendingCursor(group.pending, 0)
        nacks = []
        while pending.next():
            nack = pending.nack
            nacks.append((pending.id, nack.owner, nack.delivered_ms, nack.deliveries))
        groups.append((name, group.last_id, group.entries_read, sorted(group.consumers), nacks))
    return entries, stream.last_id, stream.max_deleted_id, stream.entries_added, groups


def is_told(request: tuple[bytes, ...]) -> bool:
    """Redis tells nobody that a consumer has been given its own entries again, nor how often that was."""
    return is_fair(request) and (request[0] != b"XREADGROUP" or request[-1] == b">")


@settings(suppress_health_check=list(HealthCheck))
@given(program=st.lists(COMMANDS.filter(is_told), max_size=60))
def test_what_is_told_makes_the_same_streams(program: list[tuple[bytes, ...]]) -> None:
    one, told = node()
    replica = One()
    one.say("XGROUP", "CREATE", "a", "g", "0", "MKSTREAM")
    for number, request in enumerate(program):
        one.server.begin_batch(NOW + number)
        one.say(*request)
    replica.server.begin_batch(NOW + 5000)
    replica.session.feed(told.data)
    assert b"-" not in [line[:1] for line in replica.session.take_output().split(b"\r\n")]
    for key in (b"a", b"b"):
        assert held(replica, key) == held(one, key)


def test_ids_and_lengths_are_told_as_they_turned_out() -> None:
    one, told = node()
    one.say("XADD", "s", "*", "f", "v")
    one.say("XADD", "s", "1000000-*", "f", "v")
    one.say("xadd", "s", "MAXLEN", "~", "1", "LIMIT", "9", "*", "f", "v")
    one.say("XADD", "s", "MAXLEN", "2", "9999999-1", "f", "v")
    one.say("XADD", "s", "MINID", "~", "5000000", "9999999-*", "f", "v")
    one.say("XTRIM", "s", "MINID", "~", "5000000")
    assert told.words() == [
        "XADD s 1000000-0 f v",
        "XADD s 1000000-1 f v",
        "XADD s MAXLEN = 3 1000000-2 f v",
        "XADD s MAXLEN 2 9999999-1 f v",
        "XADD s MINID = 1000000-2 9999999-2 f v",
    ]


def test_a_delivery_is_told_by_each_entry_and_how_far_the_group_is() -> None:
    one, told = node()
    one.say("XADD", "s", "1-0", "f", "v")
    one.say("XADD", "s", "2-0", "f", "v")
    one.say("XGROUP", "CREATE", "s", "g", "0")
    told.words()
    told.groups.clear()
    one.say("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">")
    assert told.words() == [
        "XCLAIM s g c 0 1-0 TIME 1000000 RETRYCOUNT 1 FORCE JUSTID LASTID 1-0",
        "XCLAIM s g c 0 2-0 TIME 1000000 RETRYCOUNT 1 FORCE JUSTID LASTID 2-0",
        "XGROUP SETID s g 2-0 ENTRIESREAD 2",
    ]
    assert told.groups == [3], "they are one group, which is MULTI and EXEC to others"


def test_consumers_without_entries_are_told() -> None:
    one, told = node()
    one.say("XGROUP", "CREATE", "s", "g", "0", "MKSTREAM")
    told.words()
    one.say("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">")
    one.say("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", "0")
    one.say("XCLAIM", "s", "g", "d", "0", "1-0")
    one.say("XREADGROUP", "GROUP", "g", "e", "BLOCK", "0", "STREAMS", "s", ">")
    assert told.words() == [f"XGROUP CREATECONSUMER s g {name}" for name in "cde"]


def test_entries_that_were_deleted_are_told_to_be_pending_no_longer() -> None:
    one, told = node()
    one.say("XADD", "s", "1-0", "f", "v")
    one.say("XGROUP", "CREATE", "s", "g", "0")
    one.say("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">")
    one.say("XDEL", "s", "1-0")
    told.words()
    assert one.say("XAUTOCLAIM", "s", "g", "c", "0", "0") == b"*3\r\n$3\r\n0-0\r\n*0\r\n*1\r\n$3\r\n1-0\r\n"
    assert told.words() == ["XCLAIM s g c 0 1-0 TIME 1000000 RETRYCOUNT 1 FORCE JUSTID LASTID 1-0"]
