"""Runs of shards that keep their data on disks: the power goes for one node or for all, processes are killed, disks are
full, broken or slow, and files are damaged at rest.

One strike at a time, though it may befall many nodes: the next one comes when everything is whole again, files
included. What may be lost to it follows from where the data lay (docs/durability.md):

- ``always``: nothing that was acknowledged, whoever comes back, and when.
- ``everysec``: what was acknowledged in the last second, while an fsync took its time, and while the node waited for
  the disk, as it does when the manifest changes.
- ``no``: to a loss of power, what came after the base was begun; to the end of a process, nothing.
- ``rdb``: what came after the last save was begun.
- With ``no-appendfsync-on-rewrite`` (some runs) nobody knows when the last fsync was: as with ``no``.

A kernel may forget what an fsync that has failed was to write. A node then writes its file anew: no strike comes before
that is done, and the next one finds all in its place. A node that has died meanwhile does not know of it: then the
operator has the file written anew (docs/durability.md).

Some runs seal their files (docs/encryption.md), which promises the same; then any bit that flips in any of them ends
the start, and none of them shows anything.

More may be lost in three cases:

- A node that has just had a full sync has its old files until the first rewrite is done. If it is promoted before that
  and dies, it comes back with what was there before the strike.
- Without ``write-ack-replicas``, where a replica takes over: what was on its way to it, and what a primary answers
  that has hung, because its disk has, before it hears of its successor.
- With it, where several nodes of a shard die and not all its replicas have to have a write: one that does not have it
  may take over, for nobody knows after a restart who is the newest. One node alone may lose everything that is not
  durable.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from math import inf
from random import Random
from typing import Final

from attrs import define, field

from gossamer.cluster.slots import key_slot
from gossamer.node.engine.state import UNSAVED
from gossamer.node.persist.aof.manifest import Manifest, parse
from gossamer.node.saving.aof import ON
from tests.sim.files import EIO, ENOSPC, STEPS, Files
from tests.sim.history import Violation
from tests.sim.keeping import TEMPORARY, DataDisk, Keeping
from tests.sim.operations import Operation
from tests.sim.sealing import KEY, is_plain
from tests.sim.timeline import Micros
from tests.sim.world import Host
from tests.sim.writes import HASTE_US, LEISURE_US, TIMEOUT_MS, Strike, WriteRun, tag_in

RDB: Final = "rdb"
POLICIES: Final = ("always", "everysec", "no", RDB)
"""Values of appendfsync, or files of the whole data only."""
EVERYSEC_US: Micros = 1_000_000
ON_THE_WAY_US: Micros = 100_000
"""What a primary has told its clients so long ago has reached its replicas."""
LAYOUTS: Sequence[tuple[int, ...]] = ((2, 0, 0), (1, 1, 0), (1, 0, 0), (0, 0, 0))
RDB_FILE = "dump.rdb"


@define
class DiskStrike(Strike):
    """``safe``: of each hash tag, what was acknowledged by then must be there; ``until_us``: all is whole again."""

    safe: dict[str, float] = field(factory=dict)
    until_us: Micros = 0


class DiskRun(WriteRun):
    """``policy``: one of POLICIES; that, ``acks`` and ``sealed`` are drawn if they are not given."""

    layouts = LAYOUTS
    process = Keeping

    def __init__(
        self,
        seed: int,
        policy: str | None = None,
        acks: int | None = None,
        kinds: Sequence[str] = (),
        sealed: bool | None = None,
    ) -> None:
        draw = Random(seed ^ 0xD15C)
        drawn = draw.choice(POLICIES), draw.randrange(2), draw.random() < 0.4
        self.spares = policy is None and draw.random() < 0.15
        """Nothing is made durable while the data are written."""
        self.policy = policy or drawn[0]
        self.sealed = KEY is not None and (drawn[2] if sealed is None else sealed)
        self.spilling = Random(seed ^ 0x5B1).choice(("yes", "no"))
        alone = not sum(Random(seed).choice(self.layouts))
        super().__init__(seed, 0 if alone else drawn[1] if acks is None else acks)
        self.disk_rng = Random(self.rng.getrandbits(64))
        self.world.make_disk = self.new_disk
        self.ways: dict[str, Callable[[DiskStrike, list[Host]], None]] = {
            "kill": self.kill,
            "power loss": self.power_loss,
            "death at a step": self.death_at_a_step,
            "full disk": self.full_disk,
            "broken disk": self.broken_disk,
            "slow disk": self.slow_disk,
            "flipped bit": self.flipped_bit,
        }
        self.kinds = list(kinds) or list(self.ways)
        self.struck: list[DiskStrike] = []
        self.died: dict[str, float] = {}
        """Of hosts that have died since the strike began: what was acknowledged by then must be on the disk."""
        self.failing_since: dict[str, Micros] = {}
        self.refused: dict[str, str] = {}
        """Why hosts have ended themselves."""
        self.supervised = True
        """Who dies at a step of the disk is started again."""
        self.deaths = 0
        self.refusals = 0

    def new_disk(self) -> DataDisk:
        directives = (
            ("appendonly", "no" if self.policy == RDB else "yes"),
            ("appendfsync", "everysec" if self.policy == RDB else self.policy),
            ("no-appendfsync-on-rewrite", "yes" if self.spares else "no"),
            ("save", "1 5" if self.policy == RDB else '""'),
            ("aof-use-rdb-preamble", self.disk_rng.choice(("yes", "no"))),
            ("auto-aof-rewrite-min-size", self.disk_rng.choice(("2kb", "64mb"))),
            ("replica-ignore-disk-write-errors", self.disk_rng.choice(("yes", "no"))),
            ("vm-enabled", self.spilling),
        )
        disk = DataDisk(Random(self.disk_rng.getrandbits(64)), directives, KEY if self.sealed else None)
        disk.files.latency_us = self.disk_rng.choice((100, 1_000, 20_000))
        disk.files.forgets = self.disk_rng.random() < 0.5
        return disk

    def __str__(self) -> str:
        sealed = ", sealed" if self.sealed else ""
        return f"{self.policy}{sealed}, write-ack-replicas {self.acks}, {super().__str__()}"

    def outcome(self) -> str:
        policy = f"{self.policy}{', sealed' if self.sealed else ''}"
        return f", {policy}, acks {self.acks}, {self.deaths} deaths, {self.refusals} refused to start"

    def go(self) -> None:
        self.form()
        self.call()
        for _ in range(self.rng.randrange(1, 4)):
            self.strike()
        self.finish()

    # --- the cluster

    def form(self) -> None:
        super().form()
        for host in self.world.hosts.values():
            disk_of(host).on_death = partial(self.on_death, host)

    def who_loads(self) -> str:
        loading = [host.name for host in self.world.running() if not process_of(host).has_begun]
        return ", ".join(loading)

    def lack(self) -> str:
        return super().lack() or self.unkept()

    def unkept(self) -> str:
        """Whose files do not say all yet."""
        for host in self.world.hosts.values():
            process = process_of(host)
            saves = process.machine.saves
            if not process.has_begun:
                return f"{host.name} loads"
            if process.machine.server.conditions & UNSAVED:
                return f"{host.name} cannot write: {saves.refusal().decode()}"
            if self.policy != RDB and (saves.aof.state != ON or saves.rewrites.in_progress):
                return f"{host.name} writes its append-only file anew"
            if saves.aof.sink.unsound:
                return f"{host.name} has an append-only file with a hole"
        return ""

    def tags_of_callers(self) -> list[str]:
        if not self.acks:
            return [tag_in(at) for at in range(len(self.layout))]
        return super().tags_of_callers() or [tag_in(0)]

    def members(self, tag: str) -> list[Host]:
        """Of the shard that has the slot: its primary first."""
        view = next(iter(self.world.views().values()))
        owner = view.owners[key_slot(tag.encode())]
        hosts = [h for h in self.world.hosts.values() if h.id == owner]
        return hosts + [h for h in self.world.running() if h.running.gossip.me.primary == owner]

    def epoch(self, tag: str) -> int:
        """Of the claim to the slot: another one is that of another primary, though it may have been taken twice."""
        view = next(iter(self.world.views().values()))
        owner = view.owners[key_slot(tag.encode())]
        assert owner is not None
        return view.nodes[owner].config_epoch

    # --- the strike

    def strike(self) -> None:
        world, rng = self.world, self.rng
        world.advance(400 + rng.randrange(2000))
        self.pace(HASTE_US)
        world.advance(300 + rng.randrange(20))
        hosts = self.victims()
        if rng.random() < 0.4:
            self.rest()
        self.accompany(hosts)
        kind = rng.choice(self.kinds)
        if kind == "flipped bit":
            hosts = hosts[:1]
        world.timeline.after(60_000, partial(self.pace, 30_000))
        shards = {tag: self.members(tag) for tag in self.tags_of_callers()}
        epochs = {tag: self.epoch(tag) for tag in shards}
        leads = any(shard[0] in hosts for shard in shards.values())
        strike = DiskStrike(f"{kind}, {self.policy}", hosts[0], world.now_us, leads)
        self.strikes.append(strike)
        self.struck.append(strike)
        self.died = {}
        world.note(f"{kind} begins: {', '.join(host.name for host in hosts)}")
        self.ways[kind](strike, hosts)
        world.timeline.after(1_000_000, partial(self.pace, LEISURE_US))
        for host in hosts:
            self.back(host)
        self.wait(self.lack, "recovery", 120_000_000)
        strike.until_us = world.now_us
        replaced = [tag for tag in shards if self.epoch(tag) != epochs[tag]]
        strike.replaced = bool(replaced)
        strike.safe = {tag: self.safe(shard, tag in replaced) for tag, shard in shards.items()}

    def rest(self) -> None:
        """Nobody asks for anything: what was written last becomes durable by itself, or does not."""
        for caller in self.callers:
            caller.resting = True
        self.world.advance(self.rng.randrange(1200, 2000) if self.rng.random() < 0.5 else self.rng.randrange(1200))
        for caller in self.callers:
            caller.resting = False

    def victims(self) -> list[Host]:
        """One, a shard, or all."""
        kind = self.rng.random()
        if kind < 0.4:
            return [self.rng.choice(list(self.world.hosts.values()))]
        if kind < 0.65:
            return self.members(self.rng.choice(self.tags_of_callers()))
        return list(self.world.hosts.values())

    def accompany(self, hosts: Iterable[Host]) -> None:
        """Something large may be on its way to the disk."""
        for host in hosts:
            if self.rng.random() < 0.4:
                self.world.tell(host, "BGSAVE" if self.policy == RDB else self.rng.choice(("BGREWRITEAOF", "BGSAVE")))
        self.world.advance(self.rng.choice((0, 1, 3, 10, 50)))

    def safe(self, shard: list[Host], replaced: bool) -> float:
        died = [host for host in shard if host.name in self.died]
        least = min((self.died[host.name] for host in died), default=inf)
        if self.acks:
            if len(died) == 1 < len(shard):
                return inf
            spread = len(shard) - 1 <= self.acks
            return least if spread or not replaced else min(least, self.strikes[-1].at_us - ON_THE_WAY_US)
        if replaced:  # it has died, or it has waited for its disk for too long
            return min(least, self.strikes[-1].at_us - ON_THE_WAY_US)
        return self.died.get(shard[0].name, inf)

    def on_disk(self, host: Host, silently: bool) -> float:
        """What was acknowledged by then must be there when the host is back."""
        disk = disk_of(host)
        process = process_of(host)
        now = self.failing_since.get(host.name, self.world.now_us)
        if self.policy == RDB:
            return disk.saved.get(RDB_FILE, -1)
        if process.has_begun and process.machine.saves.aof.state != ON:
            return self.strikes[-1].at_us - EVERYSEC_US * (self.policy != "always")
        policy = "no" if self.spares and silently else self.policy
        if policy == "always" or (policy == "no" and not silently and host.name not in self.failing_since):
            return inf
        if policy == "everysec":
            return now - EVERYSEC_US - 2 * disk.files.latency_us - process.held_us
        if not silently:
            return now
        aof = process.machine.saves.aof
        if process.has_begun and aof.sink.unsound and aof.manifest.base is not None:
            return disk.saved.get(aof.path(aof.manifest.base), -1)
        return max([at for path, at in disk.saved.items() if path != RDB_FILE], default=-1)

    # --- who dies, and comes back

    def die(self, host: Host, silently: bool) -> None:
        if host.up:
            self.deaths += 1
            safe = self.on_disk(host, silently)
            self.died[host.name] = min(safe, self.died.get(host.name, inf))
            self.world.kill(host, silently)
            disk_of(host).files.dies_in = -1

    def on_death(self, host: Host, reason: str, silently: bool) -> None:
        self.die(host, silently)
        if reason:
            self.refusals += 1
            self.refused[host.name] = reason
        if reason or self.supervised:
            self.world.timeline.after(self.rng.randrange(50_000, 500_000), partial(self.back, host))

    def back(self, host: Host) -> None:
        if not host.up:
            self.world.start(host)

    def away(self, hosts: Sequence[Host]) -> None:
        """For a while, each for its own; often shorter than it takes to replace them."""
        for host in hosts:
            self.world.timeline.after(
                self.rng.randrange(self.rng.choice((1_000, 200_000, 4_000_000))) + 1, partial(self.back, host)
            )
        self.world.advance(TIMEOUT_MS // 2)
        self.wait(lambda: "" if all(host.up for host in hosts) else "somebody", "start")

    def kill(self, _: DiskStrike, hosts: list[Host], silently: bool = False) -> None:
        for host in hosts:
            self.die(host, silently)
        self.away(hosts)

    def power_loss(self, strike: DiskStrike, hosts: list[Host]) -> None:
        self.kill(strike, hosts, silently=True)

    def death_at_a_step(self, _: DiskStrike, hosts: list[Host]) -> None:
        """Of the disk, each at its own: there may be a rewrite, too."""
        silently = self.rng.random() < 0.5
        for host in hosts:
            files = disk_of(host).files
            files.dies_in, files.silently = self.rng.randrange(self.rng.choice((3, 20))), silently
        self.supervised = False
        self.accompany(hosts)
        self.world.advance(self.rng.randrange(2000))
        self.supervised = True
        for host in hosts:
            self.die(host, silently)
        for host in hosts:  # it may die again as it starts
            if self.rng.random() < 0.5:
                files = disk_of(host).files
                files.dies_in, files.silently = self.rng.randrange(12), silently
        self.away(hosts)
        self.world.advance(300)
        for host in hosts:
            disk_of(host).files.dies_in = -1

    def full_disk(self, _: DiskStrike, hosts: list[Host]) -> None:
        self.fail(hosts, dict.fromkeys(("open", "write"), (ENOSPC, 1.0)))

    def broken_disk(self, _: DiskStrike, hosts: list[Host]) -> None:
        steps = self.rng.sample(STEPS, self.rng.randrange(1, len(STEPS)))
        self.fail(hosts, dict.fromkeys(steps, (EIO, self.rng.choice((0.2, 1.0)))))

    def fail(self, hosts: list[Host], failing: dict[str, tuple[int, float]]) -> None:
        for host in hosts:
            disk_of(host).files.failing = failing
            self.failing_since[host.name] = self.world.now_us
        self.world.advance(self.rng.randrange(3000))
        if self.rng.random() < 0.5:
            silently = self.rng.random() < 0.5
            for host in hosts:
                self.die(host, silently)
            self.world.advance(self.rng.randrange(1000))
        for host in hosts:
            disk_of(host).files.failing = {}
            self.back(host)
        self.world.advance(1500)
        self.failing_since = {}
        self.wait(self.unknown_holes, "the end of all holes that nobody knows of")

    def unknown_holes(self) -> str:
        """Who has one from a life before: nobody, once it has begun."""
        for host in self.world.hosts.values():
            if not host.up:
                return f"{host.name} is down"
            process = process_of(host)
            aof = process.machine.saves.aof
            if aof.state != ON or aof.sink.unsound:
                continue
            names = disk_of(host).files.names
            if any(names[path].sound >= 0 for path in aof.paths() if path in names):
                return f"{host.name} has a hole that it does not know of"
        return ""

    def slow_disk(self, strike: DiskStrike, hosts: list[Host]) -> None:
        before = {host.name: disk_of(host).files.latency_us for host in hosts}
        for host in hosts:
            disk_of(host).files.latency_us = self.rng.choice((100_000, 600_000, 2_500_000))
        self.world.advance(self.rng.randrange(5000))
        if self.rng.random() < 0.6:
            self.kill(strike, hosts, silently=self.rng.random() < 0.5)
        for host in hosts:
            disk_of(host).files.latency_us = before[host.name]

    def flipped_bit(self, _: DiskStrike, hosts: list[Host]) -> None:
        """In what has a checksum. The node must not start, nor touch anything."""
        host = hosts[0]
        files = disk_of(host).files
        self.die(host, silently=False)
        places = list(self.places(host))
        if places:
            path, at = self.rng.choice(places)
            bit = self.rng.randrange(8)
            files.flip(path, at, bit)
            self.world.note(f"bit {bit} of byte {at} of {path} flips", host.name)
            before = lasting(files)
            self.refused.pop(host.name, None)
            self.world.start(host)
            self.wait(lambda: "" if host.name in self.refused else f"{path}, {at}", "refusal")
            if lasting(files) != before:
                raise Violation(f"{host.name} has changed its files, though it did not start")
            files.flip(path, at, bit)
        self.away(hosts)

    def places(self, host: Host) -> Iterable[tuple[str, int]]:
        for path, data in disk_of(host).files.all().items():
            loaded = path == RDB_FILE if self.policy == RDB else self.listed(host, path)
            if loaded and data and (self.sealed or path.endswith(".rdb")):
                yield path, self.rng.randrange(len(data))

    def listed(self, host: Host, path: str) -> bool:
        """Is it one of those that are loaded?"""
        text = disk_of(host).files.content("appendonlydir/appendonly.aof.manifest") or b""
        manifest = parse(text) if text else Manifest()
        return path in [f"appendonlydir/{file.name}" for file in manifest.loaded]

    # --- the verdict

    def finish(self) -> None:
        super().finish()
        for host in self.world.hosts.values():
            for path, data in disk_of(host).files.all().items():
                if self.sealed and is_plain(data) and ".manifest" not in path:
                    raise Violation(f"{path} of {host.name} is not sealed")

    def broken(self) -> str:
        lost = [o for o in self.verdict.lost if not self.may_be_lost(o)]
        if lost:
            return f"lost: {[str(o) for o in lost[:3]]} of {len(lost)}"
        if self.verdict.odd and all(min(strike.safe.values(), default=inf) == inf for strike in self.struck):
            return f"odd: {self.verdict.odd[:3]}"
        return ""

    def may_be_lost(self, operation: Operation) -> bool:
        tag = operation.key[1 : operation.key.index("}")]
        return any(s.safe[tag] <= operation.ended_us <= s.until_us for s in self.struck)


def lasting(files: Files) -> dict[str, bytes]:
    """What is no file that a process before had not finished."""
    return {path: data for path, data in files.all().items() if not TEMPORARY.fullmatch(path)}


def process_of(host: Host) -> Keeping:
    process = host.running
    assert isinstance(process, Keeping)
    return process


def disk_of(host: Host) -> DataDisk:
    assert isinstance(host.disk, DataDisk)
    return host.disk
