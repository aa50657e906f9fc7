"""``python -m tests.sim --seed N [--nodes K] [--seeds A..B] [--verbose]``: run the simulation, print each run's hash.

A seed that fails prints why, the last things that happened, and the command that runs it again; the exit code is 1.
"""

import argparse
import gc
import sys
import time
import traceback

from tests.sim.history import line
from tests.sim.swarm import Run


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.sim", description="A whole cluster under one seed.")
    arguments.add_argument("--seed", type=int)
    arguments.add_argument("--seeds", metavar="A..B", help="all seeds from A to B, both included")
    arguments.add_argument(
        "--nodes", type=int, choices=range(2, 51), metavar="K", help="how many; else the seed decides"
    )
    arguments.add_argument("--verbose", action="store_true", help="print everything that happens")
    options = arguments.parse_args()
    if options.seeds:
        first, _, last = options.seeds.partition("..")
        seeds = range(int(first), int(last or first) + 1)
    else:
        seed = options.seed if options.seed is not None else 1
        seeds = range(seed, seed + 1)
    began = time.perf_counter()
    failed = [seed for seed in seeds if not one(seed, options.nodes, options.verbose, len(seeds) > 1)]
    took = time.perf_counter() - began
    if len(seeds) > 1:
        print(f"{len(seeds)} seeds in {took:.1f} s, {len(seeds) / took:.1f} a second; failed: {failed or 'none'}")
    return 1 if failed else 0


def one(seed: int, nodes: int | None, verbose: bool, many: bool) -> bool:
    run = Run(seed, nodes)
    if verbose:
        run.world.history.everything = []
    began = time.perf_counter()
    gc.disable()
    try:
        run.go()
    except Exception as error:
        tell_failure(seed, nodes, run, error)
        return False
    finally:
        gc.enable()
        gc.collect(0)
        if verbose:
            print("\n".join(map(line, run.world.history.everything or [])))
    took = time.perf_counter() - began
    history = run.world.history
    print(
        f"seed {seed}: {history.digest()}  {history.count} records, {run.world.now_us / 1e6:.1f} s in {took:.2f} s, "
        f"agreed after {run.converged_ms} ms"
    )
    if not many:
        print(run.options)
    return True


def tell_failure(seed: int, nodes: int | None, run: Run, error: Exception) -> None:
    print(f"\nseed {seed} FAILED: {type(error).__name__}: {error}", file=sys.stderr)
    print(f"  {run.options}", file=sys.stderr)
    print("\n".join(f"  {text}" for text in run.world.history.short()), file=sys.stderr)
    print("".join(traceback.format_exception(error)[-6:]), file=sys.stderr)
    again = f" --nodes {nodes}" if nodes else ""
    print(f"replay: python -m tests.sim --seed {seed}{again}\n", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
