"""CLUSTER: the operator's door to the agreement (redis.io, "CLUSTER ..."; cluster.c, clusterCommand in Redis 7.0).

What only the arguments can get wrong is refused here, in Redis' words and order; everything else is a command, and the
gossip grants or refuses it. Replies about the cluster are made by ``gossamer.cluster.reports`` from a snapshot.
"""

from functools import partial
from typing import Literal

from gossamer.cluster import reports
from gossamer.cluster.slots import SLOTS, key_slot
from gossamer.cluster.text import bytes_of, text_of
from gossamer.cluster.topology import Topology
from gossamer.gossip.events import (
    AddSlots,
    BumpEpoch,
    ClusterCommand,
    DelSlots,
    Failover,
    FlushSlots,
    Forget,
    Meet,
    Replicate,
    Reset,
    SaveConfig,
    SetConfigEpoch,
    SetSlot,
)
from gossamer.node.commands.numbers import integer_or_none
from gossamer.node.engine.clients.client import IN_MULTI
from gossamer.node.engine.ports.cluster import ClusterPort
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import ADMIN, LOADING, NO_ASYNC_LOADING, NOSCRIPT, STALE, command
from gossamer.node.migration.migrations import migrations_of
from gossamer.node.replication.replication import replication_of
from gossamer.node.resp.errors import CLUSTER_DISABLED, SYNTAX, Refusal
from gossamer.node.resp.reply import NO_REPLY, Reply, Status, Verbatim


def cluster_of(c: Call) -> ClusterPort:
    found = c.server.cluster
    if found is None:
        raise Refusal(CLUSTER_DISABLED)
    return found


def granted(c: Call, command: ClusterCommand) -> Status:
    return Status(bytes_of(cluster_of(c).execute(command)))


def topology(c: Call) -> Topology:
    return cluster_of(c).snapshot()


def slot_number(text: bytes) -> int:
    slot = integer_or_none(text)
    if slot is None or not 0 <= slot < SLOTS:
        raise Refusal(b"ERR Invalid or out of range slot")
    return slot


def slot_list(argv: list[bytes]) -> tuple[int, ...]:
    return tuple([slot_number(arg) for arg in argv[2:]])


def slot_ranges(argv: list[bytes], name: str) -> tuple[int, ...]:
    if len(argv) % 2:
        raise Refusal(b"ERR wrong number of arguments for '%s' command" % bytes_of(name))
    slots: list[int] = []
    for at in range(2, len(argv), 2):
        start, end = slot_number(argv[at]), slot_number(argv[at + 1])
        if start > end:
            raise Refusal(b"ERR start slot number %d is greater than end slot number %d" % (start, end))
        slots += range(start, end + 1)
    return tuple(slots)


CONTAINER = "CLUSTER"


@command(CONTAINER, arity=-2)
def cluster(c: Call, argv: list[bytes]) -> Reply:
    raise AssertionError("dispatch refuses a container without its subcommand")


# --- membership


@command("CLUSTER|MEET", arity=-4, flags=ADMIN | STALE | NO_ASYNC_LOADING)
def meet(c: Call, argv: list[bytes]) -> Reply:
    cluster_of(c)
    if len(argv) > 5:
        raise Refusal(b"ERR wrong number of arguments for 'cluster|meet' command")
    port = integer_or_none(argv[3])
    if port is None:
        raise Refusal(b"ERR Invalid TCP base port specified: %s" % argv[3])
    cport: int | None = None
    if len(argv) == 5:
        cport = integer_or_none(argv[4])
        if cport is None:
            raise Refusal(b"ERR Invalid TCP bus port specified: %s" % argv[4])
    return granted(c, Meet(text_of(argv[2]), port, cport))


@command("CLUSTER|FORGET", arity=3, flags=ADMIN | STALE | NO_ASYNC_LOADING)
def forget(c: Call, _: bytes, node_id: bytes) -> Reply:
    return granted(c, Forget(text_of(node_id)))


@command("CLUSTER|RESET", arity=-2, flags=ADMIN | STALE | NOSCRIPT)
def reset(c: Call, argv: list[bytes]) -> Reply:
    cluster_of(c)
    if len(argv) > 3:
        raise Refusal(b"ERR wrong number of arguments for 'cluster|reset' command")
    mode = argv[2].lower() if len(argv) == 3 else b"soft"
    if mode not in (b"soft", b"hard"):
        raise Refusal(SYNTAX)
    return granted(c, Reset(mode == b"hard", c.db.size))


