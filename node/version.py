"""Our own version, and the server that clients shall take us for."""

from typing import Final

VERSION: Final = "0.1.0"
COMPATIBLE: Final = "7.0.15"
