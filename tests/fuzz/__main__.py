"""``python -m tests.fuzz``: many mutants. A failure tells its seed and the bytes, in hexadecimal."""

import argparse
import resource
import sys
import time
from pathlib import Path
from random import Random
from typing import Final

from tests.fuzz.damage import damaged_file, damaged_payload
from tests.fuzz.restoring import Restoring
from tests.fuzz.seeds import all_files, all_payloads

MORE_MEMORY: Final = 1 << 29
"""Bytes of address space beyond that at the start: whoever believes a wrong length gets MemoryError."""
LONGEST_PAYLOAD: Final = 4000
LONGEST_FILE: Final = 30_000
FILES: Final = 0.05
"""The share of files among the mutants."""
FRESH_EVERY: Final = 5_000
SHOWN: Final = 1_500
"""Bytes of a mutant."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=200_000)
    given = parser.parse_args()
    payloads, files = all_payloads(LONGEST_PAYLOAD), all_files(LONGEST_FILE)
    most = address_space() + MORE_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    rng, restoring, began, faults = Random(given.seed), Restoring(), time.monotonic(), 0
    for count in range(1, given.count + 1):
        whole = rng.random() < FILES
        data = damaged_file(files, rng) if whole else damaged_payload(payloads, rng)
        try:
            restoring.file(data) if whole else restoring.payload(data)
        except Exception as error:
            faults += 1
            print(f"{type(error).__name__}: {error!s:.300}\n  at {place(error)}")
            print(f"  {'file' if whole else 'payload'} {data[:SHOWN].hex()}", flush=True)
            restoring = restoring.fresh()
        if count % FRESH_EVERY == 0:
            restoring = restoring.fresh()
    took = time.monotonic() - began
    print(f"{given.count} mutants of {len(payloads)} payloads and {len(files)} files in {took:.0f} s, {faults} faults")
    for what, number in restoring.counts.most_common():
        print(f"{number:8} {what}")
    return int(bool(faults))


def address_space() -> int:
    """Bytes of it that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def place(error: BaseException) -> str:
    trace, lines = error.__traceback__, []
    while trace is not None:
        lines.append(f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " ".join(lines[-5:])


if __name__ == "__main__":
    sys.exit(main())
