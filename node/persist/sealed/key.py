"""What sealing asks of a cipher and of an operator's key. The edge implements both, for it has ``cryptography``."""

from mypy_extensions import mypyc_attr


class Tampered(Exception):
    """These bytes were not sealed with this key, this nonce and these extra bytes."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Cipher:
    """AES-256-GCM under the key of one run. No ``nonce`` (12 bytes) may be used for two ``seal``."""

    def seal(self, nonce: bytes, data: bytes, extra: bytes) -> bytes:
        """``data`` encrypted, and a tag of 16 bytes behind it that vouches for ``data`` and ``extra``."""
        raise NotImplementedError

    def open(self, nonce: bytes, data: bytes, extra: bytes) -> bytes:
        """What was sealed. Tampered."""
        raise NotImplementedError


@mypyc_attr(allow_interpreted_subclasses=True)
class Key:
    """An operator's key. ``name``: 8 bytes that tell it from others and nothing about it."""

    def __init__(self, name: bytes) -> None:
        self.name: bytes = name

    def cipher(self, salt: bytes) -> Cipher:
        """Of the run with this ``salt`` (32 bytes): its key is derived from both."""
        raise NotImplementedError
