"""Which build of the hot modules this process runs: compiled by mypyc, or the same files interpreted.

``GOSSAMER_PURE=1`` in the environment chooses the interpreted build where a compiled one is installed. It must be
decided before the first hot module is imported, hence here, at the bottom of the import order.
"""

import os
import sys
from collections.abc import Sequence
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, ModuleSpec, SourceFileLoader
from types import ModuleType

PACKAGES = ("gossamer.cluster", "gossamer.gossip", "gossamer.node")


class SourceOnly:
    """Finds our modules as source files and overlooks the compiled ones beside them.

    A module of ours without a source file (``node/store/native.c``) is not found at all: ModuleNotFoundError.

    No subclass of importlib.abc.MetaPathFinder: importing that module alone takes a tenth of a node's start.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is None or not fullname.startswith(PACKAGES):
            return None
        for folder in path:
            spec = FileFinder(folder, (SourceFileLoader, SOURCE_SUFFIXES)).find_spec(fullname)
            if spec is not None:
                return spec
        raise ModuleNotFoundError(f"No module named {fullname!r} in the pure build", name=fullname)


def choose() -> None:
    """Obey ``GOSSAMER_PURE``."""
    if os.environ.get("GOSSAMER_PURE") == "1" and not any(isinstance(f, SourceOnly) for f in sys.meta_path):
        sys.meta_path.insert(0, SourceOnly())


def name() -> str:
    """``compiled`` or ``interpreted``: what the parser, and with it every hot module, runs as."""
    parser = sys.modules.get("gossamer.node.resp.parser")
    path = getattr(parser, "__file__", "") or ""
    return "interpreted" if path.endswith(".py") or not path else "compiled"
