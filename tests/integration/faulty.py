"""A node with faults of its own, for tests of what these may cost: run as ``python -m tests.integration.faulty``.

It has a few commands more, which raise what nobody expects, at different moments.
"""

import sys
from typing import Final

from gossamer.cluster.topology import NodeId
from gossamer.gossip.effects import Dial
from gossamer.gossip.events import Forget
from gossamer.gossip.packet import Packet, decode, encode
from gossamer.node.commands.strings import get
from gossamer.node.engine.data.changes import SET
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import READONLY, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, INSERT, RO, RW, first
from gossamer.node.io import bus, clients, migrate
from gossamer.node.io.keepalive import HasOptions, keep_alive
from gossamer.node.io.lookup import Lookup
from gossamer.node.io.serve import main
from gossamer.node.outgoing.carrier import Carrier
from gossamer.node.resp.reply import OK, Reply

READ_KEY: Final = first(RO, ACCESS)
WRITTEN_KEY: Final = first(RW, INSERT)

ARMED: Final[set[str]] = set()
"""Faults that come up once more."""


class Fault(Exception):
    """What nobody expects."""


@command("FAULT.READ", arity=2, flags=READONLY, keys=READ_KEY)
def read(c: Call, key: bytes) -> Reply:
    """Raises while it reads."""
    raise Fault(get(c, key))


@command("FAULT.EARLY", arity=3, flags=WRITE, keys=WRITTEN_KEY)
def early(c: Call, key: bytes, value: bytes) -> Reply:
    """Raises before it changes anything."""
    raise Fault("early")


@command("FAULT.LATE", arity=3, flags=WRITE, keys=WRITTEN_KEY)
def late(c: Call, key: bytes, value: bytes) -> Reply:
    """Raises when it has changed something."""
    c.store(key, value, SET)
    raise Fault("late")


@command("FAULT.STREAM", arity=3, flags=WRITE, keys=WRITTEN_KEY)
def stream(c: Call, key: bytes, value: bytes) -> Reply:
    """Works on a primary, and raises when it comes in the stream."""
    if c.privileged:
        raise Fault("in the stream")
    c.store(key, value, SET)
    return OK


@command("FAULT.GOSSIP", arity=1)
def gossip(c: Call) -> Reply:
    """Raises in the midst of the agreement."""
    assert c.server.cluster is not None
    c.server.cluster.execute(Forget(Unhashable()))
    return OK


@command("FAULT.ARM", arity=2)
def arm(c: Call, name: bytes) -> Reply:
    """Lets what is called ``name`` raise when it comes next: see the end of this file."""
    ARMED.add(name.decode())
    return OK


class Unhashable(NodeId):
    __hash__ = None  # type: ignore[assignment]


sound_dial = bus.Bus.dial
sound_heard = Carrier.heard
sound_lookup = Lookup.addresses


def come_up(name: str) -> None:
    if name in ARMED:
        ARMED.remove(name)
        raise Fault(name)


def faulty_decode(frame: bytes) -> Packet | None:
    come_up("bus")
    return decode(frame)


def faulty_encode(packet: Packet) -> bytes:
    come_up("send")
    return encode(packet)


async def faulty_lookup(self: Lookup, hostname: str) -> tuple[str, ...]:
    come_up("lookup")
    return await sound_lookup(self, hostname)


def faulty_heard(self: Carrier, data: bytes) -> float:
    come_up("carry")
    return sound_heard(self, data)


def faulty_keep_alive(sock: HasOptions, seconds: int) -> None:
    come_up("accept")
    keep_alive(sock, seconds)


def faulty_dial(self: bus.Bus, dial: Dial) -> None:
    come_up("dial")
    sound_dial(self, dial)


class FaultyMigrateConnection(migrate.MigrateConnection):
    async def carry(self, transfer: object) -> None:
        come_up("migrate")
        await super().carry(transfer)  # type: ignore[arg-type]


if __name__ == "__main__":
    bus.decode = faulty_decode  # type: ignore[attr-defined]
    bus.encode = faulty_encode  # type: ignore[attr-defined]
    bus.Bus.dial = faulty_dial  # type: ignore[method-assign]
    Lookup.addresses = faulty_lookup  # type: ignore[method-assign]
    Carrier.heard = faulty_heard  # type: ignore[method-assign]
    clients.keep_alive = faulty_keep_alive  # type: ignore[attr-defined]
    migrate.MigrateConnection = FaultyMigrateConnection  # type: ignore[misc]
    sys.exit(main(sys.argv[1:]))
