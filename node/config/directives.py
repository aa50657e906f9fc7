"""The one table of directives, and the few words of redis.conf that are not settings.

CONFIG GET, SET and REWRITE, the start-up and its list of directives without effect all read this table.
"""

from typing import Final

from gossamer.node.config.directive import Directive
from gossamer.node.config.tables.data import DISK, KEYSPACE, MEMORY
from gossamer.node.config.tables.network import NETWORK, TLS
from gossamer.node.config.tables.peers import CLUSTER, REPLICATION
from gossamer.node.config.tables.process import ACCESS, LOGS, PROCESS, TEST_AIDS

DIRECTIVES: Final[tuple[Directive, ...]] = (
    *NETWORK, *TLS, *PROCESS, *LOGS, *ACCESS, *MEMORY, *KEYSPACE, *DISK, *REPLICATION, *CLUSTER, *TEST_AIDS,
)  # fmt: skip

BY_NAME: Final[dict[str, Directive]] = {
    name: directive
    for directive in DIRECTIVES
    for name in (directive.name, directive.alias, directive.valkey)
    if name is not None
}
"""Lower-case name or alias → directive, in the order of the table."""

FILE_ONLY: Final[dict[str, tuple[int, int]]] = {
    "rename-command": (2, 2),
    "user": (1, 1 << 30),
    "loadmodule": (1, 1 << 30),
}
"""Repeatable words of a file that CONFIG does not know: least and most arguments. ``include`` is the parser's own."""

FORGOTTEN: Final = frozenset({"list-max-ziplist-entries", "list-max-ziplist-value", "lua-replicate-commands"})
"""Directives of older versions that are read over if they have one argument."""