@command("CLUSTER|SAVECONFIG", arity=2, flags=ADMIN | STALE | NO_ASYNC_LOADING)
def saveconfig(c: Call, _: bytes) -> Reply:
    return granted(c, SaveConfig())


# --- roles


@command("CLUSTER|REPLICATE", arity=3, flags=ADMIN | STALE | NO_ASYNC_LOADING)
def replicate(c: Call, _: bytes, node_id: bytes) -> Reply:
    return granted(c, Replicate(text_of(node_id), c.db.size))


@command("CLUSTER|FAILOVER", arity=-2, flags=ADMIN | STALE | NO_ASYNC_LOADING)
def failover(c: Call, argv: list[bytes]) -> Reply:
    cluster_of(c)
    if c.privileged and [word.upper() for word in argv[2:4]] == [b"FORCE", b"REPLICAID"] and len(argv) == 5:
        # A primary that is about to end tells its replicas in the stream which of them is to take over (Valkey 9.1).
        assert c.server.topology is not None
        return granted(c, Failover("force")) if argv[4] == bytes_of(c.server.topology.me) else Status(b"OK")
    if len(argv) > 3:
        raise Refusal(b"ERR unknown subcommand or wrong number of arguments for '%s'. Try CLUSTER HELP." % argv[1])
    if len(argv) == 2:
        return granted(c, Failover())
    how = argv[2].lower()
    if how == b"force":
        return granted(c, Failover("force"))
    if how == b"takeover":
        return granted(c, Failover("takeover"))
    raise Refusal(SYNTAX)


# --- epochs


@command("CLUSTER|BUMPEPOCH", arity=2, flags=ADMIN | STALE | NO_ASYNC_LOADING)
def bumpepoch(c: Call, _: bytes) -> Reply:
    return granted(c, BumpEpoch())


@command("CLUSTER|SET-CONFIG-EPOCH", arity=3, flags=ADMIN | STALE | NO_ASYNC_LOADING)
def set_config_epoch(c: Call, _: bytes, epoch: bytes) -> Reply:
    cluster_of(c)
    value = integer_or_none(epoch)
    if value is None:
        raise Refusal(b"ERR value is not an integer or out of range")
    if value < 0:
        raise Refusal(b"ERR Invalid config epoch specified: %d" % value)
    return granted(c, SetConfigEpoch(value))


# --- slots


@command("CLUSTER|ADDSLOTS", arity=-3, flags=ADMIN | STALE | NO_ASYNC_LOADING)
def addslots(c: Call, argv: list[bytes]) -> Reply:
    cluster_of(c)
    return granted(c, AddSlots(slot_list(argv)))


@command("CLUSTER|ADDSLOTSRANGE", arity=-4, flags=ADMIN | STALE | NO_ASYNC_LOADING)
def addslotsrange(c: Call, argv: list[bytes]) -> Reply:
    cluster_of(c)
    return granted(c, AddSlots(slot_ranges(argv, "cluster|addslotsrange")))


@command("CLUSTER|DELSLOTS", arity=-3, flags=ADMIN | STALE | NO_ASYNC_LOADING)
def delslots(c: Call, argv: list[bytes]) -> Reply:
    cluster_of(c)
    return granted(c, DelSlots(slot_list(argv)))


@command("CLUSTER|DELSLOTSRANGE", arity=-4, flags=ADMIN | STALE | NO_ASYNC_LOADING)
def delslotsrange(c: Call, argv: list[bytes]) -> Reply:
    cluster_of(c)
    return granted(c, DelSlots(slot_ranges(argv, "cluster|delslotsrange")))


@command("CLUSTER|FLUSHSLOTS", arity=2, flags=ADMIN | STALE | NO_ASYNC_LOADING)
def flushslots(c: Call, _: bytes) -> Reply:
    return granted(c, FlushSlots(c.db.size))


