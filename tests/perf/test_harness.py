"""The benchmarks' own arithmetic and reading. Nothing here measures anything."""

import pytest

from gossamer.deploy.load import Load, Outcome, median_of, read_csv
from gossamer.deploy.servers import TICKS, cpu_in_stat
from gossamer.deploy.user_error import UserError
from tests.perf.__main__ import read
from tests.perf.facts import version_in
from tests.perf.figures import Figures, Goal, bar, number
from tests.perf.memory import batches, resident_in_status
from tests.perf.question import Question
from tests.perf.report import heading, markdown, markdown_table, rows

CSV = """\
"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
"GET","120724.34","0.312","0.080","0.303","0.503","0.719","2.423"
"""


def figures() -> Figures:
    out = Figures(
        "Throughput",
        "requests/s",
        (Goal("gossamer compiled", 0.95, at_least=True, cases=("GET",)),),
        digits=0,
    )
    for rate in (90.0, 10.0, 96.0):
        out.add("GET", "gossamer compiled", rate)
    for rate in (100.0, 90.0, 1000.0):
        out.add("GET", "redis", rate)
    out.add("GET", "valkey", 60.0)
    return out


def test_figures_are_read_by_their_heading() -> None:
    assert read_csv("WARNING: Could not fetch server CONFIG\n" + CSV) == Outcome(120724.34, 0.303, 0.719)


def test_a_load_that_gave_no_figures_is_a_problem() -> None:
    with pytest.raises(UserError, match="refused"):
        read_csv("Could not connect: Connection refused")


def test_processor_time_is_user_and_system_time_whatever_the_program_is_called() -> None:
    fields = " ".join(["S", *("1" * 10), str(3 * TICKS), str(2 * TICKS), "7", "7"])
    assert cpu_in_stat(f"42 (a) b) {fields}") == 5.0


def test_each_figure_has_its_own_median() -> None:
    outcomes = [Outcome(1, 30, 5, 2.0), Outcome(2, 10, 9, 1.0), Outcome(9, 20, 7, 3.0)]
    assert median_of(outcomes) == Outcome(2, 20, 7, 2.0)
    assert median_of([Outcome(1, 1, 1, None), Outcome(1, 1, 1, 5.0)]).cpu_us is None


def test_a_load_names_what_redis_benchmark_shall_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gossamer.deploy.load.benchmark_program", lambda: "redis-benchmark")
    words = " ".join(Load("get", 500, pipeline=16, cluster=True).command(7000))
    assert words == "redis-benchmark -h 127.0.0.1 -p 7000 -n 500 --csv -c 50 -P 16 -r 100000 -d 3 --cluster -t get"
    words = " ".join(Load("xadd", 500, words=("XADD", "s")).command(7000))
    assert words == "redis-benchmark -h 127.0.0.1 -p 7000 -n 500 --csv -c 50 -P 1 -r 100000 -d 3 XADD s"


def test_ratios_are_of_medians() -> None:
    assert figures().ratio("GET", "gossamer compiled", "redis") == 0.9
    assert figures().ratio("GET", "gossamer compiled", "nobody") is None


def test_a_goal_is_judged_beside_every_peer() -> None:
    found = figures()
    assert found.verdict("GET", "gossamer compiled", ["valkey"]) == "≥ 0.95 × met"
    assert found.verdict("GET", "gossamer compiled", ["redis"]) == "≥ 0.95 × missed"
    assert found.verdict("GET", "gossamer compiled", ["redis", "valkey"]) == "≥ 0.95 × missed beside redis"
    assert found.verdict("GET", "redis", ["valkey"]) == ""


def test_a_goal_beside_one_peer_is_judged_beside_that_one() -> None:
    found = figures()
    ours = "gossamer compiled"
    found.goals = (Goal(ours, 1.0, True, beside="redis"), Goal(ours, 0.9, True, beside="valkey"))
    assert found.verdict("GET", ours, ["redis", "valkey"]) == "≥ 1 × redis missed; ≥ 0.9 × valkey met"


def test_an_absolute_goal_needs_no_peer() -> None:
    found = Figures("Formation", "s", (Goal("ours", 1.2, at_least=False, absolute=True),))
    found.add("6", "ours", 1.3)
    assert found.verdict("6", "ours", ["redis"]) == "≤ 1.2 missed"


def test_a_goal_without_a_peer_is_not_judged() -> None:
    assert figures().verdict("GET", "gossamer compiled", []) == "≥ 0.95 ×"


@pytest.mark.parametrize(("value", "picture"), [(0, ""), (8, "████"), (4, "██"), (5, "██▌"), (0.25, "▏"), (99, "████")])
def test_bars_are_drawn_in_eighths(value: float, picture: str) -> None:
    assert bar(value, 8, width=4) == picture


def test_large_numbers_have_no_decimals() -> None:
    assert [number(123456.7, 2), number(1.234, 2), number(0.5, 0)] == ["123,457", "1.23", "0"]


def test_a_report_has_a_line_for_each_server_with_its_ratios() -> None:
    assert [row[:6] for row in rows(figures())] == [
        ["GET", "gossamer compiled", "90", "10 – 96", "0.90", "1.50"],
        ["GET", "redis", "100", "90 – 1,000", "", ""],
        ["GET", "valkey", "60", "60 – 60", "", ""],
    ]
    heads, rule, *lines = markdown_table(figures())
    assert len(lines) == 3
    assert {line.count("|") for line in (heads, rule, *lines)} == {9}


def test_the_keys_of_the_memory_benchmark_have_the_sizes_it_promises() -> None:
    commands = [words for batch in batches(1201, 64) for words in batch]
    assert len({key for _, key, _ in commands}) == 1201
    assert {(len(key), len(value)) for _, key, value in commands} == {(16, 64)}


def test_resident_memory_is_read_in_bytes() -> None:
    assert resident_in_status("VmHWM:\t  99 kB\nVmRSS:\t  12 kB\n") == 12 * 1024


def test_versions_are_found_in_what_programs_say() -> None:
    assert version_in("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0") == "7.0.15"
    assert version_in("redis-benchmark 7.0.15\n") == "7.0.15"


def test_the_results_keep_what_was_not_measured_again() -> None:
    head, order = heading([("redis", "7.0.15")]), ["first", "second", "third"]
    first, third = (Question(name, f"How {name}.", lambda _: []) for name in ("first", "third"))
    before = markdown([(third, [figures()])], head, "*long ago*", "", order)
    after = markdown([(first, [figures()])], head, "*today*", before, order)
    assert after.startswith(head)
    assert before.removeprefix(head) in after
    assert after.index("## First") < after.index("*today*") < after.index("## Third") < after.index("*long ago*")
    assert markdown([(first, [figures()])], head, "*today*", after, order) == after


def test_results_are_of_both_builds() -> None:
    assert read(["--write"]).names[0] == "throughput"
    with pytest.raises(SystemExit):
        read(["--write", "--interpreted-only"])
    with pytest.raises(SystemExit):
        read(["nonsense"])
