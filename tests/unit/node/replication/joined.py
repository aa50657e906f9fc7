"""Nodes joined in memory: a replica's link to its primary, byte by byte, without a socket or a clock."""

from random import Random
from typing import Final

from gossamer.node.commands.digest import digest_of_all
from gossamer.node.config import Config, load_text
from gossamer.node.engine.edge import Edge
from gossamer.node.engine.server import Server
from gossamer.node.engine.serving.session import Session
from gossamer.node.machine import Machine
from gossamer.node.resp.requests import encoded

START: Final = 1_700_000_000_000
WRITES: Final = ("SET a 1", "SET b 2 EX 100", "SELECT 3", "APPEND c xyz", "SELECT 0", "INCRBYFLOAT f 0.5", "DEL a")


class Node:
    def __init__(self, seed: int, *settings: tuple[str, str], text: str = "", edge: Edge | None = None) -> None:
        config = Config()
        load_text(config, text, "redis.conf", lambda _: [])
        self.server = Server(config=config, edge=Edge() if edge is None else edge)
        self.server.rng = Random(seed)
        for name, value in settings:
            self.server.config.set([(name, value)])
        self.machine = Machine(self.server)
        self.replication = self.machine.replication
        self.at(START)
        self.client = self.machine.accept("127.0.0.1:1", "127.0.0.1:2")

    def at(self, now: int) -> None:
        self.server.begin_batch(now)

    def tell(self, *requests: str) -> bytes:
        """The replies of one client."""
        for request in requests:
            self.client.feed(encoded([word.encode() for word in request.split()]))
        self.machine.drain()
        return self.client.take_output()

    @property
    def digest(self) -> bytes:
        return digest_of_all(self.server.keyspace)

    @property
    def history(self) -> tuple[str, int]:
        return self.replication.history.replid, self.replication.offset


class Link:
    """The connection of ``replica``, which follows already, to ``primary``."""

    def __init__(self, replica: Node, primary: Node, piece: int = 1 << 16) -> None:
        primary_link = replica.replication.primary_link
        assert primary_link is not None
        self.primary_link = primary_link
        self.replica = replica
        self.primary = primary
        self.session: Session = primary.machine.accept("127.0.0.1:9", "127.0.0.1:2")
        self.piece = piece
        """At most so many bytes arrive at once."""
        self.primary_link.connecting()
        self.primary_link.connected_to()

    def step(self) -> bool:
        """Carry what either has to say, and let the primary go on with a snapshot; False if all was quiet."""
        said = self.primary_link.take_output()
        if said and not self.session.closing:
            self.session.feed(said)
        self.primary.machine.drain()
        busy = self.primary.machine.has_work
        if busy:
            self.primary.machine.work()
        heard = self.session.take_output()
        for at in range(0, len(heard), self.piece):
            self.primary_link.receive(heard[at : at + self.piece])
        self.replica.machine.drain()
        return bool(said or heard or busy)

    def settle(self) -> None:
        while self.step():
            assert not self.primary_link.failure, self.primary_link.failure

    def cut(self) -> None:
        self.primary.machine.leave(self.session)
        self.primary_link.disconnected()


def join(replica: Node, primary: Node, piece: int = 1 << 16) -> Link:
    """``replica`` follows ``primary`` and is in step."""
    replica.replication.follow("primary", id(primary) % 60000)
    link = Link(replica, primary, piece)
    link.settle()
    return link


def same(*nodes: Node) -> None:
    first = nodes[0]
    assert first.digest != b"0" * 40
    for node in nodes[1:]:
        assert node.history == first.history
        assert node.digest == first.digest


class Told(Edge):
    """Keeps what is logged."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.ended: list[str] = []

    def log(self, level: str, text: str) -> None:
        self.lines.append(text)

    def fail(self, reason: str) -> None:
        self.ended.append(reason)
