"""The data has one door: nobody but its own module touches the dictionaries, and every type of data has every row."""

import ast
from typing import Final

from gossamer.node.commands.digest import DIGESTS
from gossamer.node.engine.data.kinds import KINDS, STUBS
from gossamer.node.engine.stream.as_commands import WORDS
from gossamer.node.persist.form import Style
from gossamer.node.persist.values import READERS, WRITERS
from gossamer.node.types.kind import Kind
from tests.tidy.floors import TOP, modules

OWN: Final = frozenset(f"gossamer.node.engine.data.{name}" for name in ("part", "contents", "database"))
"""Where a table is looked into."""
HIDDEN: Final = frozenset(
    {
        "_values",
        "_expires",
        "_stamps",
        "_order",
        "_tables",
        "_open",
        "_expiring",
        "_pop",
        "_put_expiring",
        "_set_expire",
        "_count_expiring",
    }
)
"""What ``Database``, ``Contents`` and the table in Python keep to themselves."""
COUNTED: Final = frozenset({"dirty", "held"})
"""Counters that only changes of the data move: ``Changes.dirty``, ``Tally.held``."""
COUNTING: Final = frozenset(f"gossamer.node.engine.data.{name}" for name in ("database", "keyspace", "tally"))
"""Where they may be moved."""


def attributes(module: str, names: frozenset[str]) -> list[ast.Attribute]:
    tree = ast.parse(dict(modules())[module].read_text())
    found = [item for item in ast.walk(tree) if isinstance(item, ast.Attribute) and item.attr in names]
    return [item for item in found if not (isinstance(item.value, ast.Name) and item.value.id == "self")]


def test_the_dictionaries_are_touched_by_their_own_module_alone() -> None:
    assert not [
        f"{path.relative_to(TOP)}:{item.lineno}"
        for module, path in modules()
        if module.startswith("gossamer.node.") and module not in OWN
        for item in attributes(module, HIDDEN)
    ]


def test_nobody_else_counts_changes() -> None:
    assert not [
        f"{path.relative_to(TOP)}:{item.lineno}"
        for module, path in modules()
        if module.startswith("gossamer.node.") and module not in COUNTING
        for item in attributes(module, COUNTED)
        if isinstance(item.ctx, ast.Store)
        if item.attr == "dirty" or ast.unparse(item.value).endswith(("tally", "share"))
    ]


def test_every_kind_has_every_row() -> None:
    kinds = set(KINDS.values()) - {KINDS[stub] for stub in STUBS.values()}
    assert set(STUBS) == kinds, "each can leave the memory"
    assert set(WRITERS) == set(KINDS.values())
    for table in (WORDS, DIGESTS):
        assert set(table) == kinds
    for kind in kinds:
        for name in ("encoding", "size", "length", "copy", "free"):
            assert getattr(type(kind), name) is not getattr(Kind, name), f"{kind.name!r} lacks {name}"
    for cls, kind in KINDS.items():
        if kind not in kinds:
            continue
        form = bytearray()
        WRITERS[kind](form, b"", cls(), Style(), 0)
        assert form[0] in READERS, f"what is written of {cls.__name__} cannot be read, in an RDB and by RESTORE"
