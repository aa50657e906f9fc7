"""What Redis 7.0.15 said to a replica made by hand: ours says the same, but for ids, offsets and the RDB's remarks."""

import json
import re
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from gossamer.node.engine.data.keyspace import Keyspace
from gossamer.node.persist.load import Loader
from gossamer.node.persist.reader import RdbReader
from gossamer.node.resp.requests import encoded
from tests.unit.node.replication.joined import START, Node

RECORD = Path(__file__).parents[3] / "vectors" / "repl" / "handmade-redis-7.0.15.json"
RUNS: list[dict[str, Any]] = json.loads(RECORD.read_text())["runs"]
RDB_START = re.compile(rb"\$(?:EOF:(?P<mark>[0-9a-f]{40})|(?P<length>[0-9]+))\r\n")
CLOSED = b"<closed>"
"""How the record tells that the connection ended."""
VARIES = re.compile(rb"[0-9a-f]{40} [0-9]+")


def parted(reply: bytes) -> tuple[bytes, list[bytes] | None]:
    """What comes before the RDB, and the keys in it; None if there is none."""
    begin = RDB_START.search(reply)
    if begin is None:
        return reply, None
    head = VARIES.sub(b"<id> <offset>", reply[: begin.start()]).lstrip(b"\n")
    mark = begin["mark"]
    rdb = reply[begin.end() :]
    reader = RdbReader()
    loader = Loader(Keyspace(16), START, True)
    loader.take(reader.feed(rdb))
    assert reader.done
    if mark is not None:
        assert reader.rest.removesuffix(CLOSED) == mark, "the mark ends it"
    else:
        assert reader.offset == int(begin["length"])
        assert reader.rest.replace(b"*1\r\n$4\r\nping\r\n", b"") == b""
    form = b"streamed" if mark is not None else b"with length"
    form += CLOSED if reader.rest.endswith(CLOSED) else b""
    return head + form, sorted(loader.keyspace.database(0).keys())


@pytest.mark.parametrize("run", RUNS, ids=[run["name"] for run in RUNS])
def test_the_same_replies(run: dict[str, Any]) -> None:
    node = Node(1)
    node.tell("SET k v")
    session = node.machine.accept("127.0.0.1:9", "127.0.0.1:2")
    for step in run["steps"]:
        session.feed(encoded([word.encode() for word in step["send"]]))
        node.machine.drain()
        while node.machine.has_work:
            node.machine.work()
        ours = session.take_output() + (CLOSED if session.closing else b"")
        theirs = b64decode(step["recv_b64"])
        if step["send"][:2] == ["REPLCONF", "version"]:  # Redis does not know it: as Valkey
            theirs = b"-ERR Unrecognized version format: junk\r\n" if step["send"][2] == "junk" else b"+OK\r\n"
        assert parted(ours) == parted(theirs), step["send"]
