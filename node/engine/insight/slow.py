"""Requests that take long: SLOWLOG and LATENCY look at them, behind one threshold, the lower of the two."""

from typing import Final

from gossamer.node.config import Config
from gossamer.node.engine.insight.latency import LatencyMonitor
from gossamer.node.engine.insight.slowlog import SlowLog
from gossamer.node.engine.state import NodeState
from gossamer.node.engine.table.command import FAST, SKIP_SLOWLOG, Command

NEVER: Final = 1 << 60


class SlowRequests:
    """Keeps the threshold, ``NodeState.slow_us``."""

    def __init__(self, node: NodeState, log: SlowLog, latency: LatencyMonitor, config: Config) -> None:
        self.node: NodeState = node
        self.log: SlowLog = log
        self.latency: LatencyMonitor = latency
        self.config: Config = config
        config.obey(
            ("slowlog-log-slower-than", "slowlog-max-len", "latency-monitor-threshold", "latency-tracking"), self.read
        )

    def read(self) -> str | None:
        """Put the directives into force."""
        config, log, latency = self.config, self.log, self.latency
        log.slower_than = config.integer("slowlog-log-slower-than")
        log.max_len = config.integer("slowlog-max-len")
        latency.threshold_ms = config.integer("latency-monitor-threshold")
        latency.tracking = config.flag("latency-tracking")
        slow = log.slower_than if log.slower_than >= 0 else NEVER
        spike = latency.threshold_ms * 1000 or NEVER
        self.node.slow_us = min(slow, spike)
        return None

    def notice(self, cmd: Command, argv: list[bytes], took_us: int, addr: str, name: bytes) -> None:
        """The client at ``addr``, which calls itself ``name``, has run ``argv``, and it took ``took_us``."""
        now_s = self.node.now_s
        if took_us >= self.log.slower_than >= 0 and not cmd.flags & SKIP_SLOWLOG:
            self.log.record(now_s, took_us, argv, addr, name)
        self.latency.add("fast-command" if cmd.flags & FAST else "command", now_s, took_us // 1000)
