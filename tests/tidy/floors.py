"""The floors of the source tree, and what each file imports.

Read from the syntax tree, not by importing: an arrow inside a function or under TYPE_CHECKING counts like any other.
"""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

TOP: Final = Path(__file__).parents[2]

FLOORS: Final = (
    ("gossamer",),
    ("gossamer.cluster",),
    ("gossamer.gossip",),
    (
        "gossamer.node.resp",
        "gossamer.node.store",
        "gossamer.node.types",
        "gossamer.node.version",
        "gossamer.node.glob",
        "gossamer.node",
    ),
    ("gossamer.node.config", "gossamer.node.engine"),
    ("gossamer.node.persist", "gossamer.node.replication"),
    ("gossamer.node.migration", "gossamer.node.saving", "gossamer.node.vm"),
    ("gossamer.node.commands",),
    ("gossamer.node.machine", "gossamer.node.outgoing"),
    ("gossamer.node.io", "gossamer.node.__main__"),
    ("gossamer.deploy",),
)
"""From the lowest up. A file may import its own floor and all below it. ``gossamer`` and ``gossamer.node`` are the
``__init__`` of these packages."""

ENGINE: Final = "gossamer.node.engine."
ROOMS: Final = (
    "table",
    "edge",
    "deadlines",
    "state",
    "insight",
    "data",
    "clients",
    "stream",
    "slots",
    "ports",
    "server",
    "serving",
)
"""Of the engine, from the lowest up: a room may import those before it. ``server`` owns what is made below it."""

PACKAGES: Final = ("cluster", "gossip", "node", "deploy")


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of the product with its file."""
    yield "gossamer", TOP / "gossamer" / "__init__.py"
    for package in PACKAGES:
        for path in sorted((TOP / package).rglob("*.py")):
            parts = "gossamer", *path.relative_to(TOP).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def floor_of(module: str) -> int | None:
    """The floor by the longest name that fits; None for a module that stands on none."""
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        name = ".".join(parts[:length])
        if name in ("gossamer", "gossamer.node") and length < len(parts):
            return None
        for number, names in enumerate(FLOORS):
            if name in names:
                return number
    return None


def room_of(module: str) -> int:
    """The place of an engine's module among the ``ROOMS``. ValueError if it is in none."""
    return ROOMS.index(module.removeprefix(ENGINE).partition(".")[0])


def circles(arrows: dict[str, set[str]]) -> set[frozenset[str]]:
    """Modules that import each other, whatever the way: the strongly connected components of more than one."""
    reached = {module: reachable(arrows, module) for module in arrows}
    together = (frozenset(other for other in reached[module] if module in reached[other]) for module in arrows)
    return {component for component in together if len(component) > 1}


def reachable(arrows: dict[str, set[str]], start: str) -> set[str]:
    """All that ``start`` imports, directly or not."""
    found: set[str] = set()
    ahead = [start]
    while ahead:
        new = arrows[ahead.pop()] - found
        found |= new
        ahead += new
    return found


def imports(path: Path, known: set[str]) -> Iterator[tuple[int, str, str]]:
    """(line, module, name): ``import a.b`` gives name ``""``; ``from a import b`` gives ``a.b`` if that is a module."""
    for item in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(item, ast.Import):
            for alias in item.names:
                yield item.lineno, alias.name, ""
        elif isinstance(item, ast.ImportFrom):
            assert item.level == 0, f"{path}:{item.lineno}: imports are absolute"
            for alias in item.names:
                module = item.module or ""
                whole = f"{module}.{alias.name}"
                yield (item.lineno, whole, "") if whole in known else (item.lineno, module, alias.name)


def lines_outside(own: str, find: Callable[[ast.AST], Iterator[int]]) -> list[str]:
    """``path:line`` of all that ``find`` finds in the product, except in the module ``own``, which must be there."""
    known = list(modules())
    assert own in [name for name, _ in known]
    return [
        f"{path}:{line}" for name, path in known if name != own for line in find(ast.parse(path.read_text(), str(path)))
    ]


def opens_files(path: Path) -> Iterator[int]:
    """Lines with a call of the builtin ``open``."""
    for item in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(item, ast.Call) and isinstance(item.func, ast.Name) and item.func.id == "open":
            yield item.lineno
