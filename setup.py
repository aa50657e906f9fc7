"""Builds the hot modules with mypyc, and the table in C, where a C compiler is there; elsewhere the wheel is pure.

What is not about compiling stands in pyproject.toml. ``GOSSAMER_PURE=1`` at build time asks for the pure wheel.
An editable install stays pure: whoever edits a file wants that file to run, not what was compiled from it before.
"""

import os
import sys
import sysconfig
from pathlib import Path
from shutil import which

from setuptools import Extension, setup

HOT = [
    "gossamer/cluster/text.py",
    "gossamer/cluster/slots.py",
    "gossamer/cluster/route.py",
    "gossamer/node/glob.py",
    "gossamer/node/resp",
    "gossamer/node/types",
    "gossamer/node/types/*",
    "gossamer/node/engine",
    "gossamer/node/engine/*",
    "gossamer/node/engine/*/*",
    "gossamer/node/commands",
    "gossamer/node/commands/*",
    "gossamer/node/io/clients.py",
]
"""Modules and packages on the way from socket to reply; ``__init__`` files stay interpreted."""

NATIVE = "gossamer/node/store/native.c"
"""The one module in C, with its headers beside it."""

BUILDING = {"bdist_wheel", "build", "build_ext", "install"}
"""Commands that need the extensions; the others only ask for metadata, and need not wait for mypyc."""


def hot_files() -> list[str]:
    files: list[str] = []
    for entry in HOT:
        found = [Path(entry)] if entry.endswith(".py") else sorted(Path().glob(f"{entry}/*.py"))
        files += [str(path) for path in found if path.name != "__init__.py"]
    return files


def has_compiler() -> bool:
    """And Python's own headers, which distributions package apart."""
    if sys.platform == "win32":
        return True
    compilers = ((os.environ.get("CC") or "cc").split()[0], "gcc", "clang")
    return any(which(name) for name in compilers) and Path(sysconfig.get_path("include"), "Python.h").is_file()


def extensions() -> list[object]:
    if os.environ.get("GOSSAMER_PURE") == "1" or not BUILDING & set(sys.argv) or not has_compiler():
        return []
    try:
        from mypyc.build import mypycify
    except ImportError:
        return []
    hot = mypycify([*hot_files(), "--config-file", "pyproject.toml"], opt_level="3", group_name="gossamer.hot")
    return [*hot, native()]


def native() -> Extension:
    headers = [str(path) for path in sorted(Path(NATIVE).parent.glob("*.h"))]
    return Extension(NATIVE.removesuffix(".c").replace("/", "."), [NATIVE], depends=headers, extra_compile_args=["-O3"])


setup(ext_modules=extensions())
