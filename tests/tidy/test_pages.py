"""The pages say what is true: each file is on the map, what they name exists, each directive of ours is told of."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from gossamer.node.config.directive import Directive
from gossamer.node.config.directives import BY_NAME, DIRECTIVES, FILE_ONLY
from gossamer.node.version import VERSION
from tests.tidy import file_map
from tests.tidy.floors import FLOORS, PACKAGES, TOP
from tests.tidy.test_command_table import EXTRA

PAGES: Final = sorted([*TOP.glob("*.md"), *(TOP / "docs").glob("*.md")])
ARCHITECTURE: Final = (TOP / "ARCHITECTURE.md").read_text()
DIRECTIVES_PAGE: Final = (TOP / "docs" / "directives.md").read_text()


def section(page: str, title: str) -> str:
    """What stands under the heading ``title``."""
    (found,) = re.findall(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    return str(found)


def rows(text: str) -> Iterator[list[str]]:
    """The cells of each row of the tables in ``text``, without their heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    for line, behind in zip(lines, [*lines[1:], ""], strict=True):
        if not line.startswith("|---") and not behind.startswith("|---"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def names_in(path: Path) -> set[str]:
    """Functions, methods (``Class.method``), classes and constants of a module."""
    out: set[str] = set()
    for item in ast.parse(path.read_text(), str(path)).body:
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            out.add(item.name)
        if isinstance(item, ast.ClassDef):
            methods = (inner for inner in item.body if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef))
            out |= {f"{item.name}.{method.name}" for method in methods}
        elif isinstance(item, ast.Assign | ast.AnnAssign):
            targets = item.targets if isinstance(item, ast.Assign) else [item.target]
            out |= {target.id for target in targets if isinstance(target, ast.Name)}
    return out


# --- the map


def test_every_file_is_on_the_map() -> None:
    assert file_map.MAP.read_text() == file_map.text(), "write it again: python -m tests.tidy.file_map"


def test_every_room_is_in_the_architecture() -> None:
    told = set(re.findall(r"^([a-z_/]+/) ", ARCHITECTURE, re.MULTILINE))
    there = {f"{room.relative_to(TOP)}/" for room in file_map.rooms()}
    assert there - told == set()
    assert {room for room in told if not (TOP / room).is_dir()} == set()


def test_the_picture_has_every_floor() -> None:
    picture = (TOP / "docs" / "floors.svg").read_text()
    for floor in FLOORS[1:]:
        for name in floor:
            short = name.removeprefix("gossamer.").removeprefix("node.")
            assert short == "node" or short in picture, name


@pytest.mark.parametrize("title", ["Where is …", "Glossary"])
def test_a_named_function_stands_in_the_named_file(title: str) -> None:
    wrong = []
    for _, *_, file, name in rows(section(ARCHITECTURE, title)):
        path = TOP / file.strip("`")
        if not path.exists() or (name and name.strip("`") not in names_in(path)):
            wrong.append(f"{file}: {name}")
    assert wrong == []


def test_a_file_that_a_page_names_is_there() -> None:
    """A path with a folder; a bare name is looked up anywhere."""
    folders = (*PACKAGES, "tests", "docs")
    files = [*TOP.glob("*.*"), *(path for folder in folders for path in (TOP / folder).rglob("*.*"))]
    known = {path.relative_to(TOP).as_posix() for path in files}
    missing = [
        f"{page.name}: {word}"
        for page in PAGES
        for word in re.findall(r"`([\w/.-]+\.(?:py|txt|json|md))`", page.read_text())
        if not any(path == word or path.endswith(f"/{word}") for path in known)
    ]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_leads_somewhere(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        file, _, anchor = target.partition("#")
        if "://" in target:
            continue
        path = page.parent / file if file else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            broken.append(target)
    assert broken == []


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of the headings of ``page``."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


# --- directives and commands


BEYOND_REDIS: Final = [d for d in DIRECTIVES if d.extension or d.since != "7.0" or d.unkept is not None]


@pytest.mark.parametrize("directive", BEYOND_REDIS, ids=lambda directive: directive.name)
def test_a_directive_that_redis_does_not_have_is_told_of(directive: Directive) -> None:
    assert f"`{directive.name}`" in DIRECTIVES_PAGE
    place = section(DIRECTIVES_PAGE, "Taken without effect")
    assert (f"`{directive.name}`" in place) == (not directive.effective and directive.unkept is None)


def test_a_directive_that_is_told_of_exists() -> None:
    for word in re.findall(r"^\| `([a-z`, -]+)` \|", DIRECTIVES_PAGE, re.MULTILINE):
        for name in word.split("`, `"):
            assert name in BY_NAME or name in FILE_ONLY


@pytest.mark.parametrize("title", ["Of Gossamer alone", "Of Redis 7.2 and Valkey 9.1, with effect here"])
def test_a_default_is_the_one_that_is_told(title: str) -> None:
    for name, default, _ in rows(section(DIRECTIVES_PAGE, title)):
        directive = BY_NAME[name.strip("`").partition("`")[0]]
        shown = directive.kind.show(directive.default)
        assert default == (f"`{shown}`" if shown else "*empty*")


@pytest.mark.parametrize("name", list(EXTRA))
def test_a_command_that_redis_does_not_have_is_told_of(name: str) -> None:
    assert f"| `{name.replace('|', ' ').upper()}` |" in DIRECTIVES_PAGE


# --- the version


def test_the_version_is_one() -> None:
    assert tomllib.loads((TOP / "pyproject.toml").read_text())["project"]["version"] == VERSION
    (newest, *_) = re.findall(r"^## \[(\d[^]]*)\]", (TOP / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest == VERSION
