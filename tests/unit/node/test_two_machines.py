"""Two machines in one process share nothing that changes: whatever both can reach is looked at, object by object."""

import gc
from collections import deque
from enum import Enum
from random import Random
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType, NoneType
from typing import Final

import pytest
from attrs.exceptions import FrozenInstanceError

from gossamer.cluster.slots import SLOTS
from gossamer.cluster.topology import Flag, Node, Topology
from gossamer.gossip import election, manual_failover
from gossamer.gossip.config import GossipConfig
from gossamer.gossip.core import Gossip
from gossamer.gossip.events import AddSlots, Woke
from gossamer.node.engine.clients.waiting import REASONS
from gossamer.node.engine.data.kinds import KINDS
from gossamer.node.engine.data.part import EMPTY
from gossamer.node.engine.server import Server
from gossamer.node.engine.table.command import DECLARED, NUMBERED
from gossamer.node.machine import Machine
from gossamer.node.persist.codes import REDIS_10, REDIS_11, VALKEY_80
from gossamer.node.resp.parser import NO_ARGS
from gossamer.node.resp.requests import encoded

START: Final = 1_700_000_000_000

REQUESTS: Final = (
    ("CONFIG SET slowlog-log-slower-than 0 maxmemory 100mb", "SET s v EX 100", "GET s", "PFADD p a b", "SETBIT b 9 1"),
    ("RPUSH l a b", "SADD u a b", "SADD i 1 2", "HSET h f v", "HEXPIRE h 100 FIELDS 1 f", "ZADD z 1 a"),
    ("GEOADD g 1 2 a", "XADD x 1-1 f v", "XGROUP CREATE x g 0", "XREADGROUP GROUP g a STREAMS x >"),
    ("GET", "INFO", "COMMAND DOCS get", "CLIENT LIST", "SLOWLOG GET", "CLUSTER SHARDS"),
    ("WATCH s", "MULTI", "SET s w", "GET s"),
    ("BLPOP none 100",),
    ("CLIENT SETNAME a", "MONITOR"),
    ("REPLCONF listening-port 7001", "PSYNC ? -1"),
)
"""What each of several clients says, the last of them a replica."""

NOT_ENTERED: Final = (ModuleType, type, CodeType, Enum)
"""All of a process share modules and classes."""

FIXED: Final = (
    *(NoneType, int, float, str, bytes, tuple, frozenset),
    *(FunctionType, BuiltinFunctionType, MethodType),
)
"""What never changes, whatever becomes of that which it holds."""

CONTAINERS: Final = (dict, list, set, bytearray, deque)


def busy(name: str) -> Machine:
    """A node of a cluster of its own, with data, clients of several kinds and a replica."""
    me = Node(name * 40, "10.0.0.1", 7000, 17000, flags=Flag.MYSELF | Flag.MASTER)
    server = Server(1, True)
    server.begin_batch(START)
    gossip = Gossip(Topology(me.id, {me.id: me}), GossipConfig(7000, 17000), Random(1), START)
    machine = Machine(server, gossip)
    machine.handle(AddSlots(tuple(range(SLOTS))), START)
    now = START
    while server.topology is None or not server.topology.ok:
        now = max(now + 1, gossip.deadline())
        machine.handle(Woke(), now)
    server.begin_batch(now)
    for requests in REQUESTS:
        client = machine.accept("127.0.0.1:1", "127.0.0.1:2")
        for request in requests:
            client.feed(encoded([word.encode() for word in request.split()]))
            client.take_output()
    machine.drain()
    assert server.stats.total_error_replies == 1, "GET without a key"
    assert machine.has_work, "the replica's snapshot"
    machine.work()
    return machine


def parts(thing: object) -> list[object]:
    """What ``thing`` holds; of a function, what it has been given, but not the module around it."""
    if isinstance(thing, FunctionType):
        return [thing.__closure__, thing.__defaults__, thing.__kwdefaults__]
    own = getattr(thing, "__dict__", {})
    held = [part for part in gc.get_referents(thing) if part is not own]
    return held + list(own.values()) + [part for cls in type(thing).__mro__ for part in held_by_class(cls)]


def held_by_class(cls: type) -> list[object]:
    if not cls.__module__.startswith("gossamer."):
        return []
    return [part for name, part in vars(cls).items() if isinstance(part, CONTAINERS) and not name.startswith("__")]


def reached(root: object) -> dict[int, object]:
    """All that can be reached from ``root``, by identity."""
    found: dict[int, object] = {}
    ahead = [root]
    while ahead:
        thing = ahead.pop()
        if id(thing) not in found and not isinstance(thing, NOT_ENTERED):
            found[id(thing)] = thing
            ahead += parts(thing)
    return found


SHARED: Final[dict[str, list[object]]] = {
    "commands as they were declared: names and counters are the server's": [
        DECLARED,
        *NUMBERED,
        *(cmd.subcommands for cmd in NUMBERED),
        *(spec for cmd in NUMBERED for spec in cmd.keys),
    ],
    "types of values: they keep nothing but their names": [*KINDS.values()],
    "reasons to wait, and what ends that: they are asked, not told": [*REASONS],
    "formats of files: what each release of Redis reads is known": [REDIS_10, REDIS_11, VALKEY_80],
    "tables of allowed transitions: they are only read": [election.SUCCESSORS, manual_failover.SUCCESSORS],
    "a part without keys: nobody puts anything into it": list(reached(EMPTY).values()),
    "the arguments of a request that has not begun: they are replaced, not filled": [NO_ARGS],
}
"""What could change and is shared all the same, by the reason why it does not."""


def shared(one: Machine, other: Machine) -> dict[int, object]:
    """What both reach and could change."""
    there = reached(other)
    return {at: thing for at, thing in reached(one).items() if at in there and not is_fixed(thing)}


def is_fixed(thing: object) -> bool:
    if isinstance(thing, FIXED):
        return True
    try:
        delattr(thing, "nothing")
    except FrozenInstanceError:
        return True
    except AttributeError:
        return False
    raise AssertionError("there is no such attribute")


def test_two_machines_share_nothing_that_changes() -> None:
    known = {id(thing): thing for things in SHARED.values() for thing in things}
    before = {at: parts(thing) for at, thing in known.items()}
    found = shared(busy("a"), busy("b"))
    assert [thing for at, thing in found.items() if at not in known] == []
    assert [reason for reason, things in SHARED.items() if not any(id(thing) in found for thing in things)] == []
    assert [thing for at, thing in known.items() if parts(thing) != before[at]] == []


@pytest.mark.parametrize("name", ["slowlog", "served", "rng", "edge"])
def test_what_two_machines_share_is_found(name: str) -> None:
    one, other = busy("a"), busy("b")
    thing = getattr(one.server, name)
    setattr(other.server, name, thing)
    assert id(thing) in shared(one, other)
