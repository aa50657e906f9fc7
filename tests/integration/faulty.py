"""A node with faults of its own, for tests of what these may cost: run as ``python -m tests.integration.faulty``.

It has a few commands more, which raise what nobody expects, at different moments.
"""

import sys
from typing import Final

from gossamer.cluster.topology import NodeId
from gossamer.gossip.effects import Dial
from gossamer.gossip.events import Forget
from gossamer.gossip.packet import Packet, decode
from gossamer.node.commands.strings import get
from gossamer.node.engine.data.changes import SET
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import READONLY, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, INSERT, RO, RW, first
from gossamer.node.io import bus, migrate
from gossamer.node.io.serve import main
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
    """Lets the next message of the bus, the next MIGRATE, or the next dial of the bus raise."""
    ARMED.add(name.decode())
    return OK


class Unhashable(NodeId):
    __hash__ = None  # type: ignore[assignment]


sound_dial = bus.Bus.dial


def come_up(name: str) -> None:
    if name in ARMED:
        ARMED.remove(name)
        raise Fault(name)


def faulty_decode(frame: bytes) -> Packet | None:
    come_up("bus")
    return decode(frame)


def faulty_dial(self: bus.Bus, dial: Dial) -> None:
    come_up("dial")
    sound_dial(self, dial)


class FaultyMigrateConnection(migrate.MigrateConnection):
    async def carry(self, transfer: object) -> None:
        come_up("migrate")
        await super().carry(transfer)  # type: ignore[arg-type]


if __name__ == "__main__":
    bus.decode = faulty_decode  # type: ignore[attr-defined]
    bus.Bus.dial = faulty_dial  # type: ignore[method-assign]
    migrate.MigrateConnection = FaultyMigrateConnection  # type: ignore[misc]
    sys.exit(main(sys.argv[1:]))
