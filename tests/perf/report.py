"""Figures as tables: with rich on a terminal, as Markdown in RESULTS.md."""

from collections.abc import Iterator, Sequence

from rich.table import Table

from tests.perf.contenders import OURS, REDIS, VALKEY
from tests.perf.figures import Figures, bar, number
from tests.perf.question import Question

PEERS = (REDIS, VALKEY)
HEADINGS = ("load", "server", "median", "from – to", *(f"× {peer}" for peer in PEERS), "goal", "")


def rows(figures: Figures) -> Iterator[list[str]]:
    """A line for each case and server: median, range, ratio to each peer, goal, bar."""
    for case, found in figures.values.items():
        most = max(figures.median(case, name) for name in found)
        for name, values in found.items():
            middle = figures.median(case, name)
            ratios = [figures.ratio(case, name, peer) if name in OURS else None for peer in PEERS]
            yield [
                case,
                name,
                number(middle, figures.digits),
                f"{number(min(values), figures.digits)} – {number(max(values), figures.digits)}",
                *("" if ratio is None else f"{ratio:.2f}" for ratio in ratios),
                figures.verdict(case, name, PEERS),
                bar(middle, most),
            ]


def rich_table(figures: Figures) -> Table:
    table = Table(title=f"{figures.title} ({figures.unit})", title_justify="left")
    for heading in HEADINGS:
        is_figure = heading in ("median", "from – to") or heading.startswith("×")
        table.add_column(heading, justify="right" if is_figure else "left", no_wrap=True)
    last = ""
    for row in rows(figures):
        if last and row[0] != last:
            table.add_section()
        table.add_row(row[0] if row[0] != last else "", *row[1:])
        last = row[0]
    return table


def markdown(
    done: Sequence[tuple[Question, list[Figures]]],
    programs: Sequence[tuple[str, str]],
    machine: Sequence[tuple[str, str]],
    rounds: int,
    scale: float,
) -> str:
    """The whole of RESULTS.md."""
    lines = [
        "# Measured",
        "",
        "Written by `python -m tests.perf --write`; do not edit. Every figure is the median of "
        f"{rounds} rounds in which all servers took turns on the same machine; *from – to* is the range. "
        "Ratios are ours over theirs.",
        "",
        *([f"**Scaled to {scale:g} of the full amounts: not for comparison.**", ""] if scale != 1 else []),
        *pairs("Programs", programs),
        *pairs("Machine", machine),
    ]
    for question, tables in done:
        lines += [f"## {question.name.capitalize()}", "", question.method, ""]
        for figures in tables:
            lines += [f"**{figures.title}** ({figures.unit})", "", *markdown_table(figures), ""]
    return "\n".join(lines).rstrip() + "\n"


def markdown_table(figures: Figures) -> list[str]:
    lines = [f"| {' | '.join(HEADINGS)} |", "|---|---|--:|--:|--:|--:|---|---|"]
    return lines + [f"| {' | '.join(row)} |" for row in rows(figures)]


def pairs(heading: str, facts: Sequence[tuple[str, str]]) -> list[str]:
    return [f"| {heading} | |", "|---|---|", *(f"| {name} | {value} |" for name, value in facts), ""]
