"""The nodes of a cluster as a table."""

import sys
from collections.abc import Sequence
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table

from gossamer.deploy.sample import Sample

ID_LETTERS: Final = 8


def new_table(title: str = "", caption: str = "") -> Table:
    """As all tables of ``gossamer`` look."""
    return Table(
        title=title or None,
        caption=caption or None,
        title_justify="left",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )


UNBOUNDED: Final = 1 << 16


def console(*, highlight: bool = True) -> Console:
    """Standard output. Where it is no terminal there is no edge at which a column would have to end."""
    return Console(highlight=highlight, width=None if sys.stdout.isatty() else UNBOUNDED)


def draw(samples: Sequence[Sample], title: str = "", caption: str = "") -> Table:
    """A row for each node; what is dim is how it was when it was seen last."""
    table = new_table(title, caption)
    table.add_column("address", no_wrap=True)
    table.add_column("id", no_wrap=True, style="dim")
    table.add_column("role")
    table.add_column("slots")
    table.add_column("state")
    table.add_column("ops/s", justify="right")
    table.add_column("memory", justify="right")
    for sample in samples:
        table.add_row(
            sample.address,
            sample.id[:ID_LETTERS],
            sample.role,
            sample.slots,
            f"[green]{sample.state}[/]" if sample.state == "ok" else f"[red]{sample.state}[/]",
            "" if sample.ops_per_s is None else f"{sample.ops_per_s:,.0f}",
            sample.memory,
            style="" if sample.memory else "dim",
        )
    return table
