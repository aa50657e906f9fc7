"""Stay with a cluster until somebody asks to end: as a live table on a terminal, as log lines elsewhere."""

import sys
import time
from typing import Final

from gossamer.deploy.local import LocalCluster, password_in
from gossamer.deploy.sample import Sample, Watcher
from gossamer.deploy.signals import Signals

LOOK_S: Final = 1.0
"""Between two looks at all nodes."""


class Watch:
    """Of the nodes of ``cluster``, whose processes are children of this one."""

    def __init__(self, cluster: LocalCluster, signals: Signals) -> None:
        record = cluster.record
        password = password_in(record.options)
        self._signals = signals
        self._children = cluster.children
        self._watchers = [Watcher(record.host, port, password) for port in record.ports]
        self._said: dict[str, str] = {}

    def run(self) -> bool:
        """Until somebody asks to end (True), or no node runs any more (False)."""
        if sys.stdout.isatty():
            return self._run_table()
        return self._run_lines()

    def close(self) -> None:
        for watcher in self._watchers:
            watcher.close()

    def _run_table(self) -> bool:
        from rich.live import Live

        from gossamer.deploy.table import draw

        with Live(auto_refresh=False, transient=False) as live:
            while not self._signals.asked_to_end:
                samples = self._look()
                live.update(draw(samples, caption="Ctrl-C ends all"), refresh=True)
                if not self._any_runs(samples):
                    return False
                self._signals.wait(LOOK_S)
        return True

    def _run_lines(self) -> bool:
        while not self._signals.asked_to_end:
            samples = self._look()
            for sample in samples:
                if self._said.get(sample.address, "ok") != sample.state:
                    log(f"{sample.address} {sample.state}")
                self._said[sample.address] = sample.state
            if not self._any_runs(samples):
                return False
            self._signals.wait(LOOK_S)
        return True

    def _look(self) -> list[Sample]:
        samples = [watcher.look() for watcher in self._watchers]
        for at, child in enumerate(self._children):
            if not child.check() and not samples[at].answered:  # else somebody has brought it back
                samples[at] = self._watchers[at].gone(child.ended or "")
        return samples

    def _any_runs(self, samples: list[Sample]) -> bool:
        return any(child.ended is None for child in self._children) or any(sample.answered for sample in samples)


def log(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)
