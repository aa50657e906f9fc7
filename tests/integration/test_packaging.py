"""What ``pip install`` brings to a machine is all that the program needs, under one name that is nobody else's."""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path, PurePosixPath
from typing import Final

import pytest

from gossamer.node.version import VERSION
from tests.compat.replies import Answer
from tests.integration.nodes import Nodes, Program
from tests.tidy.floors import PACKAGES

TOP: Final = Path(__file__).parents[2]
PACKAGE: Final = "gossamer"
pytestmark = pytest.mark.once

SCRIPTS: Final = {Path("gossamer/deploy/up")}
"""For a checkout only."""


def product_files() -> set[Path]:
    """What belongs into a wheel."""
    walk = os.walk(TOP / PACKAGE, followlinks=True)
    found = (Path(folder, name) for folder, _, names in walk for name in names)
    kept = {path.relative_to(TOP) for path in found if path.suffix not in (".pyc", ".so")}
    return kept - SCRIPTS


HIS: Final = f"""\
import sys
import cluster.own, deploy.own, gossip.own, node.own
from gossamer.deploy.cli import main

code = main(["node", *sys.argv[1:]])
top = {{name: module for name, module in sys.modules.items() if name.partition(".")[0] in {PACKAGES!r}}}
print("his:", *sorted(name for name, module in top.items() if module.OWNER == "he"), flush=True)
print("ours:", sys.modules["gossamer"].__file__, flush=True)
sys.exit(code)
"""
"""A program of somebody who has packages with the names of our folders, and runs a node of ours."""

HIS_MODULES: Final = sorted([*PACKAGES, *(f"{name}.own" for name in PACKAGES)])


TAKEN_NAMES: Final = ("cluster", "node")
"""Distributions of others on PyPI, which bring packages with the names of our folders."""

WHOSE: Final = f"""\
import importlib.util
for name in {TAKEN_NAMES!r}:
    print(*importlib.util.find_spec(name).submodule_search_locations)
"""
"""Where they are found. They are not imported: that of ``cluster`` needs a setuptools of old."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a build reads of a checkout, links as links."""
    copy = tmp_path_factory.mktemp("source")
    ignored = shutil.ignore_patterns("__pycache__", "*.so")
    for name in (PACKAGE, *PACKAGES):
        shutil.copytree(TOP / name, copy / name, symlinks=True, ignore=ignored)
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(TOP / name, copy)
    return copy


def run(cwd: Path, *command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """``command``, of the pure build unless ``variables`` of the environment say something else."""
    environment = {**os.environ, "GOSSAMER_PURE": "1", **variables}
    environment.pop("PYTHONPATH", None)
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False)


