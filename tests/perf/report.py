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
    head: str,
    conditions: str,
    before: str = "",
    order: Sequence[str] = (),
) -> str:
    """The whole of RESULTS.md: what was ``done`` under these conditions, and of ``before`` what was not done again.

    ``order`` has the names of all questions.
    """
    sections = sections_of(before)
    for question, tables in done:
        sections[title(question.name)] = section(question, tables, conditions)
    places = {title(name): place for place, name in enumerate(order)}
    known = sorted(sections, key=lambda name: places.get(name, -1))
    return "\n".join([head, *(sections[name] for name in known)]).rstrip() + "\n"


def heading(programs: Sequence[tuple[str, str]]) -> str:
    """What stands above all sections, which are of these programs."""
    lines = [
        "# Measured",
        "",
        "Written by `python -m tests.perf --write`; do not edit. Every figure is the median of some rounds, in which "
        "all servers took turns on the same machine; *from – to* is the range. Ratios are ours over theirs; figures of "
        "sections that were measured at different times are not to be compared.",
        "",
        *pairs("Programs", programs),
    ]
    return "\n".join(lines)


def section(question: Question, tables: Sequence[Figures], conditions: str) -> str:
    lines = [f"## {title(question.name)}", "", question.method, "", conditions, ""]
    for figures in tables:
        lines += [f"**{figures.title}** ({figures.unit})", "", *markdown_table(figures), ""]
    return "\n".join(lines)


def sections_of(text: str) -> dict[str, str]:
    """The sections of a RESULTS.md by their titles."""
    parts = text.split("\n## ")[1:]
    return {part.partition("\n")[0]: f"## {part.rstrip()}\n" for part in parts}


def title(name: str) -> str:
    return name.capitalize()


def conditions(rounds: int, scale: float, date: str, machine: Sequence[tuple[str, str]]) -> str:
    """Under which a section was measured."""
    where = ", ".join(f"{name} {value}" for name, value in machine)
    scaled = "" if scale == 1 else f", **scaled to {scale:g} of the full amounts: not for comparison**"
    return f"*{rounds} rounds on {date}; {where}{scaled}.*"


def markdown_table(figures: Figures) -> list[str]:
    lines = [f"| {' | '.join(HEADINGS)} |", "|---|---|--:|--:|--:|--:|---|---|"]
    return lines + [f"| {' | '.join(row)} |" for row in rows(figures)]


def pairs(heading: str, facts: Sequence[tuple[str, str]]) -> list[str]:
    return [f"| {heading} | |", "|---|---|", *(f"| {name} | {value} |" for name, value in facts), ""]
