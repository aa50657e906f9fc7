"""Slots move at one stroke (CLUSTER MIGRATESLOTS) while they are written, and a node fails at some moment of that.

Round after round: one migration or two at once, between primaries and of ranges by chance. At a moment that is drawn,
mostly when a job comes into a certain state at one of its ends, a fault strikes the source, the target, one of their
replicas or somebody else; or an operator cancels, or has a replica take over. When all is whole again every job must
have ended, nobody may hold back writers or keep what belongs to no job, every slot has one owner, who alone has its
keys, and its replicas have the same. With ``write-ack-replicas 1`` no acknowledged write may be lost.
"""

from collections.abc import Callable, Sequence
from functools import partial

from attrs import define

from gossamer.cluster.slots import SLOTS, key_slot
from gossamer.node.engine.clients.waiting import LEAVING_KEYS
from gossamer.node.engine.state import PAUSED
from gossamer.node.migration.job import Job
from gossamer.node.migration.states import ENDS, SUCCESS
from tests.sim.history import Violation
from tests.sim.timeline import Micros
from tests.sim.world import Host
from tests.sim.writes import WriteRun

LAYOUTS: Sequence[tuple[int, ...]] = ((1, 1, 1), (1, 1, 1), (2, 1, 1), (2, 1, 0), (1, 1, 1, 1), (1, 1, 0, 0))
TAGS = 6
LOOK_US = 100
"""How often is looked whether the moment has come."""
WAKES_MS = 100
"""A node wakes as often at the least, and notices only then that its clock has jumped."""
PATIENCE_US = 2_000_000
"""So long a moment is waited for; then it is now."""
PROBES = 6
"""How often a write is tried in the end: the disk may be slow, and all replies wait for it, and those of peers."""
JOBS_END_US = 60_000_000
"""After everything is healed: what waits for replicas gives up after half a minute, and what hears nothing too."""
SOURCE = (
    "connecting", "reading-establish-response", "snapshotting", "replicating", "waiting-to-pause", "failover-paused",
    "failover-granted", "success",
)  # fmt: skip
TARGET = ("waiting-for-ack", "receiving-snapshot", "waiting-for-paused", "failover-requested", "success")
LATE = ("failover-paused", "failover-granted", "failover-requested", "success")
"""The states around the hand-over, which is what it is all about."""
SLOW_US = 500_000
DISKS_US = (0, 1_000, 1_000, 20_000, SLOW_US)
"""What a sync takes: where it is long a claim is made long before anybody hears of it."""
KINDS = (
    "crash", "power loss", "restart", "freeze", "cut", "one-way cut", "pair cut", "pair one-way cut", "reset",
    "slowness", "clock",
)  # fmt: skip
DEADLY = ("crash", "power loss", "restart")


@define
class Moment:
    """When job number ``job`` of the round is in ``state`` at its source or target, and ``after_us`` later.

    An empty state is at once.
    """

    job: int
    at_source: bool
    state: str
    after_us: Micros

    def __str__(self) -> str:
        if not self.state:
            return f"{self.after_us} us after the beginning"
        return f"{self.after_us} us after {'source' if self.at_source else 'target'} is {self.state}"


@define
class Move:
    """One migration that was asked for."""

    source: Host
    target: Host
    ranges: list[tuple[int, int]]
    name: str = ""

    def job_at(self, host: Host) -> Job | None:
        """The job as ``host`` sees it in this life; None if it knows of none."""
        if not host.up:
            return None
        jobs = host.running.machine.migrations.jobs
        return next((job for job in jobs if job.name == self.name), None)


