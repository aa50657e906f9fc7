"""How long is a shard without a primary that takes writes: killed, gone silent, handed over?"""

import os
import signal
from collections.abc import Callable
from typing import Final

from gossamer.deploy.servers import Kind
from tests.perf import blackhole
from tests.perf.contenders import OURS
from tests.perf.figures import Figures, Goal
from tests.perf.question import Bench, Question
from tests.perf.shards import Shard, hand_over, seconds_to_a_write, shards

DEFAULT_MS: Final = 15_000
SHORT_MS: Final = 1_000

KILLED_LATE: Final = f"SIGKILL, node timeout {DEFAULT_MS:,} ms"
KILLED: Final = f"SIGKILL, node timeout {SHORT_MS:,} ms"
FROZEN: Final = f"SIGSTOP, node timeout {SHORT_MS:,} ms"
CUT_OFF: Final = f"black hole, node timeout {SHORT_MS:,} ms"
GOALS_S: Final = {KILLED_LATE: 1.0, KILLED: 0.7, FROZEN: 1.4, CUT_OFF: 1.4}
PAUSE_GOAL_MS: Final = 10.0


def measure(bench: Bench) -> list[Figures]:
    goals = [Goal(name, most, False, (case,), absolute=True) for case, most in GOALS_S.items() for name in OURS]
    silence = Figures("From the end of a primary to a write on its replica", "s", tuple(goals))
    most = tuple(Goal(name, PAUSE_GOAL_MS, False, absolute=True) for name in OURS)
    pause = Figures("CLUSTER FAILOVER under writes", "ms", (*most,), digits=1)
    if blackhole.obstacle():
        bench.tell(f"failover: no black hole, {blackhole.obstacle()}")
    for turn in range(bench.rounds):
        bench.tell(f"failover: round {turn + 1} of {bench.rounds}")
        for kind in bench.kinds:
            short(kind, silence, pause)
            if kind.ours or (turn == 0 and bench.scale >= 1):
                with shards(kind, DEFAULT_MS) as found:
                    silence.add(KILLED_LATE, kind.name, seconds_to_a_write(found[0], killing(found[0])))
            if not blackhole.obstacle():
                silence.add(CUT_OFF, kind.name, blackhole.measured(kind, SHORT_MS))
    return [silence, pause]


def short(kind: Kind, silence: Figures, pause: Figures) -> None:
    """What can be measured on one cluster: each of its shards is disturbed in another way."""
    with shards(kind, SHORT_MS) as (first, second, third):
        pause.add("between two writes", kind.name, hand_over(first) * 1000)
        silence.add(KILLED, kind.name, seconds_to_a_write(second, killing(second)))
        silence.add(FROZEN, kind.name, seconds_to_a_write(third, killing(third, signal.SIGSTOP)))


def killing(shard: Shard, how: signal.Signals = signal.SIGKILL) -> Callable[[], None]:
    return lambda: os.kill(shard.primary.pid, how)


QUESTION = Question(
    "failover",
    "Three primaries with a replica each, formed by `redis-cli --cluster create`. One client sends SET to the replica "
    "until it is taken; the clock starts with the signal to the primary. At the default node timeout the real servers "
    "are measured in one round only, because each takes over 20 s. Black hole: the primary lives in a network "
    "namespace of its own, and its interface is taken down there, so that packets to it are dropped and nothing is "
    "refused. Hand-over: one client writes without a break to the primary and goes on where MOVED sends it, while "
    "the replica is told CLUSTER FAILOVER; the figure is the time between the last write that the old primary took and "
    "the first that the new one took.",
    measure,
)
