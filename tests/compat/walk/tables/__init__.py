"""What is asked of each type of data: a module a type, by the name that the command line knows."""

from collections.abc import Sequence
from typing import Final

from tests.compat.walk.grammar import Template, templates
from tests.compat.walk.tables import (
    geo,
    hashes,
    hyperloglog,
    keys,
    lists,
    sets,
    sorting,
    streams,
    strings,
    transactions,
    zsets,
)

TABLES: Final[dict[str, Sequence[Template]]] = {
    "string": templates(strings.TABLE),
    "list": templates(lists.TABLE),
    "hash": templates(hashes.TABLE),
    "set": templates(sets.TABLE),
    "zset": templates(zsets.TABLE),
    "stream": templates(streams.TABLE),
    "hll": templates(hyperloglog.TABLE),
    "geo": templates(geo.TABLE),
    "sort": templates(sorting.TABLE),
    "key": templates(keys.TABLE),
    "multi": templates(transactions.TABLE),
}
ALWAYS: Final = ("key", "multi")
"""Beside whatever types are asked for."""
