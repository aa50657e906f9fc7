"""A slot moves, by the steps of redis-cli, while its keys are written; a fault strikes between two steps.

Then the operator goes on with the remaining steps, at once or when all is whole again, and in the end mends what is
left as ``redis-cli --cluster fix`` does. The slot must have one owner, who alone has its keys, and with
``write-ack-replicas 1`` no acknowledged write may be lost.
"""

from collections.abc import Callable, Iterator, Sequence

from gossamer.cluster.slots import key_slot
from tests.sim.history import Violation
from tests.sim.operations import DONE
from tests.sim.serving import PORT
from tests.sim.world import Host
from tests.sim.writes import Strike, WriteRun, tag_in

BATCH = 12
MOST_STEPS = 9
PATIENCE_MS = 4000
KINDS = ("crash", "power loss", "restart", "freeze", "cut")


class MoveRun(WriteRun):
    """The slot of the first shard's keys moves to the second shard."""

    layouts = ((1, 1, 0),)

    def __init__(self, seed: int, acks: int = 1, kinds: Sequence[str] = ()) -> None:
        super().__init__(seed, acks, kinds or KINDS)
        self.slot = key_slot(tag_in(0).encode())
        self.strike_at = self.rng.randrange(MOST_STEPS)
        self.hasty = self.rng.random() < 0.5
        """The operator does not wait for the recovery."""
        self.steps: list[str] = []
        self.end_strike: Callable[[], None] = lambda: None

    def __str__(self) -> str:
        haste = ", in haste" if self.hasty else ""
        return f"slot {self.slot}, struck before step {self.strike_at}{haste}, {super().__str__()}, {self.steps}"

    def go(self) -> None:
        self.form()
        self.call()
        self.pace(30_000)
        self.world.advance(600 + self.rng.randrange(400))
        source, target = self.world.hosts["n1"], self.world.hosts["n2"]
        self.move(source, target)
        self.wait(self.lack, "recovery")
        self.heal()
        self.finish()
        self.check_slot()

    # --- the steps

    def move(self, source: Host, target: Host) -> None:
        """All steps, and somewhere between them the fault."""
        ids = source.id, target.id
        for number, (host, request) in enumerate(self.plan(source, target, ids)):
            if number == self.strike_at:
                self.begin_strike()
                if not self.hasty:
                    break
            if not self.demand(host, *request).startswith(b"+"):
                break
        if not self.strikes:
            self.begin_strike()
        self.end_strike()

    def plan(self, source: Host, target: Host, ids: tuple[str, str]) -> Iterator[tuple[Host, tuple[str, ...]]]:
        slot = str(self.slot)
        yield target, ("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[0])
        yield source, ("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[1])
        while source.up and (keys := self.keys_at(source)[:BATCH]):
            yield source, ("MIGRATE", target.ip, str(PORT), "", "0", "500", "KEYS", *keys)
        if source.up:
            for host in (target, source):
                yield host, ("CLUSTER", "SETSLOT", slot, "NODE", ids[1])

    def keys_at(self, host: Host) -> list[str]:
        db = host.running.machine.server.keyspace.database(0)
        return [bytes(key).decode() for key in db.keys_in_slot(self.slot)]

    def demand(self, host: Host, *request: str) -> bytes:
        """The answer, empty if there is none."""
        self.steps.append(f"{host.name} {' '.join(request[:5])}")
        if not host.up:
            return b""
        client = self.world.tell(host, *request)
        for _ in range(PATIENCE_MS):
            if client.reply or not host.up:
                break
            self.world.advance(1)
        self.steps[-1] += f": {client.reply.decode().strip()[:80]}"
        if not client.reply:
            host.client = None
        return client.reply

    # --- the fault

    def begin_strike(self) -> None:
        """``end_strike`` must follow."""
        rng, world = self.rng, self.world
        self.pace(2_000)
        world.advance(rng.randrange(30))
        hosts = list(world.hosts.values())
        host = rng.choice(hosts[:2] if rng.random() < 0.7 else hosts)
        kind = rng.choice(self.kinds)
        world.note(f"{kind} begins", host.name)
        self.steps.append(f"** {kind} of {host.name}")
        self.strikes.append(Strike(kind, host, world.now_us, host in self.leaders()))
        undo = self.faults.kinds[kind](host)
        over_us = world.now_us + self.faults.length_us(kind)
        world.timeline.after(200_000, lambda: self.pace(30_000))

        def end() -> None:
            world.advance(max(0, over_us - world.now_us) // 1000)
            world.note(f"{kind} ends", host.name)
            undo()

        self.end_strike = end

    # --- what is left

    def heal(self) -> None:
        for _ in range(20):
            if not self.heal_step():
                return
            self.wait(self.lack, "agreement on the slot")
        raise Violation(f"the slot is still open: {self.steps[-12:]}")

    def primaries(self) -> list[Host]:
        return [h for h in self.world.hosts.values() if h.running.gossip.me.is_primary]

    def owner(self) -> Host:
        views = self.world.views()
        owner = next(iter(views.values())).owners[self.slot]
        return next(h for h in self.world.hosts.values() if h.id == owner)

    def heal_step(self) -> bool:
        """One thing that is still to be done; False if there was nothing."""
        owner, slot = self.owner(), str(self.slot)
        others = [h for h in self.primaries() if h is not owner]
        migrating = owner.running.gossip.snapshot().migrating.get(self.slot)
        target = next((h for h in others if h.id == migrating), None)
        importing = [h for h in others if self.slot in h.running.gossip.snapshot().importing]
        stray = [h for h in others if self.keys_at(h)]
        if target is not None:
            if target not in importing:
                self.demand(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", owner.id)
            self.carry(owner, target, replace=True)
            for host in (target, owner):
                self.demand(host, "CLUSTER", "SETSLOT", slot, "NODE", target.id)
            return True
        for host in [*importing, *(h for h in stray if h not in importing)]:
            if host not in importing:
                self.demand(host, "CLUSTER", "SETSLOT", slot, "IMPORTING", owner.id)
            self.carry(host, owner, replace=False)
            self.demand(host, "CLUSTER", "SETSLOT", slot, "STABLE")
            return True
        if migrating is not None:
            self.demand(owner, "CLUSTER", "SETSLOT", slot, "STABLE")
            return True
        return False

    def carry(self, source: Host, target: Host, *, replace: bool) -> None:
        """All keys of the slot; one that is at both ends is what ``source`` has of it if that is the owner."""
        for _ in range(200):
            keys = self.keys_at(source)[:BATCH]
            if not keys:
                return
            words = ("REPLACE", "KEYS") if replace else ("KEYS",)
            reply = self.demand(source, "MIGRATE", target.ip, str(PORT), "", "0", "1000", *words, *keys)
            if b"BUSYKEY" in reply:
                self.settle_doubled(source, target, keys)
        raise Violation(f"the keys of the slot do not come to an end: {self.steps[-5:]}")

    def settle_doubled(self, source: Host, target: Host, keys: list[str]) -> None:
        """Keys at both ends are well if they are equal; else nobody can tell which value is right."""
        here = {key: self.value_at(source, key) for key in keys}
        there = {key: self.value_at(target, key) for key in keys}
        doubled = [key for key in keys if there[key] is not None and there[key] != here[key]]
        if doubled:
            key = doubled[0]
            raise Violation(f"{key} is {here[key]} at {source.name} and {there[key]} at {target.name}: {self.steps}")
        self.demand(source, "MIGRATE", target.ip, str(PORT), "", "0", "1000", "REPLACE", "KEYS", *keys)

    def check_slot(self) -> None:
        owner = self.owner()
        for host in self.world.hosts.values():
            gossip = host.running.gossip
            has = self.keys_at(host)
            if has and owner.id not in (gossip.me.id, gossip.me.primary):
                raise Violation(f"{host.name} has {len(has)} keys of a slot of {owner.name}: {self.steps}")
            view = gossip.snapshot()
            if gossip.me.is_primary and (self.slot in view.migrating or self.slot in view.importing):
                raise Violation(f"the slot is open at {host.name}")
        if not any(o.outcome == DONE for o in self.book.operations):
            raise Violation("nothing was written")
