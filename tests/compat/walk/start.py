"""Which requests a walk is made of: the tables that are asked for, as far as both sides have the commands."""

from collections.abc import Sequence

from tests.compat.walk.grammar import Template
from tests.compat.walk.sides import Side, answers
from tests.compat.walk.tables import ALWAYS, TABLES


def has(side: Side, names: Sequence[bytes]) -> set[bytes]:
    """Those of ``names`` that are commands there."""
    listed = next(answers(side.exchange([[b"COMMAND", b"INFO", *names]])))
    return {name for name, facts in zip(names, listed.items, strict=True) if facts.content is not None}


def table(theirs: Side, ours: Side, types: Sequence[str]) -> list[Template]:
    chosen = [template for name in dict.fromkeys((*types, *ALWAYS)) for template in TABLES[name]]
    names = sorted({template.name for template in chosen})
    there = has(theirs, names) & has(ours, names)
    return [template for template in chosen if template.name in there]
