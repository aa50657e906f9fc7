"""A primary that drops off the network: nothing comes from it any more, and nothing is refused.

Everything happens in network namespaces that are made here and are gone with the process: one for the measuring process
and five nodes, one for the primary, and a pair of virtual interfaces between them. ``python -m tests.perf.blackhole``
runs inside and prints the seconds. No rights are needed where users may have namespaces of their own.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Final

from gossamer.deploy.servers import Kind, Node
from gossamer.deploy.user_error import UserError
from tests.perf.shards import seconds_to_a_write, shards

HERE: Final = "10.77.0.1"
THERE: Final = "10.77.0.2"
LIMIT_S: Final = 300.0
INSIDE: Final = ("unshare", "--user", "--map-root-user", "--net")
ROOT: Final = Path(__file__).resolve().parents[2]


@cache
def obstacle() -> str:
    """Why it cannot be measured here; empty if it can."""
    missing = [name for name in ("ip", "unshare", "nsenter") if shutil.which(name) is None]
    if missing:
        return f"there is no {missing[0]} here"
    done = subprocess.run([*INSIDE, "ip", "link", "set", "lo", "up"], capture_output=True, text=True)
    return f"no network namespace can be made here: {done.stderr.strip()}" if done.returncode else ""


def measured(kind: Kind, timeout_ms: int) -> float:
    """Seconds from the cut to the first write that the replica takes."""
    told = json.dumps([kind.name, kind.command, kind.environment, kind.ours, timeout_ms])
    done = subprocess.run(
        [*INSIDE, sys.executable, "-m", "tests.perf.blackhole", told],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    if done.returncode:
        raise UserError(f"{kind.name} in a black hole: {done.stderr.strip()[-300:]}")
    return float(done.stdout)


def main(told: str) -> None:
    name, command, environment, ours, timeout_ms = json.loads(told)
    with elsewhere() as inside:
        print(cut_off(Kind(name, tuple(command), tuple(map(tuple, environment)), ours), timeout_ms, inside))


@contextmanager
def elsewhere() -> Iterator[tuple[str, ...]]:
    """The words before a command that is to run in the other namespace."""
    holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep 3600"], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        inside = ("nsenter", "--net", "--target", str(holder.pid))
        do("ip", "link", "set", "lo", "up")
        do("ip", "link", "add", "here", "type", "veth", "peer", "name", "there", "netns", str(holder.pid))
        do("ip", "address", "add", f"{HERE}/24", "dev", "here")
        do("ip", "link", "set", "here", "up")
        for words in (("link", "set", "lo", "up"), ("address", "add", f"{THERE}/24", "dev", "there")):
            do(*inside, "ip", *words)
        do(*inside, "ip", "link", "set", "there", "up")
        # Who is gone must not be told by address resolution: that fails aloud.
        shown = subprocess.run([*inside, "ip", "-json", "link", "show", "there"], capture_output=True, check=True)
        address = json.loads(shown.stdout)[0]["address"]
        do("ip", "neighbour", "replace", THERE, "lladdr", address, "dev", "here", "nud", "permanent")
        yield inside
    finally:
        holder.kill()
        holder.wait()


def do(*words: str) -> None:
    subprocess.run(words, check=True)


def cut_off(kind: Kind, timeout_ms: int, inside: tuple[str, ...]) -> float:
    """Three shards, of which the first primary made is in the other namespace; its interface goes down there."""
    made: list[Node] = []

    def make(kind: Kind, *options: str) -> Node:
        apart = not made
        command = (*inside, *kind.command) if apart else kind.command
        there = Kind(kind.name, command, kind.environment, kind.ours)
        made.append(Node(there, *options, "--protected-mode", "no", host=THERE if apart else HERE))
        return made[-1]

    with shards(kind, timeout_ms, make) as found:
        shard = next(shard for shard in found if shard.primary is made[0])
        return seconds_to_a_write(shard, partial(do, *inside, "ip", "link", "set", "there", "down"))


if __name__ == "__main__":
    main(sys.argv[1])
