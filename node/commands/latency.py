"""LATENCY: slow moments by event, and histograms by command (redis.io, "LATENCY ...").

They are recorded by ``node/engine/insight/latency.py``. The reports for people (DOCTOR) are in our own words.
"""

from typing import Final

from gossamer.cluster.text import bytes_of, text_of
from gossamer.node.commands.latency_graph import draw
from gossamer.node.engine.insight.latency import Event, cumulative
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import ADMIN, LOADING, NOSCRIPT, STALE, Command, command, distinct
from gossamer.node.resp.errors import Refusal, one_line
from gossamer.node.resp.reply import Reply, Status, Verbatim

OPERATOR: Final = ADMIN | NOSCRIPT | LOADING | STALE


@command("LATENCY", arity=-2)
def latency(c: Call, argv: list[bytes]) -> Reply:
    raise AssertionError("dispatch answers a container itself")


@command("LATENCY|LATEST", arity=2, flags=OPERATOR)
def latency_latest(c: Call, _: bytes) -> Reply:
    events = c.server.latency.events
    return [[name, *event.samples[-1], event.max_ms] for name, event in events.items()]


@command("LATENCY|HISTORY", arity=3, flags=OPERATOR)
def latency_history(c: Call, _: bytes, name: bytes) -> Reply:
    event = c.server.latency.events.get(text_of(name))
    return [] if event is None else [list(sample) for sample in event.samples]


@command("LATENCY|RESET", arity=-2, flags=OPERATOR)
def latency_reset(c: Call, argv: list[bytes]) -> Reply:
    return c.server.latency.reset([text_of(name) for name in argv[2:]])


@command("LATENCY|HISTOGRAM", arity=-2, flags=OPERATOR)
def latency_histogram(c: Call, argv: list[bytes]) -> Reply:
    chosen: list[Command] = []
    if len(argv) == 2:
        for cmd in distinct(c.server.table):
            chosen.append(cmd)
            chosen += distinct(cmd.subcommands)
    for word in argv[2:]:
        chosen += named(c.server.table, word.lower())
    out: dict[str, Reply] = {}
    for cmd in chosen:
        usage = c.server.usages.seen(cmd)
        if usage is not None and usage.calls:
            out[cmd.name] = {b"calls": usage.calls, b"histogram_usec": cumulative(usage.histogram)}
    return out


def named(table: dict[bytes, Command], word: bytes) -> list[Command]:
    """The command of that name (``config|set`` for a subcommand), with its subcommands if it has some."""
    parent, bar, sub = word.partition(b"|")
    cmd = table.get(parent)
    if cmd is None:
        return []
    if bar:
        found = cmd.subcommands.get(sub)
        return [] if found is None else [found]
    return [cmd, *distinct(cmd.subcommands)]


@command("LATENCY|GRAPH", arity=3, flags=OPERATOR)
def latency_graph(c: Call, _: bytes, name: bytes) -> Reply:
    event = c.server.latency.events.get(text_of(name))
    if event is None:
        raise Refusal(one_line(b"ERR No samples available for event '%s'" % name))
    return Verbatim(draw(name, event, c.server.now_s))


# --- DOCTOR


@command("LATENCY|DOCTOR", arity=2, flags=OPERATOR)
def latency_doctor(c: Call, _: bytes) -> Reply:
    monitor = c.server.latency
    if not monitor.threshold_ms and not monitor.events:
        text = (
            "Latency monitoring is off. To turn it on, say from how many milliseconds on something is slow: "
            "CONFIG SET latency-monitor-threshold <milliseconds>.\n"
        )
    elif not monitor.events:
        text = "Nothing has been slow since monitoring began.\n"
    else:
        lines = [f"{at}. {diagnosis(name, event)}" for at, (name, event) in enumerate(monitor.events.items(), 1)]
        text = "These events were slow:\n\n" + "\n".join(lines) + "\n\n" + advice(list(monitor.events))
    return Verbatim(bytes_of(text))


def diagnosis(name: str, event: Event) -> str:
    times = [took for _, took in event.samples]
    mean = sum(times) / len(times)
    deviation = sum([abs(took - mean) for took in times]) / len(times)
    span = event.samples[-1][0] - event.samples[0][0]
    return (
        f"{name}: {len(times)} latency spikes (average {mean:.0f}ms, mean deviation {deviation:.0f}ms, "
        f"period {span / len(times):.2f} sec). Worst all time event {event.max_ms}ms."
    )


def advice(names: list[str]) -> str:
    out = ""
    if "command" in names or "fast-command" in names:
        out += "- SLOWLOG GET shows which requests took long; requests on large values or many keys do.\n"
    if "expire-cycle" in names:
        out += "- Many keys end at the same time: spread their times to live.\n"
    return out


HELP = """\
LATENCY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
DOCTOR
    Explain in words what has been slow.
GRAPH <event>
    The samples of <event> as a picture.
HISTORY <event>
    The samples of <event>.
LATEST
    The latest sample of every event.
RESET [<event> ...]
    Forget the samples of these events, or of all.
HISTOGRAM [COMMAND ...]
    How the durations of these commands are distributed, or of all.
HELP
    Print this help."""


@command("LATENCY|HELP", arity=2, flags=LOADING | STALE)
def latency_help(c: Call, _: bytes) -> Reply:
    return [Status(bytes_of(line)) for line in HELP.splitlines()]
