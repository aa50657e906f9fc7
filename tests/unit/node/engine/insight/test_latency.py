"""The latency monitor and the histograms of commands."""

from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.engine.insight.latency import BUCKETS, LatencyMonitor, cumulative, percentile


def histogram(durations: list[int]) -> list[int]:
    out = [0] * BUCKETS
    for duration in durations:
        out[duration.bit_length()] += 1
    return out


def test_only_what_reaches_the_threshold_is_kept() -> None:
    monitor = LatencyMonitor()
    monitor.add("command", 1, 1000)
    monitor.threshold_ms = 5
    monitor.add("command", 1, 4)
    assert monitor.events == {}
    monitor.add("command", 1, 5)
    assert monitor.events["command"].samples == [(1, 5)]


def test_a_second_keeps_its_worst_sample() -> None:
    monitor = LatencyMonitor()
    monitor.threshold_ms = 1
    for now_s, took_ms in ((1, 5), (1, 9), (1, 7), (2, 3)):
        monitor.add("command", now_s, took_ms)
    assert monitor.events["command"].samples == [(1, 9), (2, 3)]
    assert monitor.events["command"].max_ms == 9


def test_the_oldest_samples_go() -> None:
    monitor = LatencyMonitor()
    monitor.threshold_ms = 1
    for now_s in range(200):
        monitor.add("command", now_s, 200 - now_s)
    event = monitor.events["command"]
    assert (len(event.samples), event.samples[0][0], event.max_ms) == (160, 40, 200)


def test_reset_counts_what_it_forgets() -> None:
    monitor = LatencyMonitor()
    monitor.threshold_ms = 1
    for name in ("a", "b", "c"):
        monitor.add(name, 1, 1)
    assert monitor.reset(["a", "no"]) == 1
    assert monitor.reset([]) == 2


def test_bounds_are_those_that_redis_names() -> None:
    """Observed on 7.0.15 with DEBUG SLEEP."""
    observed = [1, 2, 4, 8, 16, 33, 66, 132, 264, 528, 1056, 2113, 4227, 8454, 16908, 33816, 67633, 135266, 270532,
                541065, 1073741]  # fmt: skip
    assert list(cumulative([1] * BUCKETS)) == observed


@given(st.lists(st.integers(0, 10**7), min_size=1), st.floats(0.1, 100))
def test_a_percentile_is_right_within_a_power_of_two(durations: list[int], percent: float) -> None:
    exact = sorted(durations)[max(0, -(-int(len(durations) * percent * 1000) // 100_000) - 1)]
    bucket = exact.bit_length()
    low = 0 if bucket == 0 else 1 << (bucket - 1)
    assert low <= percentile(histogram(durations), percent) <= 1 << bucket