class MigrateRun(WriteRun):
    layouts = LAYOUTS

    def __init__(self, seed: int, acks: int = 1, kinds: Sequence[str] = ()) -> None:
        super().__init__(seed, acks, kinds or KINDS)
        self.world.settings += (
            ("cluster-node-timeout", str(self.world.config.node_timeout_ms)),
            ("repl-timeout", "10"), ("repl-ping-replica-period", "1"),
            ("slot-migration-max-failover-repl-bytes", self.rng.choice(("0", "0", "500", "-1"))),
        )  # fmt: skip
        self.world.network.lazy_resets = True
        self.twice = 0.25
        """How often two migrations are asked for at once."""
        self.moves: list[Move] = []
        self.told: list[str] = []
        """What the operator and the faults did."""
        self.ends = dict.fromkeys([end.value for end in ENDS], 0)
        self.tags = self.draw_tags()
        self.faults.kinds["pair cut"] = partial(self.pair_cut, True)
        self.faults.kinds["pair one-way cut"] = partial(self.pair_cut, False)

    def __str__(self) -> str:
        return f"{super().__str__()}, {'; '.join(self.told[-14:])}"

    def outcome(self) -> str:
        return "".join(f", {count} {end}" for end, count in self.ends.items() if count)

    def go(self) -> None:
        self.form()
        for host in self.world.hosts.values():
            host.disk.latency_us = self.rng.choice(DISKS_US)
        self.call()
        self.pace(10_000)
        self.world.advance(300 + self.rng.randrange(300))
        for _ in range(self.rng.randrange(1, 4)):
            self.round()
        self.calm_round()
        self.finish()
        self.check_owners()

    def draw_tags(self) -> list[str]:
        """All but one in shards that have replicas in the beginning."""
        names = [f"t{n}" for n in self.rng.sample(range(1000), 200)]
        safe = [tag for tag in names if self.layout[slot_of(tag) * len(self.layout) // SLOTS]]
        return [*safe[: TAGS - 1], next(tag for tag in names if tag not in safe[: TAGS - 1])]

    # --- who is there

    def primaries(self) -> list[Host]:
        """Who owns slots; ask when all agree."""
        owners = set(next(iter(self.world.views().values())).owners)
        return [host for host in self.world.hosts.values() if host.id in owners]

    def expected_replicas(self) -> int:
        return len(self.world.hosts) - sum(h.running.gossip.me.is_primary for h in self.world.running())

    def tags_of_callers(self) -> list[str]:
        return self.tags

    # --- a round

    def round(self) -> None:
        moves = self.draw_moves()
        self.pace(self.rng.choice((2_000, 10_000)))
        self.world.advance(self.rng.randrange(200))
        for move in moves:
            self.order(move)
        action = self.rng.random()
        moment = self.draw_moment(len(moves))
        if action < 0.12:
            self.when(moment, moves)
            self.cancel(moves[moment.job].source)
        elif action < 0.24:
            self.when(moment, moves)
            self.hand_over(moves[moment.job])
        elif action < 0.9:
            self.when(moment, moves)
            self.strike_at(moves[moment.job], moment)
        self.pace(30_000)
        self.settle(moves)
        if action >= 0.9:
            self.must_have_succeeded(moves)

    def calm_round(self) -> None:
        """Whatever has happened before, slots can be moved."""
        self.world.advance(100)
        moves = self.draw_moves()[:1]
        for move in moves:
            self.order(move)
        self.settle(moves)
        self.must_have_succeeded(moves)

    def must_have_succeeded(self, moves: list[Move]) -> None:
        """But for nodes that wait for their disks so long that they suspect each other now and then."""
        for move in moves:
            if SLOW_US in (move.source.disk.latency_us, move.target.disk.latency_us):
                continue
            job = move.job_at(move.source)
            served = not self.acks or self.replicas_of(move.target)
            if job is None or (job.state is not SUCCESS and served):
                raise Violation(f"nothing happened, and yet: {job and job.state.value} {job and job.text}")

    def draw_moves(self) -> list[Move]:
        """One, sometimes two of different slots."""
        rng, primaries = self.rng, self.primaries()
        moves: list[Move] = []
        for _ in range(2 if rng.random() < self.twice else 1):
            source, target = rng.sample(primaries, 2)
            wanted = self.draw_ranges(source, [pair for move in moves for pair in move.ranges], len(primaries) > 3)
            if wanted:
                moves.append(Move(source, target, wanted))
        return moves or self.draw_moves()

    def draw_ranges(self, source: Host, taken: list[tuple[int, int]], may_empty: bool) -> list[tuple[int, int]]:
        """One or two ranges of slots of ``source``, mostly around keys."""
        rng = self.rng
        owners, me = source.running.gossip.snapshot().owners, source.id
        busy = {slot for first, last in taken for slot in range(first, last + 1)}
        free = [slot for slot, owner in enumerate(owners) if owner == me and slot not in busy]
        if may_empty and rng.random() < 0.1:
            return ranges_of(free)
        mine = set(free)
        hot = [slot for slot in map(slot_of, self.tags) if slot in mine]
        chosen: set[int] = set()
        for _ in range(rng.choice((1, 1, 2))):
            if not free:
                break
            middle = rng.choice(hot) if hot and rng.random() < 0.85 else rng.choice(free)
            width = rng.choice((1, 50, 2000))
            chosen.update(slot for slot in range(middle - rng.randrange(width), middle + width) if slot in mine)
        return [] if len(chosen) == len(free) else ranges_of(sorted(chosen))

    def order(self, move: Move) -> None:
        words = [str(slot) for pair in move.ranges for slot in pair]
        reply = self.demand(move.source, "CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", *words, "NODE", move.target.id)
        if reply != b"+OK\r\n":
            raise Violation(f"refused though all is whole: {reply!r}")
        move.name = move.source.running.machine.migrations.jobs[0].name
        self.moves.append(move)
        self.told.append(f"{move.source.name} to {move.target.name}: {' '.join(words[:6])}")

    def demand(self, host: Host, *request: str) -> bytes:
        """The answer, empty if there is none."""
        client = self.world.tell(host, *request)
        until_us = self.world.now_us + PATIENCE_US
        while self.world.now_us < until_us:
            if client.reply or not host.up:
                break
            self.world.timeline.run_until(self.world.now_us + LOOK_US)
        return client.reply

    # --- the moment

    def draw_moment(self, moves: int) -> Moment:
        rng = self.rng
        job, at_source = rng.randrange(moves), rng.random() < 0.5
        after_us = rng.choice((0, rng.randrange(3_000), rng.randrange(30_000), rng.randrange(300_000)))
        if rng.random() < 0.15:
            return Moment(job, at_source, "", after_us)
        states: Sequence[str] = SOURCE if at_source else TARGET
        if rng.random() < 0.6:
            states = [state for state in states if state in LATE]
        return Moment(job, at_source, rng.choice(states), after_us)

    def when(self, moment: Moment, moves: list[Move]) -> None:
        """Let time pass until then."""
        until_us = self.world.now_us + PATIENCE_US
        move = moves[moment.job]
        while moment.state and self.world.now_us < until_us:
            job = move.job_at(move.source if moment.at_source else move.target)
            ended = move.job_at(move.source)
            if (job is not None and job.state.value == moment.state) or (ended is not None and ended.ended):
                break
            self.world.timeline.run_until(self.world.now_us + LOOK_US)
        self.world.timeline.run_until(self.world.now_us + moment.after_us)

    # --- what happens then

    def cancel(self, source: Host) -> None:
        reply = self.demand(source, "CLUSTER", "CANCELSLOTMIGRATIONS")
        self.told.append(f"cancelled at {source.name}: {reply.decode().strip()}")

    def hand_over(self, move: Move) -> None:
        """A replica of one of the ends takes over in good order."""
        end = self.rng.choice((move.source, move.target))
        replicas = self.replicas_of(end)
        if replicas:
            reply = self.demand(self.rng.choice(replicas), "CLUSTER", "FAILOVER")
            self.told.append(f"failover from {end.name}: {reply.decode().strip()}")

    def strike_at(self, move: Move, moment: Moment) -> None:
        kind = self.rng.choice(self.kinds)
        host = self.draw_victim(move)
        if kind in DEADLY and self.is_last(host):
            return
        self.pair = move.target if host is move.source else move.source
        self.told.append(f"{kind} of {host.name} {moment}")
        self.world.note(self.told[-1], host.name)
        self.befall(kind, host)

    def is_last(self, host: Host) -> bool:
        """Nobody else has its keys, as where the fault before has split a shard: no promise covers its death then."""
        alone = host.running.gossip.me.is_primary and not self.replicas_of(host)
        return alone and host.running.machine.server.keyspace.database(0).size > 0

    def draw_victim(self, move: Move) -> Host:
        draw = self.rng.random()
        replicas = self.replicas_of(move.source) + self.replicas_of(move.target)
        if draw < 0.36:
            return move.source
        if draw < 0.72:
            return move.target
        if draw < 0.9 and replicas:
            return self.rng.choice(replicas)
        return self.rng.choice(list(self.world.hosts.values()))

    def pair_cut(self, both_ways: bool, host: Host) -> Callable[[], None]:
        """Only between the two ends, or somebody and the source."""
        groups = [[host], [self.pair]]
        self.rng.shuffle(groups)
        self.world.cut(groups[0], groups[1], both_ways)
        return partial(self.world.heal, groups[0], groups[1], both_ways)

    # --- how it ends

    def settle(self, moves: list[Move]) -> None:
        """All is whole: every job must come to its end."""
        self.wait(self.lack, "recovery")
        self.wait(self.changing_places, "end of the failover")
        self.wait(self.unfinished, "end of all jobs", JOBS_END_US)
        self.wait(self.lack, "recovery")
        self.wait(self.leftovers, "order")
        self.world.advance(WAKES_MS)
        self.wait(self.outdated, "certainty")
        self.wait(self.lack, "recovery")  # a node with a slow disk may have been suspected meanwhile
        for move in moves:
            job = move.job_at(move.source)
            if job is not None:
                self.ends[job.state.value] += 1
                self.told.append(f"{move.source.name}: {job.state.value} {job.text}".strip())

    def changing_places(self) -> str:
        """A failover that was asked for may have to be tried again, or be given up."""
        components = ((host.name, host.running.gossip._components) for host in self.world.hosts.values())
        busy = [name for name, of_host in components if of_host.manual_failover.due is not None]
        return f"{busy} change places" if busy else ""

    def outdated(self) -> str:
        """Who may not have been told yet what became of its slots, and takes none."""
        gossips = [(host.name, host.running.gossip) for host in self.world.hosts.values()]
        away = [name for name, gossip in gossips if gossip._components.health.may_be_outdated(gossip._clock.now)]
        return f"{away} were away" if away else ""

    def unfinished(self) -> str:
        for host in self.world.hosts.values():
            for job in host.running.machine.migrations.jobs:
                if not job.ended:
                    return f"{job.operation} at {host.name} is {job.state.value}"
        return ""

    def leftovers(self) -> str:
        """What should not be there when no job is."""
        for host in self.world.hosts.values():
            server = host.running.machine.server
            views = [view for db in server.keyspace.used() for view in db.views]
            for what, there in (
                ("slots are closed", server.leaving.slots), ("keys are beside the data", server.slot_imports.all),
                ("slot_imports", server.slot_imports.by_client), ("taps", server.journal.by_slot), ("views", views),
                ("clients wait", server.waiting.of(LEAVING_KEYS)),
                ("keys that have gone", server.lazyfree.pending), ("a pause", server.conditions & PAUSED),
            ):  # fmt: skip
                if there:
                    return f"{host.name}: {what}"
        return self.misplaced() or self.unlike()

    def misplaced(self) -> str:
        """Keys at somebody who does not own their slots."""
        owners = next(iter(self.world.views().values())).owners
        for host in self.world.hosts.values():
            me = host.running.gossip.me
            for slot, values in self.values_at(host).items():
                if owners[slot] not in (me.id, me.primary):
                    return f"{host.name} has {len(values)} keys of slot {slot}, which is not its own"
        return ""

    def check_owners(self) -> None:
        """Writers are let in everywhere, and nothing is anywhere but with its owner."""
        for what in (self.unfinished(), self.leftovers()):
            if what:
                raise Violation(what)
        owners = next(iter(self.world.views().values())).owners
        by_id = {host.id: host for host in self.world.hosts.values()}
        for tag in self.tags:
            owner = by_id[owners[slot_of(tag)] or ""]
            for _ in range(PROBES):
                reply = self.demand(owner, "SET", f"{{{tag}}}probe", "x")
                if reply and not reply.startswith((b"-UNACKED", b"-CLUSTERDOWN")):
                    break
                self.world.advance(100)
            if reply != b"+OK\r\n" and (not self.acks or self.replicas_of(owner)):
                raise Violation(f"a write of {tag} at {owner.name} is answered {reply!r}")
        if not self.acknowledged and len(self.book.operations) > 20:
            raise Violation("nothing was written")


def slot_of(tag: str) -> int:
    return key_slot(tag.encode())


def ranges_of(slots: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending slots as ranges, both ends included."""
    out: list[tuple[int, int]] = []
    for slot in slots:
        if out and out[-1][1] == slot - 1:
            out[-1] = out[-1][0], slot
        else:
            out.append((slot, slot))
    return out
