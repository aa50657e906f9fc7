"""Plans and findings as the operator sees them before anything is done."""

from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import RenderableType
from rich.table import Table

from gossamer.cluster.checkup import Finding
from gossamer.cluster.plan import Follow, Member, Move, Step, Take, after, primaries_of
from gossamer.cluster.slots import SLOTS
from gossamer.cluster.topology import NodeId, Topology, ranges_by_owner
from gossamer.deploy.cluster.move import is_atomic
from gossamer.deploy.cluster.perform import describe
from gossamer.deploy.cluster.survey import Survey
from gossamer.deploy.table import ID_LETTERS, console, new_table

BAR: Final = 24
"""Width of a bar for the node with the most slots."""

RANGES: Final = 3
"""So many ranges of a node are shown; the rest is counted."""


def show(*parts: RenderableType) -> None:
    console(highlight=False).print(*parts, sep="\n")


def shards_table(steps: Sequence[Step], members: Sequence[Member], addresses: Mapping[NodeId, str]) -> Table:
    """What ``plan.create`` makes of nodes: a shard a block."""
    table = table_of("shard", "address", "role", "slots", "")
    takes = [step for step in steps if isinstance(step, Take)]
    most = max(take.last - take.first + 1 for take in takes)
    order = {member.id: at for at, member in enumerate(members)}
    for number, take in enumerate(takes, 1):
        count = take.last - take.first + 1
        followers = [step.node for step in steps if isinstance(step, Follow) and step.primary == take.node]
        table.add_row(
            str(number),
            addresses[take.node],
            "primary",
            f"{take.first}-{take.last}",
            f"[cyan]{bar(count, most)}[/] {count}",
        )
        for node in sorted(followers, key=lambda node: order[node]):
            table.add_row("", addresses[node], "replica", "", "", end_section=node == followers[-1])
    return table


def slots_table(before: Topology, steps: Sequence[Step], survey: Survey) -> Table:
    """Who has how many slots before the moves among ``steps``, and who then."""
    then = after(before, *(step for step in steps if isinstance(step, Move)))
    counts = [_counts(before), _counts(then)]
    most = max(max(count.values()) for count in counts)
    table = table_of("primary", "id", "now", "", "then", "", "change")
    for node in primaries_of(before):
        now, later = (count.get(node.id, 0) for count in counts)
        change = "" if now == later else f"[green]+{later - now}[/]" if later > now else f"[yellow]−{now - later}[/]"
        table.add_row(
            survey.address(node.id),
            node.id[:ID_LETTERS],
            str(now),
            f"[dim]{bar(now, most)}[/]",
            str(later),
            f"[cyan]{bar(later, most)}[/]",
            change,
        )
    return table


def _counts(topology: Topology) -> dict[NodeId, int]:
    return {
        owner: sum(last - first + 1 for first, last in held) for owner, held in ranges_by_owner(topology).items()
    } or {topology.me: 0}


def steps_list(steps: Sequence[Step], survey: Survey) -> str:
    """Numbered; of moves that the nodes cannot make between themselves it says so."""
    lines = []
    for number, step in enumerate(steps, 1):
        slowly = isinstance(step, Move) and not is_atomic(step, survey)
        lines.append(f"  {number}. {describe(step, survey)}{', key by key' if slowly else ''}")
    return "\n".join(lines)


def nodes_table(survey: Survey, keys: Mapping[NodeId, int], unsynced: Mapping[NodeId, str]) -> Table:
    """Who there is, primaries with their replicas below them."""
    table = table_of("address", "id", "role", "slots", "keys", "state")
    known = {node.id: node for view in survey.views.values() for node in view.nodes.values()}
    own = {node: view.myself for node, view in survey.views.items()}
    nodes = [own.get(node.id, node) for node in known.values()]
    held = ranges_by_owner(survey.first)
    heads = sorted((node for node in nodes if not node.primary), key=lambda node: held.get(node.id, [(SLOTS, SLOTS)]))
    lost = [node for node in nodes if node.primary and node.primary not in {head.id for head in heads}]
    for head in [*heads, *lost]:
        shard = [head, *(node for node in nodes if node.primary == head.id)]
        for node in shard:
            state = "unreachable" if node.id in survey.silent else "not in sync" if node.id in unsynced else "ok"
            table.add_row(
                survey.address(node.id),
                node.id[:ID_LETTERS],
                f"replica of {survey.address(node.primary)}" if node.primary else "primary",
                some_ranges(held.get(node.id, [])),
                f"{keys[node.id]:,}" if node.id in keys else "",
                f"[green]{state}[/]" if state == "ok" else f"[red]{state}[/]",
                end_section=node is shard[-1],
            )
    return table


def findings_list(findings: Sequence[Finding]) -> str:
    return "\n".join(f"[red]✗[/] {escaped(finding.text)}" for finding in findings)


def escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def some_ranges(held: Sequence[tuple[int, int]]) -> str:
    """``0-99, 200-210 and 3 more``."""
    shown = ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in held[:RANGES])
    return shown + (f" and {len(held) - RANGES} more" if len(held) > RANGES else "")


def bar(count: int, most: int) -> str:
    return "━" * (max(1, round(BAR * count / most)) if count else 0)


def table_of(*headings: str) -> Table:
    table = new_table()
    for heading in headings:
        numeric = heading in {"now", "then", "change", "keys", "shard"}
        table.add_column(heading, justify="right" if numeric else "left", style="dim" if heading == "id" else "")
    return table
