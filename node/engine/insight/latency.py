"""LATENCY: the slowest moments of the node by event, and how long each command takes as a histogram.

Events are kept when they take at least ``latency-monitor-threshold`` milliseconds: ``command`` and ``fast-command`` by
dispatch, ``expire-cycle`` by the expiry. At most one sample a second and event, the worst of that second; the last 160
are kept (latency.c of Redis 7.0).

A histogram has one bucket for each power of two of microseconds, so that counting costs the hot path one list index.
"""

from typing import Final

SAMPLES: Final = 160
"""Samples kept for an event."""

BUCKETS: Final = 48
"""Bucket ``n`` counts durations below 2**n microseconds that bucket ``n - 1`` does not; the last one holds years."""

SHOWN_BUCKETS: Final = 21
"""LATENCY HISTOGRAM ends with a bucket for everything above half a second."""

SHOWN_LAST: Final = 1_073_741


class Event:
    """The samples of one event, oldest first, as (unix seconds, milliseconds)."""

    def __init__(self) -> None:
        self.samples: list[tuple[int, int]] = []
        self.max_ms: int = 0

    def add(self, now_s: int, took_ms: int) -> None:
        self.max_ms = max(self.max_ms, took_ms)
        samples = self.samples
        if samples and samples[-1][0] == now_s:
            samples[-1] = (now_s, max(samples[-1][1], took_ms))
            return
        samples.append((now_s, took_ms))
        if len(samples) > SAMPLES:
            del samples[0]


class LatencyMonitor:
    """``threshold_ms`` 0 records nothing."""

    def __init__(self) -> None:
        self.threshold_ms: int = 0
        self.tracking: bool = True
        """LATENCY HISTOGRAM and INFO latencystats have something to tell."""
        self.events: dict[str, Event] = {}

    def add(self, name: str, now_s: int, took_ms: int) -> None:
        """``name`` took ``took_ms``; kept if that is long enough to be worth it."""
        if not 0 < self.threshold_ms <= took_ms:
            return
        event = self.events.get(name)
        if event is None:
            event = self.events[name] = Event()
        event.add(now_s, took_ms)

    def reset(self, names: list[str]) -> int:
        """Forget the events of these names, all if there are none; how many were forgotten."""
        doomed = [name for name in names or list(self.events) if name in self.events]
        for name in doomed:
            self.events.pop(name, None)
        return len(set(doomed))


def bucket_bound(bucket: int) -> int:
    """The upper bound of a bucket in microseconds, named as in Redis, whose buckets end 3.2 % above a power of two."""
    return SHOWN_LAST if bucket >= SHOWN_BUCKETS - 1 else (1032 << bucket) // 1000


def cumulative(histogram: list[int]) -> dict[int, int]:
    """Upper bound in microseconds → how many were not slower; only bounds at which the count grows."""
    out: dict[int, int] = {}
    total = 0
    for bucket, count in enumerate(histogram):
        if count:
            total += count
            out[bucket_bound(bucket)] = total
    return out


def percentile(histogram: list[int], percent: float) -> float:
    """The duration in microseconds that ``percent`` of all do not exceed, taken as evenly spread inside its bucket."""
    total = sum(histogram)
    wanted = total * percent / 100
    seen = 0
    for bucket, count in enumerate(histogram):
        if count and seen + count >= wanted:
            low = 0.0 if bucket == 0 else float(1 << (bucket - 1))
            high = float(1 << bucket)
            return low + (high - low) * max(wanted - seen, 1.0) / count
        seen += count
    return 0.0
