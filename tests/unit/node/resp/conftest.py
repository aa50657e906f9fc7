"""Requests in C and in Python: the module of this build, or one that is built for the tests."""

from importlib import import_module
from types import ModuleType
from typing import Final

import pytest

from gossamer.cluster import build
from gossamer.node.resp import plain
from tests.tidy.floors import TOP
from tests.unit.node.store.native import compile_native, load

NAME: Final = "gossamer.node.resp.native"


@pytest.fixture(scope="session")
def native(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    if build.name() == "compiled":
        return import_module(NAME)
    return load(compile_native(tmp_path_factory.mktemp("resp"), source=TOP / "node" / "resp" / "native.c"), NAME)


@pytest.fixture(scope="session", params=["plain", "native"])
def means(request: pytest.FixtureRequest) -> ModuleType:
    if request.param == "plain":
        return plain
    module: ModuleType = request.getfixturevalue("native")
    return module
