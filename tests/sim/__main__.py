"""``python -m tests.sim --seed N [--seeds A..B] [--nodes K] [--verbose]``: run the simulation, print each run's hash.

``--shards`` runs shards that are written to instead (writes.py), ``--moves`` such in which a slot moves (moving.py),
``--moves --atomic`` such in which ranges move at one stroke (migrating.py), with ``--acks N`` for write-ack-replicas,
and says what was lost. ``--failovers`` runs shards without data, in which
nobody may be suspected in haste (shards.py), ``--disks`` shards that keep their data (disks.py), ``--neighbours`` two
clusters that touch (neighbours.py). A seed that fails prints why, the last things that happened, and the command that
runs it again; the exit code is 1.
"""

import argparse
import gc
import sys
import time
import traceback
from collections.abc import Callable
from typing import Protocol

from tests.sim.disks import POLICIES, DiskRun
from tests.sim.history import Violation, line
from tests.sim.losses import Losses
from tests.sim.migrating import MigrateRun
from tests.sim.moving import MoveRun
from tests.sim.neighbours import Neighbours
from tests.sim.sealing import WHY_NOT
from tests.sim.shards import ShardRun
from tests.sim.swarm import Run
from tests.sim.world import World
from tests.sim.writes import WriteRun


class AnyRun(Protocol):
    """One world under one seed; ``str()`` says what the seed has drawn."""

    @property
    def world(self) -> World: ...

    def go(self) -> None: ...

    def outcome(self) -> str:
        """What is to be said of a run that went well."""
        ...


Maker = Callable[[int], AnyRun]


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.sim", description="A whole cluster under one seed.")
    arguments.add_argument("--seed", type=int)
    arguments.add_argument("--seeds", metavar="A..B", help="all seeds from A to B, both included")
    arguments.add_argument(
        "--nodes", type=int, choices=range(2, 51), metavar="K", help="how many; else the seed decides"
    )
    arguments.add_argument("--shards", action="store_true", help="shards with replicas and clients that write")
    arguments.add_argument("--moves", action="store_true", help="the same, while a slot moves")
    arguments.add_argument("--atomic", action="store_true", help="with --moves: ranges at one stroke, by MIGRATESLOTS")
    arguments.add_argument("--failovers", action="store_true", help="shards with replicas, and nothing but gossip")
    arguments.add_argument("--neighbours", action="store_true", help="two clusters in one network")
    arguments.add_argument(
        "--disks", action="store_true", help="shards that keep their data, whose disks and power fail"
    )
    arguments.add_argument("--appendfsync", choices=POLICIES, help="with --disks: else the seed decides")
    arguments.add_argument("--sealed", choices=("yes", "no"), help="with --disks: files at rest; else the seed decides")
    arguments.add_argument(
        "--acks", type=int, metavar="N", help="with --shards (1) or --disks (drawn): write-ack-replicas"
    )
    arguments.add_argument("--faults", default="", metavar="A,B", help="with --shards: only these kinds of faults")
    arguments.add_argument("--verbose", action="store_true", help="print everything that happens")
    options = arguments.parse_args()
    if options.seeds:
        first, _, last = options.seeds.partition("..")
        seeds = range(int(first), int(last or first) + 1)
    else:
        seed = options.seed if options.seed is not None else 1
        seeds = range(seed, seed + 1)
    losses = Losses()
    make, again = maker(options, losses)
    began = time.perf_counter()
    gc.disable()
    failed: list[int] = []
    for seed in seeds:
        if not one(seed, make, again, options.verbose, len(seeds) > 1):
            failed.append(seed)
        gc.collect(0)  # the whole world of a run is one cycle, and as young as can be while nobody else collects
    took = time.perf_counter() - began
    if len(seeds) > 1:
        print(f"{len(seeds)} seeds in {took:.1f} s, {len(seeds) / took:.1f} a second; failed: {failed or 'none'}")
    if options.shards or options.moves or options.disks:
        print("\n".join(losses.report()))
    return 1 if failed else 0


def maker(options: argparse.Namespace, losses: Losses) -> tuple[Maker, str]:
    """What makes a run of a seed, and the options that ask for the same again."""
    if options.failovers:
        return ShardRun, " --failovers"
    if options.neighbours:
        return Neighbours, " --neighbours"
    if options.disks:
        return disk_maker(options, losses)
    if not options.shards and not options.moves:
        nodes = options.nodes
        return lambda seed: Run(seed, nodes), f" --nodes {nodes}" if nodes else ""
    made: type[WriteRun] = WriteRun
    if options.moves:
        made = MigrateRun if options.atomic else MoveRun
    moves = "moves --atomic" if options.atomic else "moves"
    acks = 1 if options.acks is None else options.acks
    kinds = options.faults.split(",") if options.faults else ()
    again = f" --{moves if options.moves else 'shards'} --acks {acks}" + (
        f" --faults '{options.faults}'" if kinds else ""
    )
    return lambda seed: Told(made(seed, acks, kinds), losses), again


def disk_maker(options: argparse.Namespace, losses: Losses) -> tuple[Maker, str]:
    kinds = options.faults.split(",") if options.faults else ()
    again = " --disks"
    if WHY_NOT:
        print(WHY_NOT, file=sys.stderr)
        if options.sealed == "yes":
            sys.exit(2)
    sealed = None if options.sealed is None else options.sealed == "yes"
    for name in ("appendfsync", "acks", "faults", "sealed"):
        if getattr(options, name) not in (None, ""):
            again += f" --{name} '{getattr(options, name)}'"
    return lambda seed: Told(DiskRun(seed, options.appendfsync, options.acks, kinds, sealed), losses), again


class Told:
    """A run of shards whose losses are counted; with write-ack-replicas each is a violation."""

    def __init__(self, run: WriteRun, losses: Losses) -> None:
        self._run = run
        self._losses = losses

    @property
    def world(self) -> World:
        return self._run.world

    def __str__(self) -> str:
        return str(self._run)

    def go(self) -> None:
        self._run.go()
        self._losses.add(self._run)
        broken = self._run.broken()
        if broken:
            raise Violation(broken)

    def outcome(self) -> str:
        verdict = self._run.verdict
        counts = f"{len(self._run.book.operations)} requests, {len(verdict.lost)} lost, {len(verdict.odd)} odd"
        return f"{counts}{self._run.outcome()}"


def one(seed: int, make: Maker, again: str, verbose: bool, many: bool) -> bool:
    run = make(seed)
    if verbose:
        run.world.history.everything = []
    began = time.perf_counter()
    try:
        run.go()
    except Exception as error:
        tell_failure(seed, again, run, error)
        return False
    finally:
        if verbose:
            print("\n".join(map(line, run.world.history.everything or [])))
    took = time.perf_counter() - began
    history = run.world.history
    print(
        f"seed {seed}: {history.digest()}  {history.count} records, {run.world.now_us / 1e6:.1f} s in {took:.2f} s, "
        f"{run.outcome()}"
    )
    if not many:
        print(run)
    return True


def tell_failure(seed: int, again: str, run: AnyRun, error: Exception) -> None:
    print(f"\nseed {seed} FAILED: {type(error).__name__}: {error}", file=sys.stderr)
    print(f"  {run}", file=sys.stderr)
    print("\n".join(f"  {text}" for text in run.world.history.short()), file=sys.stderr)
    print("".join(traceback.format_exception(error)[-6:]), file=sys.stderr)
    print(f"replay: python -m tests.sim --seed {seed}{again}\n", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
