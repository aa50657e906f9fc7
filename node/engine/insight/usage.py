"""How often each command of one server was called and how long it took: INFO commandstats, LATENCY HISTOGRAM.

The records of commands are shared by all servers of a process and never change; what a server counts stands here, by
the number of the command.
"""

from gossamer.node.engine.insight.latency import BUCKETS
from gossamer.node.engine.table.command import Command


class Usage:
    """Of one command. Refused (by a gate) and failed (in its handler) are told apart, as in Redis."""

    def __init__(self) -> None:
        self.calls: int = 0
        self.microseconds: int = 0
        self.rejected_calls: int = 0
        self.failed_calls: int = 0
        self.histogram: list[int] = [0] * BUCKETS
        """Durations by the bit length of their microseconds."""


class Usages:
    """``by_number[cmd.number]`` is the usage of ``cmd``, None as long as nobody has called it."""

    def __init__(self, commands: int) -> None:
        self.by_number: list[Usage | None] = [None] * commands

    def of(self, cmd: Command) -> Usage:
        """The usage of ``cmd``, to be counted in."""
        usage = self.by_number[cmd.number]
        if usage is None:
            usage = self.by_number[cmd.number] = Usage()
        return usage

    def number_more(self) -> int:
        """The number of a command that only this server has."""
        self.by_number.append(None)
        return len(self.by_number) - 1

    def seen(self, cmd: Command) -> Usage | None:
        """The usage of ``cmd``; None if nobody has called it."""
        return self.by_number[cmd.number]

    def reset(self) -> None:
        """CONFIG RESETSTAT: as if no command had ever been called."""
        self.by_number = [None] * len(self.by_number)
