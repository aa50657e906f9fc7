"""What ``pip install`` brings to a machine is all that the program needs."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

import pytest

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


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The pure wheel of this tree."""
    source = tmp_path_factory.mktemp("source")
    for name in (PACKAGE, "pyproject.toml", "setup.py", "README.md", "LICENSE"):
        if (TOP / name).is_dir():
            shutil.copytree(TOP / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
        else:
            shutil.copy(TOP / name, source)
    out = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(out),
        str(source),
    ]
    done = subprocess.run(
        command, env={**os.environ, "GOSSAMER_PURE": "1"}, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    (path,) = out.iterdir()
    assert path.name.endswith("-py3-none-any.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_holds_every_file_of_the_product_and_no_other_package(wheel: zipfile.ZipFile) -> None:
    packed = {Path(name) for name in wheel.namelist() if ".dist-info/" not in name}
    assert packed == product_files()


def test_the_wheel_brings_the_command(wheel: zipfile.ZipFile) -> None:
    (entry_points,) = (name for name in wheel.namelist() if name.endswith("/entry_points.txt"))
    assert b"gossamer = gossamer.deploy.cli:main" in wheel.read(entry_points)
