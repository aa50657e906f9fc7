"""A settled cluster says no more than its heartbeat: nothing goes round in circles.

Every node pings each other once per half node timeout and one more each second, and each ping is answered.
"""

from tests.sim.checkers.checker import Checker
from tests.sim.history import Record, Settled, Started, Violation


class SettledIsQuiet(Checker):
    kinds = (Started, Settled)

    def __init__(self) -> None:
        self._timeout_ms = 0

    def see(self, record: Record) -> None:
        if isinstance(record, Started):
            self._timeout_ms = record.node_timeout_ms
        elif isinstance(record, Settled):
            peers = len(record.sent) - 1
            pings = record.over_ms / 1000 + peers * (2 * record.over_ms / self._timeout_ms + 1)
            for host, sent in record.sent.items():
                if sent > 3 * pings:
                    raise Violation(
                        f"{host} sent {sent} messages in {record.over_ms} ms, its heartbeat is {2 * pings:.0f}"
                    )
