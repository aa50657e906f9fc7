"""The keys that files at rest are sealed and opened with, as an operator's key files say them.

A key file holds 32 bytes, or 64 hexadecimal digits and maybe a line feed. Any other user who may read it has the data
as well, so a file that is open to others is refused: a warning would stand in a log that nobody reads. As with
PostgreSQL's TLS keys, root may let the group of the node read it, which is how secrets are mounted into containers.
"""

import os
import re
import stat
from collections.abc import Sequence
from typing import Final

from attrs import frozen

from gossamer.cluster.text import text_of
from gossamer.node.config import Config, ConfigError
from gossamer.node.persist.sealed.key import Key

KEY_FILE: Final = "encrypt-at-rest-key-file"
OLD_KEY_FILE: Final = "encrypt-at-rest-old-key-file"
KEY_SIZE: Final = 32
MOST_READ: Final = 1024
HEX: Final = re.compile(rb"[0-9a-fA-F]{64}\n?")
NOT_OF_OTHERS: Final = 0o077
NOT_OF_OTHERS_IF_OF_ROOT: Final = 0o037
INSTALL: Final = "encryption at rest needs the package 'cryptography': pip install 'gossamer[encryption]'"


class KeyFileError(Exception):
    """One line: the file, and why it gives no key."""


@frozen
class Keys:
    """``seals``: new files are sealed with it; None: they are not. ``opens``: what sealed files are read with."""

    seals: Key | None = None
    opens: tuple[Key, ...] = ()

    def __repr__(self) -> str:
        return f"<Keys {[key.name.hex() for key in self.opens]}>"


NO_KEYS: Final = Keys()


def configured_keys(config: Config) -> Keys:
    """Those of the directives. ConfigError."""
    new, old = _configured(config, KEY_FILE), _configured(config, OLD_KEY_FILE)
    return Keys(new, tuple(key for key in (new, old) if key is not None))


def given_keys(paths: Sequence[str]) -> Keys:
    """Those of files that an operator names, the one to seal with first. KeyFileError."""
    opens = tuple(read_key(path) for path in paths)
    return Keys(opens[0] if opens else None, opens)


def read_key(path: str) -> Key:
    """KeyFileError."""
    secret = _secret(path)
    try:
        from gossamer.node.io.aes import AesKey
    except ImportError:
        raise KeyFileError(INSTALL) from None
    return AesKey(secret)


def _configured(config: Config, name: str) -> Key | None:
    path = config.text(name)
    if not path:
        return None
    try:
        return read_key(path)
    except KeyFileError as error:
        raise ConfigError(f"{name}: {error}", config.line_of(name)) from None


def _secret(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            state = os.fstat(file.fileno())
            text = file.read(MOST_READ)
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from None
    if stat.S_IMODE(state.st_mode) & _forbidden(state.st_uid):
        mode = stat.S_IMODE(state.st_mode)
        raise KeyFileError(
            f"{path}: others may use it too (mode {mode:04o}), and could read the data: chmod 600 {path}"
        )
    if HEX.fullmatch(text):
        return bytes.fromhex(text_of(text.strip()))
    if len(text) != KEY_SIZE:
        size = f"{len(text)} bytes" if len(text) < MOST_READ else f"{MOST_READ} bytes or more"
        raise KeyFileError(f"{path}: a key is 32 bytes, or 64 hexadecimal digits, but the file holds {size}")
    return text


def _forbidden(owner: int) -> int:
    return NOT_OF_OTHERS_IF_OF_ROOT if owner == 0 and os.geteuid() != 0 else NOT_OF_OTHERS