@command("CLUSTER|SETSLOT", arity=-4, flags=ADMIN | STALE | NO_ASYNC_LOADING)
def setslot(c: Call, argv: list[bytes]) -> Reply:
    if c.privileged:
        return granted(c, told_by_primary(argv))
    if not topology(c).myself.is_primary:
        raise Refusal(b"ERR Please use SETSLOT only with masters.")
    migrations = migrations_of(c.server)
    if migrations.all_imports():
        raise Refusal(b"ERR Slot import in progress.")
    if migrations.exports():
        raise Refusal(b"ERR Slot export in progress.")
    slot = slot_number(argv[2])
    keys = c.db.count_in_slot(slot)
    command = SetSlot(slot, action_in(argv), text_of(argv[4]) if len(argv) == 5 else "", keys)
    view = topology(c)
    arrives = command.action == "node" and command.node == view.me and slot in view.importing
    if arrives and c.server.acks.wanted and not c.client.modes & IN_MULTI:
        # The claim needs nobody's vote: a primary that has been replaced, and does not know, must not make it.
        replication_of(c.server).replicas.when_acknowledged(c.client, partial(set_slot, c, command))
        return NO_REPLY
    return set_slot(c, command)


def set_slot(c: Call, command: SetSlot) -> Reply:
    reply = granted(c, command)
    replication_of(c.server).replicas.tell_open_slot(command.slot, command.action, command.node)
    return reply


def action_in(argv: list[bytes]) -> Literal["migrating", "importing", "stable", "node"]:
    action = argv[3].lower()
    if action == b"stable" and len(argv) == 4:
        return "stable"
    if len(argv) == 5:
        if action == b"migrating":
            return "migrating"
        if action == b"importing":
            return "importing"
        if action == b"node":
            return "node"
    raise Refusal(b"ERR Invalid CLUSTER SETSLOT action or number of arguments. Try CLUSTER HELP")


def told_by_primary(argv: list[bytes]) -> SetSlot:
    """In the stream of a primary: what it has open, in case this replica takes over. Valkey's TIMEOUT is its own."""
    argv = argv[: 4 if argv[3].lower() == b"stable" else 5]
    return SetSlot(slot_number(argv[2]), action_in(argv), text_of(argv[4]) if len(argv) == 5 else "", from_primary=True)


@command("CLUSTER|KEYSLOT", arity=3, flags=STALE)
def keyslot(c: Call, _: bytes, key: bytes) -> Reply:
    cluster_of(c)
    return key_slot(key)


@command("CLUSTER|COUNTKEYSINSLOT", arity=3, flags=STALE)
def countkeysinslot(c: Call, _: bytes, slot: bytes) -> Reply:
    cluster_of(c)
    number = integer_or_none(slot)
    if number is None:
        raise Refusal(b"ERR value is not an integer or out of range")
    if not 0 <= number < SLOTS:
        raise Refusal(b"ERR Invalid slot")
    return c.db.count_in_slot(number)


@command("CLUSTER|GETKEYSINSLOT", arity=4, flags=STALE)
def getkeysinslot(c: Call, _: bytes, slot: bytes, count: bytes) -> Reply:
    cluster_of(c)
    number, most = integer_or_none(slot), integer_or_none(count)
    if number is None or most is None:
        raise Refusal(b"ERR value is not an integer or out of range")
    if not 0 <= number < SLOTS or most < 0:
        raise Refusal(b"ERR Invalid slot or number of keys")
    return list(c.db.keys_in_slot(number)[:most])


# --- reports


@command("CLUSTER|NODES", arity=2, flags=STALE)
def nodes(c: Call, _: bytes) -> Reply:
    return Verbatim(bytes_of(reports.nodes_text(topology(c))))


@command("CLUSTER|SLOTS", arity=2, flags=LOADING | STALE)
def slots(c: Call, _: bytes) -> Reply:
    return reports.slots(topology(c), c.server.policy.preferred_endpoint)


@command("CLUSTER|SHARDS", arity=2, flags=LOADING | STALE)
def shards(c: Call, _: bytes) -> Reply:
    return reports.shards(topology(c), c.server.policy.preferred_endpoint)


@command("CLUSTER|INFO", arity=2, flags=STALE)
def info(c: Call, _: bytes) -> Reply:
    seen = cluster_of(c)
    report = reports.info(seen.snapshot(), seen.messages_sent(), seen.messages_received(), seen.links_over_limit())
    return Verbatim(bytes_of(report))


@command("CLUSTER|LINKS", arity=2, flags=STALE)
def links(c: Call, _: bytes) -> Reply:
    return reports.links(cluster_of(c).links())


@command("CLUSTER|MYID", arity=2, flags=STALE)
def myid(c: Call, _: bytes) -> Reply:
    return topology(c).me


