"""Builds the hot modules with mypyc, and the table in C, where a C compiler is there; elsewhere the wheel is pure.

What is not about compiling stands in pyproject.toml. ``GOSSAMER_PURE=1`` at build time asks for the pure wheel.
An editable install stays pure: whoever edits a file wants that file to run, not what was compiled from it before.
"""

import os
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import which

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

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
    "gossamer/node/io/output_buffer.py",
    "gossamer/node/io/epoll.py",
    "gossamer/node/io/readiness.py",
    "gossamer/node/machine.py",
    "gossamer/node/replication",
    "gossamer/node/persist",
    "gossamer/node/persist/*",
    "gossamer/node/saving",
    "gossamer/node/vm",
]
"""Modules and packages on the way from socket or append-only file to reply."""

COLD = {"__init__.py", "requests.py"}
"""Files in them that stay interpreted: mypyc does not follow a choice between twins."""

NATIVE = ["gossamer/node/resp/native.c", "gossamer/node/store/native.c"]
"""The modules in C, each with its headers beside it, and one that they share."""

SHARED_HEADER = "gossamer/node/native.h"

if sys.platform == "linux":
    NATIVE.append("gossamer/node/io/native.c")

BIND_WITHIN = ["-fvisibility=hidden", "-fno-semantic-interposition", "-fno-plt"]
"""GCC's and Clang's: modules of the group call each other directly, since nobody may replace their functions.

Pipelined requests cost 3 to 15 % less; ``-flto`` brought no more and made the build half as long again.
"""

BUILDING = {"bdist_wheel", "build", "build_ext", "install"}
"""Commands that need the extensions; the others only ask for metadata, and need not wait for mypyc."""


def hot_files() -> list[str]:
    files: list[str] = []
    for entry in HOT:
        found = [Path(entry)] if entry.endswith(".py") else sorted(Path().glob(f"{entry}/*.py"))
        files += [str(path) for path in found if path.name not in COLD]
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
    options = [*hot_files(), "--config-file", "pyproject.toml"]
    hot = mypycify(options, opt_level="3", multi_file=True, group_name="gossamer.hot")
    for extension in hot:
        # The group's header lies in the folder that its dotted name says; the modules include it without that folder.
        extension.include_dirs.append("build/gossamer")
        if sys.platform == "linux":
            extension.extra_compile_args = [*extension.extra_compile_args, *BIND_WITHIN]
    return [*hot, *[native(source) for source in NATIVE]]


def native(source: str) -> Extension:
    headers = [SHARED_HEADER, *[str(path) for path in sorted(Path(source).parent.glob("*.h"))]]
    return Extension(source.removesuffix(".c").replace("/", "."), [source], depends=headers, extra_compile_args=["-O3"])


class BuildSideBySide(build_ext):
    """As many C files are compiled at once as there are cores; mypyc makes one of each module."""

    def build_extensions(self) -> None:
        compile_all = self.compiler.compile

        def compile_each(sources: list[str], **options: object) -> list[str]:
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                return [
                    name
                    for names in pool.map(lambda source: compile_all([source], **options), sources)
                    for name in names
                ]

        self.compiler.compile = compile_each
        super().build_extensions()


setup(ext_modules=extensions(), cmdclass={"build_ext": BuildSideBySide})
