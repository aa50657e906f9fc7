"""OpenSSL is loaded when somebody needs it: for AUTH, for checksums of nodes.conf, for DEBUG DIGEST.

trio imports ``ssl`` and ``hmac`` whether or not there is TLS. They would be a sixth of an empty node's memory.
"""

import importlib
import sys
from types import ModuleType
from typing import Final

NAMES: Final = ("ssl", "hmac", "hashlib")


class Later(ModuleType):
    """Stands for the module ``name``, which is loaded when it is first asked for something."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)  # whoever looks through all modules asks for these
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        module = importlib.import_module(self.__name__)
        self.__dict__.update(vars(module))
        return getattr(module, name)


def load_later() -> None:
    """To be called before trio is imported."""
    for name in NAMES:
        sys.modules.setdefault(name, Later(name))
