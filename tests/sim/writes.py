"""Runs of shards that are written to while one node after the other dies, hangs, is cut off or restarted.

One fault at a time: the next one strikes when everything is whole again, replicas included. So with
``write-ack-replicas 1`` nothing that was acknowledged may be lost. Without it the run tells how much was.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from random import Random

from attrs import define, evolve

from gossamer.cluster.slots import SLOTS, key_slot
from gossamer.gossip.core import SYNC_MS
from gossamer.node.engine.data.spilled import in_memory
from tests.sim.callers import Caller
from tests.sim.checkers import all_checkers
from tests.sim.checkers.agreement import disagreement
from tests.sim.checkers.checker import attach
from tests.sim.checkers.registers import Verdict, judge
from tests.sim.elements import contents, elements_of
from tests.sim.history import Violation
from tests.sim.network import Weather
from tests.sim.operations import DONE, Book, Operation
from tests.sim.process import Process
from tests.sim.serving import PORT, Serving
from tests.sim.timeline import Micros
from tests.sim.world import Host, World

PRIMARIES = 3
TIMEOUT_MS = 1000
CALLERS = 4
QUIET_US = 700_000
"""At least as long before the next strike the last one is over: what is lost then was lost to the next one."""
HASTE_US = 2_000
"""The pace of the clients around a fault; else they take their time."""
LEISURE_US = 300_000
LAYOUTS: Sequence[tuple[int, ...]] = ((2, 0, 0), (1, 1, 0))
"""How many replicas each primary has; keys are written only where there are some."""


@define
class Strike:
    """A fault that befell ``host``, and when. ``primary``: it led a shard with replicas; ``replaced``: then no more."""

    kind: str
    host: Host
    at_us: Micros
    primary: bool
    replaced: bool = False


class SingleFaults:
    """Each kind begins at once and returns how it ends."""

    def __init__(self, world: World, rng: Random) -> None:
        self._world = world
        self._rng = rng
        self.kinds: dict[str, Callable[[Host], Callable[[], None]]] = {
            "crash": self.crash,
            "power loss": self.power_loss,
            "restart": self.crash,
            "freeze": self.freeze,
            "cut": self.cut,
            "one-way cut": self.one_way_cut,
            "slowness": self.slowness,
            "clock": self.clock,
            "reset": self.reset,
            "failover": self.failover,
            "lost disk": self.lost_disk,
        }

    def length_us(self, kind: str) -> Micros:
        if kind == "restart":
            return self._rng.randrange(200_000)
        return int(TIMEOUT_MS * 1000 * self._rng.choice((0.05, 0.5, 1.5, 3)) * (0.5 + self._rng.random()))

    def crash(self, host: Host) -> Callable[[], None]:
        self._world.kill(host)
        return partial(self._world.start, host)

    def power_loss(self, host: Host) -> Callable[[], None]:
        self._world.kill(host, silently=True)
        return partial(self._world.start, host)

    def freeze(self, host: Host) -> Callable[[], None]:
        host.running.freeze()
        return host.running.thaw

    def cut(self, host: Host) -> Callable[[], None]:
        others = self._world.others(host)
        self._world.cut([host], others)
        return partial(self._world.heal, [host], others)

    def one_way_cut(self, host: Host) -> Callable[[], None]:
        groups = [[host], self._world.others(host)]
        self._rng.shuffle(groups)
        self._world.cut(groups[0], groups[1], both_ways=False)
        return partial(self._world.heal, groups[0], groups[1], both_ways=False)

    def slowness(self, host: Host) -> Callable[[], None]:
        process = host.running
        process.lag_us = self._rng.choice((5_000, 30_000))
        return partial(setattr, process, "lag_us", 0)

    def clock(self, host: Host) -> Callable[[], None]:
        host.clock.offset_us += self._rng.randrange(-60_000_000, 60_000_000)
        return lambda: None

    def reset(self, host: Host) -> Callable[[], None]:
        for other in self._world.others(host):
            self._world.network.break_links(host.name, other.name)
        return lambda: None

    def lost_disk(self, host: Host) -> Callable[[], None]:
        """It comes back as somebody else at the same address. Who has keys that nobody else has is spared."""
        me = host.running.gossip.me
        replicas = [h for h in self._world.running() if h.running.gossip.me.primary == host.id]
        if me.is_primary and not replicas:
            return self.crash(host)
        owners = host.running.gossip.snapshot().owners
        slot = owners.index(me.primary or host.id)
        self._world.kill(host)
        host.disk.store(None, synced=True)
        return partial(self._welcome, host, host.id, slot)

    def _welcome(self, host: Host, before: str, slot: int) -> None:
        """What an operator does, once the cluster has seen to itself: forget who it was, and meet who it is."""
        world = self._world
        world.start(host)
        others = world.others(host)
        self._await(lambda: all(before not in h.running.gossip.snapshot().owners for h in others), "it was replaced")
        for other in others:
            self._await(partial(self._grants, other, "FORGET", before), "it is forgotten")
        world.advance(SYNC_MS)  # what only an operator has asked for outlives a loss of power from then on
        world.ask(others[0], "CLUSTER", "MEET", host.ip, str(PORT))
        everybody = {h.id for h in world.hosts.values()}
        self._await(lambda: all(everybody <= set(v.nodes) for v in world.views().values()), "all know it")
        owner = others[0].running.gossip.snapshot().owners[slot]
        assert owner is not None
        self._await(partial(self._grants, host, "REPLICATE", owner), "it is a replica")

    def _grants(self, host: Host, *wish: str) -> bool:
        return self._world.ask(host, "CLUSTER", *wish).startswith(b"+")

    def _await(self, condition: Callable[[], bool], what: str) -> None:
        for _ in range(200):
            if condition():
                return
            self._world.advance(100)
        raise Violation(f"not in 20 s: {what}")

    def failover(self, host: Host) -> Callable[[], None]:
        """No fault, but an operator has a replica take over from ``host``."""
        replicas = [h for h in self._world.running() if h.running.gossip.me.primary == host.id]
        if replicas:
            self._world.tell(self._rng.choice(replicas), "CLUSTER", "FAILOVER")
        return lambda: None


class WriteRun:
    """``acks``: write-ack-replicas of all nodes. ``kinds`` overrides which faults may strike."""

    layouts = LAYOUTS
    process: type[Process] = Serving

    def __init__(self, seed: int, acks: int = 1, kinds: Sequence[str] = ()) -> None:
        self.rng = Random(seed)
        self.acks = acks
        self.layout = self.rng.choice(self.layouts)
        self.world = World(Random(self.rng.getrandbits(64)), TIMEOUT_MS, full_coverage=False, process=self.process)
        self.world.config = evolve(self.world.config, replica_validity_factor=0, write_ack_replicas=acks)
        self.world.settings = (
            ("write-ack-replicas", str(acks)), ("write-ack-timeout", "1500"), ("repl-diskless-sync-delay", "0"),
        )  # fmt: skip
        self.world.network.weather = Weather(self.rng.randrange(50, 3_000), self.rng.choice((0, 500, 5_000)))
        self.faults = SingleFaults(self.world, self.rng)
        self.kinds = list(kinds) or list(self.faults.kinds)
        self.strikes: list[Strike] = []
        self.book = Book()
        self.callers: list[Caller] = []
        self.verdict = Verdict([], [])
        attach(all_checkers(), self.world.history)

    def __str__(self) -> str:
        return f"{self.layout} replicas, {self.world.network.weather}, {[s.kind for s in self.strikes]}"

    def outcome(self) -> str:
        """What else is to be said of a run that went well."""
        return ""

    def broken(self) -> str:
        """Which promise is, when all has ended; empty if none."""
        if self.acks and (self.verdict.lost or self.verdict.odd):
            return f"lost: {[str(o) for o in self.verdict.lost[:3]]}, odd: {self.verdict.odd[:3]}"
        return ""

    def go(self) -> None:
        self.form()
        self.call()
        for _ in range(self.rng.randrange(1, 4) if self.acks else 1):
            self.strike()  # what is lost without acknowledgements shall have one cause
        self.finish()

    # --- the cluster

    def form(self) -> None:
        world = self.world
        primaries = len(self.layout)
        hosts = [world.add_host(f"n{n + 1}") for n in range(primaries + sum(self.layout))]
        self.wait(self.who_loads, "data")
        for at, host in enumerate(hosts[:primaries]):
            first, last = SLOTS * at // primaries, SLOTS * (at + 1) // primaries - 1
            world.tell(host, "CLUSTER", "ADDSLOTSRANGE", str(first), str(last))
        for host in hosts[1:]:
            world.tell(hosts[0], "CLUSTER", "MEET", host.ip, str(PORT))
        self.wait(self.disagreement, "agreement")
        followers = iter(hosts[primaries:])
        for at, count in enumerate(self.layout):
            for _ in range(count):
                world.tell(next(followers), "CLUSTER", "REPLICATE", hosts[at].id)
        self.wait(self.lack, "whole shards")

    def who_loads(self) -> str:
        """Which nodes have not begun with their files yet: they answer LOADING."""
        return ""

    def wait(self, lack: Callable[[], str], what: str, patience_us: Micros = 40_000_000) -> None:
        began_us = self.world.now_us
        while missing := lack():
            if self.world.now_us - began_us > patience_us:
                raise Violation(f"no {what} after {(self.world.now_us - began_us) / 1e6:.0f} s: {missing}")
            self.world.advance(100)

    def disagreement(self) -> str:
        return disagreement(self.world.views())

    def lack(self) -> str:
        """What is missing until everything is whole: all agree, and every replica is in step."""
        return self.unsynchronized() or self.disagreement()

    def unsynchronized(self) -> str:
        replicas = 0
        for host in self.world.hosts.values():
            if not host.up or host.running.frozen:
                return f"{host.name} does not run"
            replication = host.running.machine.replication
            if replication.primary_link is not None:
                replicas += 1
                if not replication.primary_link.connected:
                    return f"{host.name} is not connected to its primary"
            for replica in replication.replicas.by_client.values():
                if not replica.online or replica.acked < replication.offset - 2000:
                    return f"{host.name} has a replica behind"
                if self.acks and not replica.acknowledges:
                    return f"{host.name} has a replica that has acknowledged nothing yet"
        followed = sum(len(h.running.machine.replication.replicas.attached()) for h in self.world.hosts.values())
        expected = self.expected_replicas()
        return "" if replicas == followed == expected else f"{replicas} replicas, {followed} of {expected} connected"

    def expected_replicas(self) -> int:
        return sum(self.layout)

    # --- the clients

    def call(self) -> None:
        tags = self.tags_of_callers()
        registers = [f"{{{tag}}}r{n}" for tag in tags for n in range(max(1, 3 - len(tags) + 1))]
        for number in range(CALLERS):
            rng = Random(self.rng.getrandbits(64))
            self.callers.append(Caller(self.world, number, rng, self.book, registers, tags))
        self.pace(LEISURE_US)
        for caller in self.callers:
            caller.start()

    def tags_of_callers(self) -> list[str]:
        """The hash tags of all keys that are written."""
        return [tag_in(at) for at, count in enumerate(self.layout) if count]

    def pace(self, pace_us: Micros) -> None:
        for caller in self.callers:
            caller.pace_us = pace_us

    # --- the faults

    def strike(self) -> None:
        world, rng = self.world, self.rng
        world.advance(400 + rng.randrange(400))
        self.pace(HASTE_US)
        world.advance(300 + rng.randrange(20))
        kind = rng.choice(self.kinds)
        host = self.victim()
        world.note(f"{kind} begins", host.name)
        world.timeline.after(60_000, partial(self.pace, 30_000))
        self.befall(kind, host)

    def befall(self, kind: str, host: Host) -> None:
        """The whole fault, until everything is well again."""
        world = self.world
        strike = Strike(kind, host, world.now_us, host in self.leaders())
        self.strikes.append(strike)
        end = self.faults.kinds[kind](host)
        world.timeline.after(1_000_000, partial(self.pace, LEISURE_US))
        world.advance(self.faults.length_us(kind) // 1000)
        world.note(f"{kind} ends", host.name)
        end()
        self.wait(self.lack, "recovery")
        strike.replaced = strike.primary and host not in self.leaders()

    def leaders(self) -> list[Host]:
        return [h for h in self.world.running() if h.running.machine.replication.replicas.attached()]

    def victim(self) -> Host:
        """Mostly one that has keys, and often its primary."""
        leaders = self.leaders()
        return self.rng.choice(leaders if leaders and self.rng.random() < 0.6 else list(self.world.hosts.values()))

    # --- the end

    def finish(self) -> None:
        self.world.note("everything is healed")
        for caller in self.callers:
            caller.stopping = True
        self.wait(lambda: "an answer" if any(c.operation for c in self.callers) else "", "answers")
        self.wait(self.lack, "recovery")
        self.wait(lambda: self.behind() or self.unlike(), "replicas with the data of their primaries")
        by_key = self.book.by_key()
        self.verdict = judge(by_key, {key: self.value(key) for key in by_key}, self.may_be_lost)

    def may_be_lost(self, operation: Operation) -> bool:
        """By what was promised of writes, whoever has looked for it in vain."""
        return False

    def replicas_of(self, host: Host) -> list[Host]:
        return [h for h in self.world.running() if h.running.gossip.me.primary == host.id]

    def pairs(self) -> Iterator[tuple[Host, Host]]:
        """Each replica with its primary, which comes first."""
        for host in self.world.hosts.values():
            for replica in self.replicas_of(host):
                yield host, replica

    def behind(self) -> str:
        """Replicas that have not all yet."""
        for host, replica in self.pairs():
            if host.running.machine.replication.offset != replica.running.machine.replication.offset:
                return f"{replica.name} is not where {host.name} is"
        return ""

    def unlike(self) -> str:
        """Replicas that do not have what their primary has."""
        for host, replica in self.pairs():
            offsets = [h.running.machine.replication.offset for h in (host, replica)]
            if offsets[0] == offsets[1] and self.values_at(host) != self.values_at(replica):
                return f"{replica.name} is where {host.name} is, but has other keys"
        return ""

    def values_at(self, host: Host) -> dict[int, dict[bytes, object]]:
        """All that it has, by slot; of collections their elements, for each node has objects of its own."""
        db = host.running.machine.server.keyspace.database(0)
        filled = [part for part in sorted(db.open_parts()) if db.size_of(part)]
        return {part: {key: contents(value) for key, value, _ in db.items_of(part)} for part in filled}

    def value(self, key: str) -> str | None:
        """What the owner of its slot has."""
        hosts = list(self.world.hosts.values())
        owner = self.world.views()[hosts[0].name].owners[key_slot(key.encode())]
        return self.value_at(next(h for h in hosts if h.id == owner), key)

    def value_at(self, host: Host, key: str) -> str | None:
        name = key.encode()
        db = host.running.machine.server.keyspace.database(0)
        held = db.get_raw(name)
        value = None if held is None else in_memory(held)
        if value is None or isinstance(value, (bytes, bytearray)):
            return None if value is None else value.decode()
        return " ".join(elements_of(value))

    @property
    def acknowledged(self) -> int:
        return sum(1 for o in self.book.operations if o.writes and o.outcome == DONE)

    def losses(self) -> list[tuple[Strike, list[Micros]]]:
        """Of each strike, how long before it the lost writes were acknowledged; negative: that long after it began.

        The newest lost write tells which strike it was: the last one that had begun by then, or the next one.
        """
        lost = [o for o in self.verdict.lost if not o.key.partition("}")[2].startswith("r")]
        out: list[tuple[Strike, list[Micros]]] = []
        for at, strike in enumerate(self.strikes):
            until = self.strikes[at + 1].at_us - QUIET_US if at + 1 < len(self.strikes) else self.world.now_us
            taken = [o for o in lost if o.ended_us < until]
            lost = [o for o in lost if o.ended_us >= until]
            out.append((strike, [strike.at_us - o.ended_us for o in taken]))
        return out


def tag_in(shard: int) -> str:
    """A hash tag whose slot belongs to the primary number ``shard``."""
    return next(t for t in (f"t{n}" for n in range(1000)) if key_slot(t.encode()) * PRIMARIES // SLOTS == shard)
