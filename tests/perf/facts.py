"""Versions of what was measured and facts of the machine; no names of hosts, users or folders."""

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

from gossamer.deploy.load import benchmark_program
from gossamer.node.version import VERSION
from tests.perf.question import Bench


def versions(bench: Bench) -> list[tuple[str, str]]:
    """Name and version of every program that takes part."""
    found = [("gossamer", VERSION), *((kind.name, version_of(kind.command[0])) for kind in bench.peers)]
    found.append(("load generator", Path(benchmark_program()).name + " " + version_of(benchmark_program())))
    found.append(("Python", f"{platform.python_version()} ({platform.python_implementation()})"))
    return [*found, ("trio", version("trio")), ("mypyc", version("mypy"))]


def version_of(program: str) -> str:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20)
    return version_in(done.stdout)


def version_in(text: str) -> str:
    """The first thing that looks like ``1.2.3``."""
    found = re.search(r"\d+\.\d+\.\d+", text)
    return found.group() if found else "of unknown version"


def machine() -> list[tuple[str, str]]:
    return [
        ("cores", f"{len(os.sched_getaffinity(0))}"),
        ("processor", processor()),
        ("memory", f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB"),
        ("kernel", f"{platform.system()} {platform.release()}"),
    ]


def processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except FileNotFoundError:
        return platform.machine()
    found = re.search(r"^model name\s*:\s*(.*)$", text, re.MULTILINE)
    return f"{found.group(1)}, {platform.machine()}" if found else platform.machine()


def load_average() -> str:
    """Of the last minute: how busy the machine was already."""
    return f"{os.getloadavg()[0]:.2f}"
