"""Builds the hot modules with mypyc where a C compiler is there; elsewhere the wheel is pure Python from the same files.

Everything that is not about compiling stands in pyproject.toml.
"""

import os
import sys
from pathlib import Path
from shutil import which

from setuptools import setup

HOT = [
    "cluster/slots.py",
    "cluster/route.py",
    "node/resp",
    "node/engine",
    "node/commands",
    "node/io/clients.py",
]
"""Modules and packages on the way from socket to reply; ``__init__`` files stay interpreted."""


def hot_files() -> list[str]:
    files: list[str] = []
    for entry in HOT:
        path = Path(entry)
        files += [str(path)] if path.is_file() else sorted(str(p) for p in path.glob("*.py") if p.name != "__init__.py")
    return files


def has_compiler() -> bool:
    return sys.platform == "win32" or any(
        which(name) for name in (os.environ.get("CC", "cc").split()[0], "gcc", "clang")
    )


def extensions() -> list[object]:
    if os.environ.get("GOSSAMER_PURE") == "1" or not has_compiler():
        return []
    try:
        from mypyc.build import mypycify
    except ImportError:
        return []
    return list(mypycify([*hot_files(), "--config-file", "pyproject.toml"], opt_level="3", group_name="gossamer"))


setup(ext_modules=extensions())
