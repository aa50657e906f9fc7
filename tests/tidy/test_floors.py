"""Imports point one way, and only the edges of the system touch the world: clock, chance, sockets, files, processes."""

from collections.abc import Iterator
from typing import Final

from tests.tidy.floors import ENGINE, FLOORS, ROOMS, TOP, circles, floor_of, imports, modules, opens_files, room_of

EDGES: Final = ("gossamer.node.io", "gossamer.node.__main__", "gossamer.deploy")
"""Where the world may be touched."""

WORLDLY: Final = frozenset({
    "asyncio", "datetime", "fcntl", "glob", "mmap", "multiprocessing", "os", "pathlib", "random", "resource", "secrets",
    "select", "selectors", "shutil", "signal", "socket", "ssl", "subprocess", "tempfile", "threading", "time", "trio",
    "uuid",
})  # fmt: skip

ALLOWED: Final = {
    ("gossamer.cluster.build", "os"): "reads GOSSAMER_PURE before anything else is imported",
}
"""(module, what it imports): the exceptions, each with its reason."""

MODULES: Final = dict(modules())
LINES: Final = [
    (module, f"{path.relative_to(TOP)}:{line}", target, name)
    for module, path in MODULES.items()
    for line, target, name in imports(path, set(MODULES))
]

PACKAGES: Final = {
    *(module for module, path in MODULES.items() if path.name == "__init__.py"),
    *(name for names in FLOORS for name in names),
}
"""Folders, and what has a place of its own in ``FLOORS``."""


def wrong_arrows() -> Iterator[str]:
    for module, where, target, _ in LINES:
        if target.partition(".")[0] == "gossamer":
            upper, lower = floor_of(target), floor_of(module)
            if upper is not None and lower is not None and upper > lower:
                yield f"{where}: {module} imports {target}, which stands on a floor above it"


def test_every_module_stands_on_a_floor() -> None:
    assert [module for module in MODULES if floor_of(module) is None] == []


def test_imports_point_one_way() -> None:
    assert list(wrong_arrows()) == []


def test_nothing_imports_itself_in_a_circle() -> None:
    arrows: dict[str, set[str]] = {module: set() for module in MODULES}
    for module, _, target, _ in LINES:
        if target in arrows and target != module:
            arrows[module].add(target)
    assert circles(arrows) == set()


def test_packages_of_one_floor_import_each_other_one_way() -> None:
    """A package and one within it may do both: ``engine/server.py`` owns what stands on ``engine/state.py``."""
    arrows: dict[str, set[str]] = {package: set() for package in PACKAGES}
    for module, _, target, _ in LINES:
        if target in MODULES and floor_of(module) == floor_of(target):
            upper, lower = package_of(module), package_of(target)
            if not f"{upper}.".startswith(f"{lower}.") and not f"{lower}.".startswith(f"{upper}."):
                arrows[upper].add(lower)
    assert circles(arrows) == set()


def test_a_circle_is_found_whatever_its_length() -> None:
    arrows = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}, "e": {"d"}, "f": {"a"}, "g": set[str]()}
    assert circles(arrows) == {frozenset("abc"), frozenset("de")}


def test_the_rooms_of_the_engine_stand_in_an_order() -> None:
    assert [
        f"{where}: {module} imports {target}"
        for module, where, target, _ in LINES
        if module.startswith(ENGINE) and target.startswith(ENGINE) and room_of(target) > room_of(module)
    ] == []


def test_every_room_is_there() -> None:
    assert {room_of(module) for module in MODULES if module.startswith(ENGINE)} == set(range(len(ROOMS)))


def test_the_engine_does_not_know_the_commands() -> None:
    assert [
        where
        for module, where, target, _ in LINES
        if "gossamer.node.engine" in module and "gossamer.node.commands" in target
    ] == []


ABOVE_THE_DATA: Final = (
    "gossamer.node.engine.data.element_expiry",
    "gossamer.node.engine.data.expiry",
    "gossamer.node.engine.data.memory_limit",
)
"""They do something with the data because of the time or a directive."""


def test_the_data_does_not_know_the_engine_around_it() -> None:
    assert [
        f"{where}: {module} imports {target}"
        for module, where, target, _ in LINES
        if module.startswith("gossamer.node.engine.data.") and module not in ABOVE_THE_DATA
        if target.startswith("gossamer.node.engine.") and not target.startswith("gossamer.node.engine.data")
    ] == []


def test_only_the_edges_touch_the_world() -> None:
    found = [
        f"{where}: {module} imports {target}"
        for module, where, target, name in LINES
        if not is_edge(module)
        and target.partition(".")[0] in WORLDLY
        and (target, name) != ("random", "Random")
        and (module, target) not in ALLOWED
    ]
    assert found == []


def test_only_the_edges_open_files() -> None:
    found = [
        f"{path.relative_to(TOP)}:{line}" for m, path in MODULES.items() if not is_edge(m) for line in opens_files(path)
    ]
    assert found == []


def test_the_product_does_not_import_its_tests() -> None:
    assert [where for _, where, target, _ in LINES if target.partition(".")[0] == "tests"] == []


def is_edge(module: str) -> bool:
    return module.startswith(tuple(f"{edge}." for edge in EDGES)) or module in EDGES


def package_of(module: str) -> str:
    """The innermost one."""
    while module not in PACKAGES:
        module = module.rpartition(".")[0]
    return module