def output(cwd: Path, *command: str | Path, **variables: str) -> str:
    done = run(cwd, *command, **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout


def build(source: Path, out: Path, *command: str, **variables: str) -> Path:
    """The one file that ``command`` puts into ``out``."""
    output(source, sys.executable, *command, **variables)
    (path,) = out.iterdir()
    return path


def build_wheel(source: Path, out: Path, **variables: str) -> zipfile.ZipFile:
    words = ("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(out), str(source))
    return zipfile.ZipFile(build(source, out, "-m", "pip", *words, **variables))


def is_pure(wheel: zipfile.ZipFile) -> bool:
    return str(wheel.filename).endswith("-py3-none-any.whl")


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The pure wheel of this tree."""
    wheel = build_wheel(source, tmp_path_factory.mktemp("wheel"))
    assert is_pure(wheel)
    return wheel


def test_the_wheel_holds_every_file_of_the_product_and_no_other_package(wheel: zipfile.ZipFile) -> None:
    packed = {Path(name) for name in wheel.namelist() if ".dist-info/" not in name}
    assert packed == product_files()


WHICH: Final = """
from gossamer.node.io.sockets import read
from gossamer.node.store.table import Table
print(Table.__module__, read.__module__)
"""
IN_C: Final = "gossamer.node.store.native gossamer.node.io.native"
IN_PYTHON: Final = "gossamer.node.store.plain posix"


def modules_of(installed: Path, pure: str = "") -> str:
    """Where the table of an installation is from, and what reads its sockets."""
    return output(installed, sys.executable, "-c", WHICH, GOSSAMER_PURE=pure).strip()


def test_without_a_compiler_the_wheel_is_pure_and_works(source: Path, wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    (tmp_path / "no-programs").mkdir()
    poor = build_wheel(source, tmp_path / "wheel", GOSSAMER_PURE="", CC="", PATH=str(tmp_path / "no-programs"))
    assert is_pure(poor)
    assert set(poor.namelist()) == set(wheel.namelist())
    poor.extractall(tmp_path / "installed")
    assert modules_of(tmp_path / "installed") == IN_PYTHON


def test_with_a_compiler_the_wheel_has_the_modules_in_c(source: Path, tmp_path: Path) -> None:
    """One hot module stands for all, which take mypyc minutes."""
    if not (shutil.which("cc") and Path(sysconfig.get_path("include"), "Python.h").exists()):
        pytest.skip("no C compiler or no headers of Python: apt-get install gcc libc6-dev python3-dev")
    copy = tmp_path / "source"
    shutil.copytree(source, copy, symlinks=True)
    setup = (copy / "setup.py").read_text()
    start, end = setup.index("HOT = ["), setup.index("]\n", setup.index("HOT = ["))
    (copy / "setup.py").write_text(f'{setup[:start]}HOT = ["gossamer/cluster/text.py"{setup[end:]}')
    rich = build_wheel(copy, tmp_path / "wheel", GOSSAMER_PURE="")
    rich.extractall(tmp_path / "installed")
    assert not is_pure(rich)
    assert modules_of(tmp_path / "installed") == IN_C
    assert modules_of(tmp_path / "installed", pure="1") == IN_PYTHON


def test_the_wheel_brings_the_command(wheel: zipfile.ZipFile) -> None:
    (entry_points,) = (name for name in wheel.namelist() if name.endswith("/entry_points.txt"))
    assert b"gossamer = gossamer.deploy.cli:main" in wheel.read(entry_points)


def test_the_wheel_has_one_import_name(wheel: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {name for name in tops if not name.endswith(".dist-info")} == {PACKAGE}


def test_the_sdist_has_files_for_links_and_makes_the_same_wheel(
    source: Path, wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    out = tmp_path / "sdist"
    make = f"from setuptools import build_meta; build_meta.build_sdist({str(out)!r})"
    path = build(source, out, "-c", make)
    with tarfile.open(path) as packed:
        members = packed.getmembers()
    shutil.unpack_archive(path, tmp_path)
    assert [member.name for member in members if not (member.isreg() or member.isdir())] == []
    (top,) = {PurePosixPath(member.name).parts[0] for member in members}
    again = build_wheel(tmp_path / top, tmp_path / "wheel")
    assert set(again.namelist()) == set(wheel.namelist())


@pytest.mark.parametrize("first", ["his", "ours"])
def test_packages_of_the_same_names_do_not_meet(wheel: zipfile.ZipFile, tmp_path: Path, first: str) -> None:
    installed, project, program = tmp_path / "installed", tmp_path / "project", tmp_path / "program.py"
    wheel.extractall(installed)
    for name in HIS_MODULES:
        path = project / (f"{name.replace('.', '/')}.py" if "." in name else f"{name}/__init__.py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('OWNER = "he"\n')
    program.write_text(HIS)
    order = [project, installed] if first == "his" else [installed, project]
    with Nodes() as nodes:
        node = nodes.make(program=Program("gossamer", "", lambda: [sys.executable, str(program)]))
        node.wrapper = ["env", f"PYTHONPATH={os.pathsep.join(map(str, order))}"]
        node.start()
        assert node.ask("PING") == Answer("status", b"PONG")
        assert node.ask("SET", "k", "v") == Answer("status", b"OK")
        assert node.stop(signal.SIGTERM) == 0
        assert node.wait_log("his:") == " ".join(("his:", *HIS_MODULES))
        assert node.wait_log("ours:") == f"ours: {installed / PACKAGE / '__init__.py'}"


@pytest.fixture
def bin_folder(tmp_path: Path) -> Path:
    """Of a new virtual environment, which has what we depend on from the environment of the tests."""
    home = tmp_path / "venv"
    venv.create(home, symlinks=True)
    (packages,) = home.glob("lib/python*/site-packages")
    (packages / "tests.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return home / "bin"


def pip_install(bin_folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    pip = (sys.executable, "-m", "pip", "--python", bin_folder / "python", "--disable-pip-version-check")
    return run(bin_folder, *pip, "install", "--quiet", "--no-deps", *words)


def test_distributions_of_the_same_names_are_installed_beside_us(
    wheel: zipfile.ZipFile, bin_folder: Path, tmp_path: Path
) -> None:
    """PyPI has a ``node`` and a ``cluster``; whoever imports these gets them, whichever was installed first."""
    fetched = pip_install(bin_folder, "--retries", "3", "--timeout", "10", *TAKEN_NAMES)
    if fetched.returncode:
        pytest.skip(f"PyPI is not reachable: pip install {' '.join(TAKEN_NAMES)}: {fetched.stderr.strip()[-200:]}")
    assert wheel.filename is not None
    ours = pip_install(bin_folder, wheel.filename)
    assert ours.returncode == 0, ours.stderr
    assert VERSION in output(tmp_path, bin_folder / "gossamer", "--version")
    assert VERSION in output(tmp_path, bin_folder / "python", "-m", "gossamer.node", "--version")
    theirs = [Path(line) for line in output(tmp_path, bin_folder / "python", "-c", WHOSE).splitlines()]
    assert [path.name for path in theirs] == list(TAKEN_NAMES)
    assert [path.is_relative_to(bin_folder.parent) for path in theirs] == [True, True]
    assert (theirs[0] / "linkage.py").exists()
    assert (theirs[1] / "locking.py").exists()


def test_an_editable_installation_runs_what_was_edited(source: Path, bin_folder: Path, tmp_path: Path) -> None:
    done = pip_install(bin_folder, "--no-build-isolation", "--editable", source)
    assert done.returncode == 0, done.stderr
    assert VERSION in output(tmp_path, bin_folder / "gossamer", "--version")
    module = source / "node" / "version.py"
    module.write_text(module.read_text().replace(VERSION, "7.7.7"))
    assert "7.7.7" in output(tmp_path, bin_folder / "python", "-m", "gossamer.node", "--version")
