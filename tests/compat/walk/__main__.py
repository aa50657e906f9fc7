"""``python -m tests.compat.walk``: a long walk from the command line. The exit status is 1 if there were faults."""

import argparse
import sys
import time

from tests.compat.walk.sides import side
from tests.compat.walk.start import table
from tests.compat.walk.tables import ALWAYS, TABLES
from tests.compat.walk.walker import Fault, Walk


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.compat.walk", description=__doc__)
    types = [name for name in TABLES if name not in ALWAYS]
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100_000, help="requests")
    parser.add_argument("--against", choices=["redis", "valkey"], default="redis")
    parser.add_argument("--ours", choices=["memory", "gossamer", "redis", "valkey"], default="memory")
    parser.add_argument("--digest-every", type=int, default=1000, help="requests between two digests")
    parser.add_argument("types", nargs="*", default=types, help=f"of data, from: {' '.join(types)}")
    return parser.parse_args()


def tell(fault: Fault) -> None:
    print(f"\n{fault.kind}\n{fault}", flush=True)


def main() -> int:
    given = arguments()
    began = time.monotonic()
    with side(given.against) as theirs, side(given.ours) as ours:
        walk = Walk(theirs, ours, given.against, table(theirs, ours, given.types), given.seed)
        walk.on_fault = tell
        walk.run(given.count, given.digest_every)
    took = time.monotonic() - began
    print(f"\nseed {given.seed}: {walk.asked} requests of {len(walk.commands)} commands in {took:.0f} s")
    for kind, count in walk.kinds.most_common():
        print(f"{count:6} times {kind}")
    return int(bool(walk.faults))


if __name__ == "__main__":
    sys.exit(main())
