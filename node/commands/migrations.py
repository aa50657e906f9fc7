"""CLUSTER MIGRATESLOTS and its kin: slots move as a whole (valkey.io, "Atomic slot migration"; texts of Valkey 9.1).

SYNCSLOTS is what the two nodes say to each other, and what a node that takes over slots tells its replicas in the
stream. It answers only to ESTABLISH and FINISH, and to whoever has no business with it.
"""

from typing import Final

from gossamer.cluster.slots import SLOTS
from gossamer.cluster.text import text_of
from gossamer.cluster.topology import NodeId, Topology
from gossamer.node.commands.cluster import cluster_of
from gossamer.node.commands.numbers import integer_or_none
from gossamer.node.engine.clients.client import SLOT_EXPORTER
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import ADMIN, NO_ASYNC_LOADING, STALE, command
from gossamer.node.migration.migrations import Migrations, migrations_of
from gossamer.node.migration.states import FAILED, SUCCESS
from gossamer.node.resp.errors import NOT_ENOUGH_REPLICAS, SYNTAX, Refusal, one_line
from gossamer.node.resp.reply import NO_REPLY, OK, Reply

FLAGS: Final = ADMIN | STALE | NO_ASYNC_LOADING
ID_SIZE: Final = 40

FINISHED: Final = {state.value: state for state in (SUCCESS, FAILED)}

Ranges = list[tuple[int, int]]


def home(c: Call) -> Migrations:
    cluster_of(c)
    return migrations_of(c.server)


def seen(c: Call) -> Topology:
    topology = c.server.topology
    assert topology is not None
    return topology


# --- what the operator says


@command("CLUSTER|MIGRATESLOTS", arity=-4, flags=FLAGS)
def migrateslots(c: Call, argv: list[bytes]) -> Reply:
    migrations = home(c)
    refuse_start(seen(c))
    wanted: list[tuple[Ranges, NodeId]] = []
    at = 2
    while at < len(argv):
        if argv[at].upper() != b"SLOTSRANGE":
            raise Refusal(SYNTAX)
        slot_ranges, owner, at = read_ranges(argv, at + 1, seen(c))
        if owner != seen(c).me:
            raise Refusal(b"ERR Slots are not served by this node.")
        for slot in all_of(slot_ranges):
            if migrations.exporting(slot):
                raise Refusal(b"ERR I am already migrating slot %d." % slot)
        if any(overlap(one, other) for one in slot_ranges for others, _ in wanted for other in others):
            raise Refusal(b"ERR Slot ranges in migrations overlap")
        if at + 1 >= len(argv) or argv[at].upper() != b"NODE":
            raise Refusal(SYNTAX)
        wanted.append((slot_ranges, read_target(argv[at + 1], seen(c))))
        at += 2
    migrations.migrate(wanted, f"user request from '{c.client.addr}'")
    return OK


@command("CLUSTER|CANCELSLOTMIGRATIONS", arity=2, flags=FLAGS)
def cancelslotmigrations(c: Call, _: bytes) -> Reply:
    migrations = home(c)
    if not migrations.exports():
        raise Refusal(b"ERR No migrations ongoing")
    if not migrations.cancel():
        raise Refusal(b"ERR The slots have been handed over already")
    return OK


@command("CLUSTER|GETSLOTMIGRATIONS", arity=2, flags=FLAGS)
def getslotmigrations(c: Call, _: bytes) -> Reply:
    return home(c).report()


def refuse_start(topology: Topology) -> None:
    if not topology.myself.is_primary:
        raise Refusal(b"ERR Slot migration can only be used on primary nodes.")
    if topology.importing:
        raise Refusal(b"ERR Slots are being manually imported")
    if topology.migrating:
        raise Refusal(b"ERR Slots are being manually migrated")


def read_target(node: bytes, topology: Topology) -> NodeId:
    if len(node) != ID_SIZE:
        raise Refusal(one_line(b"ERR Invalid node name: %s" % node))
    target = text_of(node)
    if target not in topology.nodes:
        raise Refusal(one_line(b"ERR Unknown node name: %s" % node))
    if target == topology.me:
        raise Refusal(b"ERR Target node can not be this node.")
    return target


def read_ranges(argv: list[bytes], at: int, topology: Topology | None) -> tuple[Ranges, NodeId, int]:
    """Pairs of slots from ``at`` on, their one owner, and where the next word stands.

    Without a topology nobody has to own them: the owner is empty then.
    """
    out: Ranges = []
    owner: NodeId = ""
    while at < len(argv) and integer_or_none(argv[at]) is not None:
        first = slot_number(argv[at])
        if at + 1 >= len(argv):
            raise Refusal(b"ERR No end slot for final slot range")
        last = slot_number(argv[at + 1])
        if first > last:
            raise Refusal(b"ERR Start slot number %d is greater than end slot number %d." % (first, last))
        if topology is not None:
            owner = one_owner(topology, first, last, owner)
        for other in out:
            if overlap((first, last), other):
                raise Refusal(
                    b"ERR Slot range %d-%d overlaps with previous range %d-%d." % (first, last, other[0], other[1])
                )
        out.append((first, last))
        at += 2
    if not out:
        raise Refusal(b"ERR No slot ranges specified")
    return out, owner, at


def slot_number(word: bytes) -> int:
    slot = integer_or_none(word)
    if slot is None or not 0 <= slot < SLOTS:
        raise Refusal(b"ERR Invalid or out of range slot")
    return slot