@command("CLUSTER|MYSHARDID", arity=2, flags=LOADING | STALE)
def myshardid(c: Call, _: bytes) -> Reply:
    return topology(c).myself.shard_id


def replica_lines(c: Call, node_id: bytes) -> Reply:
    seen = topology(c)
    node = seen.nodes.get(text_of(node_id))
    if node is None:
        raise Refusal(b"ERR Unknown node %s" % node_id)
    if not node.is_primary:
        raise Refusal(b"ERR The specified node is not a master")
    return reports.replica_lines(seen, node.id)


@command("CLUSTER|REPLICAS", arity=3, flags=ADMIN | STALE)
def replicas(c: Call, _: bytes, node_id: bytes) -> Reply:
    return replica_lines(c, node_id)


@command("CLUSTER|SLAVES", arity=3, flags=ADMIN | STALE)
def slaves(c: Call, _: bytes, node_id: bytes) -> Reply:
    return replica_lines(c, node_id)


@command("CLUSTER|COUNT-FAILURE-REPORTS", arity=3, flags=ADMIN | STALE)
def count_failure_reports(c: Call, _: bytes, node_id: bytes) -> Reply:
    count = cluster_of(c).failure_reports(text_of(node_id))
    if count is None:
        raise Refusal(b"ERR Unknown node %s" % node_id)
    return count


HELP = """\
CLUSTER <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
ADDSLOTS <slot> [<slot> ...]
    Make this node the owner of the slots.
ADDSLOTSRANGE <start slot> <end slot> [<start slot> <end slot> ...]
    Make this node the owner of the ranges of slots, both ends included.
BUMPEPOCH
    Give this node the largest config epoch of the cluster.
CANCELSLOTMIGRATIONS
    End the migrations of slots away from this node that are not handed over yet.
COUNT-FAILURE-REPORTS <node-id>
    Count the failure reports on a node that still hold.
COUNTKEYSINSLOT <slot>
    Count the keys of a slot.
DELSLOTS <slot> [<slot> ...]
    Make the slots belong to nobody.
DELSLOTSRANGE <start slot> <end slot> [<start slot> <end slot> ...]
    Make the ranges of slots belong to nobody, both ends included.
FAILOVER [FORCE|TAKEOVER]
    Make this replica a primary: with its primary's help, by a vote alone, or without asking anybody.
FLUSHSLOTS
    Give up all slots of this node, which must be empty.
FORGET <node-id>
    Remove a node from the cluster, as this node sees it.
GETKEYSINSLOT <slot> <count>
    List keys of a slot.
GETSLOTMIGRATIONS
    List the migrations of slots from and to this node, the newest first.
INFO
    Show the state of the cluster.
KEYSLOT <key>
    Show the slot of a key.
LINKS
    List the bus connections of this node: direction, node, create-time, events, buffer sizes.
MEET <ip> <port> [<bus-port>]
    Shake hands with a node.
MIGRATESLOTS SLOTSRANGE <start slot> <end slot> [<start slot> <end slot> ...] NODE <node-id> [SLOTSRANGE ...]
    Move slots of this node with all their keys, at one stroke, to other nodes.
MYID
    Show the id of this node.
MYSHARDID
    Show the id of this node's shard.
NODES
    Show the cluster, a line each node:
    <id> <ip:port@bus-port[,hostname]> <flags> <primary> <pings> <pongs> <epoch> <link> <slot> ...
REPLICAS <node-id>
    List the replicas of a node.
REPLICATE <node-id>
    Make this node a replica of a primary.
RESET [HARD|SOFT]
    Forget the cluster; HARD also takes a new id. SOFT is the default.
SAVECONFIG
    Write nodes.conf.
SET-CONFIG-EPOCH <epoch>
    Set the config epoch of a node that knows no other.
SETSLOT <slot> (IMPORTING <node-id>|MIGRATING <node-id>|STABLE|NODE <node-id>)
    Open a slot, close it, or give it to a node.
SHARDS
    List the shards, their slots and their nodes.
SLOTS
    List the ranges of slots and the nodes that serve them.
HELP
    Print this help."""


@command("CLUSTER|HELP", arity=2, flags=LOADING | STALE)
def help_(c: Call, _: bytes) -> Reply:
    cluster_of(c)
    return [Status(bytes_of(line)) for line in HELP.splitlines()]
