"""The product has one import name: nothing imports, starts or names a module by the name of its folder alone.

From a checkout ``import node`` would work, as a second copy of every module beside ``gossamer.node``.
"""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.tidy.floors import PACKAGES, TOP, modules

PRODUCT = [name for name, _ in modules()]
BARE = {name.removeprefix("gossamer.") for name in PRODUCT} - {"gossamer"}
"""What no module may be called."""

IMPORT_ALL = f"""\
import importlib, sys
for name in {[name for name in PRODUCT if not name.endswith("__main__")]!r}:
    importlib.import_module(name)
print(*sys.modules)
"""


def bare_names(path: Path) -> Iterator[tuple[int, str]]:
    """Lines that import a module under its bare name, have it as a string, or as an argument after ``-m``."""
    for item in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(item, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in item.names] if isinstance(item, ast.Import) else [item.module or ""]
            yield from ((item.lineno, name) for name in names if name.partition(".")[0] in PACKAGES)
        elif isinstance(item, ast.Constant) and isinstance(item.value, str) and "." in item.value:
            module, _, _ = item.value.partition(":")
            holder, _, attribute = module.rpartition(".")
            if module in BARE or (holder in BARE - set(PACKAGES) and attribute.isidentifier()):
                yield item.lineno, module
        elif isinstance(item, ast.List | ast.Tuple):
            words = [word.value if isinstance(word, ast.Constant) else None for word in item.elts]
            for option, word in pairwise(words):
                if option == "-m" and word in BARE:
                    yield item.lineno, str(word)


def sources() -> Iterator[Path]:
    yield TOP / "setup.py"
    for folder in (*PACKAGES, "tests"):
        yield from sorted((TOP / folder).rglob("*.py"))


def test_no_module_is_meant_by_its_bare_name() -> None:
    found = [f"{path.relative_to(TOP)}:{line}: {name}" for path in sources() for line, name in bare_names(path)]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "import node",
        "import cluster as c",
        "import node.resp.parser",
        "from gossip.core import Gossip",
        "from deploy import cli",
        "run('python', 'node.io.serve')",
        "patch('node.io.disk.write_all', f)",
        "scripts = {'gossamer': 'deploy.cli:main'}",
        "[python, '-m', 'node', '--port', '1']",
    ],
)
def test_a_bare_name_is_seen(tmp_path: Path, source: str) -> None:
    path = tmp_path / "source.py"
    path.write_text(source)
    assert list(bare_names(path))


@pytest.mark.parametrize(
    "source", ["from gossamer import node", "import tests.unit.node", "node.io.serve()", "home / 'node.log'", "'node'"]
)
def test_other_words_are_none(tmp_path: Path, source: str) -> None:
    path = tmp_path / "source.py"
    path.write_text(source)
    assert not list(bare_names(path))


def test_the_tests_have_imported_no_bare_name() -> None:
    assert set(PACKAGES) & set(sys.modules) == set()


def test_the_product_imports_no_bare_name() -> None:
    environment = {**os.environ, "PYTHONPATH": str(TOP)}
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    imported = set(done.stdout.split())
    assert "gossamer.node.io.serve" in imported
    assert set(PACKAGES) & imported == set()


def test_the_folder_gossamer_holds_links_to_the_packages_and_no_code_beside_them() -> None:
    folder = TOP / "gossamer"
    assert {path.name for path in folder.iterdir() if path.suffix != ".so"} - {"__pycache__"} == {
        "__init__.py",
        *PACKAGES,
    }
    assert [os.readlink(folder / package) for package in PACKAGES] == [f"../{package}" for package in PACKAGES]


def test_compiled_modules_stand_within_the_package() -> None:
    assert list(TOP.glob("*.so")) == []