def one_owner(topology: Topology, first: int, last: int, owner: NodeId) -> NodeId:
    """Who owns all these slots; ``owner``, if it is not empty, must be it."""
    for slot in range(first, last + 1):
        found = topology.owners[slot]
        if found is None:
            raise Refusal(b"ERR Slot %d has no node served." % slot)
        if owner and found != owner:
            raise Refusal(b"ERR Requested slots span multiple shards")
        owner = found
    return owner


def overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[1] >= other[0] and one[0] <= other[1]


def all_of(slot_ranges: Ranges) -> list[int]:
    return [slot for first, last in slot_ranges for slot in range(first, last + 1)]


# --- what the nodes say


@command("CLUSTER|SYNCSLOTS", arity=-3, flags=FLAGS)
def syncslots(c: Call, argv: list[bytes]) -> Reply:
    migrations = home(c)
    word = argv[2].upper()
    if c.privileged and not c.client.modes & SLOT_EXPORTER:
        hear_primary(migrations, word, argv)
        return OK
    if word == b"ESTABLISH":
        establish(c, migrations, argv)
        return NO_REPLY
    if word == b"CAPA":
        return NO_REPLY
    if word == b"FINISH":
        return finish(migrations, argv)
    job = migrations.import_of(c.client)
    if job is not None:
        job.hear(word, argv[3:])
        return NO_REPLY
    if word in WORDS:
        raise Refusal(b"ERR CLUSTER SYNCSLOTS %s should only be used by slot migration clients" % word)
    raise Refusal(SYNTAX)


WORDS: Final = (b"ACK", b"SNAPSHOT-EOF", b"REQUEST-PAUSE", b"PAUSED", b"REQUEST-FAILOVER", b"FAILOVER-GRANTED")


class Establishment:
    """The options of ESTABLISH, in any order."""

    def __init__(self, argv: list[bytes], topology: Topology | None) -> None:
        self.source: NodeId = ""
        self.name: str = ""
        self.slot_ranges: Ranges = []
        self.owner: NodeId = ""
        at = 3
        while at < len(argv):
            word = argv[at].upper()
            if word == b"SLOTSRANGE" and not self.slot_ranges:
                self.slot_ranges, self.owner, at = read_ranges(argv, at + 1, topology)
                continue
            if at + 1 >= len(argv) or len(argv[at + 1]) != ID_SIZE:
                raise Refusal(SYNTAX)
            if word == b"SOURCE" and not self.source:
                self.source = text_of(argv[at + 1])
                check_source(self.source, topology)
            elif word == b"NAME" and not self.name:
                self.name = text_of(argv[at + 1])
            else:
                raise Refusal(SYNTAX)
            at += 2
        if not (self.name and self.source and self.slot_ranges):
            raise Refusal(SYNTAX)


def check_source(source: NodeId, topology: Topology | None) -> None:
    if topology is None:
        return
    if source not in topology.nodes:
        raise Refusal(b"ERR Target node does not know the source node")
    if source == topology.me:
        raise Refusal(b"ERR Source node is target node itself")


def establish(c: Call, migrations: Migrations, argv: list[bytes]) -> None:
    topology = seen(c)
    refuse_start(topology)
    wanted = Establishment(argv, topology)
    if any(migrations.importing(slot) for slot in all_of(wanted.slot_ranges)):
        raise Refusal(b"ERR Slot is already being imported on the target by a different migration")
    if wanted.source != wanted.owner:
        raise Refusal(b"ERR Target node does not agree about current slot ownership")
    if len(topology.replicas_of(topology.me)) < c.server.acks.wanted:
        raise Refusal(NOT_ENOUGH_REPLICAS)  # one that is away for a moment is waited for
    c.client.send(b"+OK\r\n")
    c.privileged = True
    migrations.establish(c.client, wanted.name, wanted.source, wanted.slot_ranges)


def hear_primary(migrations: Migrations, word: bytes, argv: list[bytes]) -> None:
    """A mark in the stream of this node's primary."""
    if word == b"ESTABLISH":
        told = Establishment(argv, None)
        migrations.told_established(told.name, told.source, told.slot_ranges)
    elif word == b"COMPLETE" and len(argv) == 5:
        migrations.told_complete(text_of(argv[4]))
    elif word == b"FINISH":
        finish(migrations, argv)
    elif word == b"LEFT" and len(argv) > 7 and argv[3].upper() == b"TARGET" and argv[5].upper() == b"SLOTSRANGE":
        slot_ranges, _, _ = read_ranges(argv, 6, None)
        migrations.told_left(text_of(argv[4]), slot_ranges)


def finish(migrations: Migrations, argv: list[bytes]) -> Reply:
    """FINISH STATE s NAME n [MESSAGE m]: a primary tells how its import ended."""
    told: dict[bytes, str] = {}
    for at in range(3, len(argv), 2):
        word = argv[at].upper()
        if word not in (b"STATE", b"NAME", b"MESSAGE") or word in told or at + 1 >= len(argv):
            raise Refusal(SYNTAX)
        told[word] = text_of(argv[at + 1])
    state = FINISHED.get(told.get(b"STATE", "").lower())
    if state is None or b"NAME" not in told:
        raise Refusal(SYNTAX)
    if not migrations.told_finished(told[b"NAME"], state, told.get(b"MESSAGE", "")):
        raise Refusal(b"ERR No such slot migration job")
    return OK
