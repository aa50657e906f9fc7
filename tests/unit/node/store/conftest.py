"""Both tables, and a third: the one in C with a hash so weak that keys crowd."""

from importlib import import_module
from pathlib import Path
from shutil import copy
from types import ModuleType

import pytest

from gossamer.node.store import plain
from tests.unit.node.store.native import CROWDED, NAME, compile_native, is_built, load


@pytest.fixture(scope="session")
def native(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The table in C."""
    return import_module(NAME) if is_built() else load(compile_native(tmp_path_factory.mktemp("native")))


@pytest.fixture(scope="session")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    return load(compile_native(tmp_path_factory.mktemp("crowded"), CROWDED))


@pytest.fixture
def own(native: ModuleType, tmp_path: Path) -> ModuleType:
    """The table in C, for one test alone: with a heap, a seed and a refusal of memory that nobody shares."""
    assert native.__file__ is not None
    return load(Path(copy(native.__file__, tmp_path / "own.so")))


@pytest.fixture(params=["plain", "native", "crowded"])
def store(request: pytest.FixtureRequest) -> ModuleType:
    if request.param == "plain":
        return plain
    module: ModuleType = request.getfixturevalue(request.param)
    return module


@pytest.fixture
def table(store: ModuleType) -> plain.Table:
    table: plain.Table = store.Table()
    return table
