"""Our own version, and the server that clients shall take us for."""

from typing import Final

VERSION: Final = "0.1.0"
COMPATIBLE: Final = "7.2.4"
"""Valkey says the same."""
TITLE: Final = f"Gossamer {VERSION} (compatible with Redis {COMPATIBLE})"
VALKEY_COMPATIBLE: Final = "9.0.0"
"""What a Valkey may take us for where it chooses how to talk to us: we read what that version reads."""
