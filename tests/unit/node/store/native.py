"""Modules in C: built for the tests from their source, above all the table (``node/store/native.c``).

``GOSSAMER_NATIVE_FLAGS`` are more flags for the compiler; then the table is always built.
"""

import os
import shutil
import subprocess
import sysconfig
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

from gossamer.cluster import build
from tests.tidy.floors import TOP

NAME: Final = "gossamer.node.store.native"
SOURCE: Final = TOP / "node" / "store" / "native.c"
INCLUDE: Final = Path(sysconfig.get_path("include"))
FLAGS: Final = os.environ.get("GOSSAMER_NATIVE_FLAGS", "").split()
WARNINGS: Final = ("-Wall", "-Wextra", "-Werror")
CROWDED: Final = "-DGOSSAMER_WEAK_HASH"
"""Few hashes for all keys, so that they crowd in few buckets."""


def load(path: Path, name: str = NAME) -> ModuleType:
    """The extension at ``path``: each file has a heap and a seed of its own."""
    loader = ExtensionFileLoader(name, str(path))
    spec = spec_from_loader(name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def compile_native(folder: Path, *flags: str, source: Path = SOURCE) -> Path:
    """The extension, made in ``folder``. Without a compiler the test is skipped."""
    if not (shutil.which("cc") and (INCLUDE / "Python.h").exists()):
        pytest.skip("no C compiler or no headers of Python: apt-get install gcc libc6-dev python3-dev")
    link = (sysconfig.get_config_var("LDSHARED") or "cc -shared").split()
    out = folder / "native.so"
    words = ("cc", *link[1:], "-O2", "-fPIC", *WARNINGS, *FLAGS, *flags, f"-I{INCLUDE}", str(source), "-o", str(out))
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return out


def compile_in(folder: Path, world: str) -> Path:
    """As ``compile_native``; ``world`` is C that stands before it all and may replace what it calls."""
    (folder / "world.h").write_text(world)
    return compile_native(folder, "-include", str(folder / "world.h"))


def is_built() -> bool:
    """Does the build that is tested bring the extension?"""
    return build.name() == "compiled" and not FLAGS
