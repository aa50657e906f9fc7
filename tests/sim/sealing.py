"""Sealed files on simulated disks: the key, if it can be had, and how such a file is read again.

Rules kept here:
- Salts come from the seed, and AES-GCM knows no chance: the same seed writes the same bytes.
- What makes and opens chunks is the node's own; what is done with them is as in append_file.py, new_file.py and
  data_file.py of node/io.
"""

from collections.abc import Iterator
from random import Random

from gossamer.node.io.keys import INSTALL
from gossamer.node.persist.sealed.form import MAGIC, SALT_SIZE, SealError, is_sealed
from gossamer.node.persist.sealed.key import Key
from gossamer.node.persist.sealed.opener import Opener
from gossamer.node.persist.sealed.sealer import Sealer
from gossamer.node.saving.loading import LoadError

CHUNK_BYTES = 1 << 9
"""What is sealed as one chunk of a file that is written as a whole, or a little more."""


def make_key() -> Key | None:
    """None where there is no cipher."""
    try:
        from gossamer.node.io.aes import AesKey
    except ImportError:
        return None
    return AesKey(bytes(range(32)))


KEY = make_key()
WHY_NOT = "" if KEY is not None else f"no files are sealed: {INSTALL}"


class Seal:
    """What seals the files of one host. ``rng``: where salts come from."""

    def __init__(self, key: Key, rng: Random) -> None:
        self.key = key
        self.rng = rng

    def sealer(self, kind: bytes, *place: int | bytes) -> Sealer:
        """Of a run; ``place``: where in a file that grows it begins, and the bytes before it."""
        return Sealer(self.key, self.rng.randbytes(SALT_SIZE), kind, *place)  # type: ignore[arg-type]


class SealedWhole:
    """A file that is written as a whole: pieces in, what is written to the disk out."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self._data = b""

    def seal(self, data: bytes, last: bool = False) -> bytes:
        self._data += data
        if len(self._data) < CHUNK_BYTES and not last:
            return b""
        data, self._data = self._data, b""
        return self._sealer.seal(data, last)


class Reader:
    """What a file holds, a few bytes of it at a time."""

    def __init__(self, path: str, data: bytes, key: Key | None) -> None:
        self.path = path
        self.given = 0
        """Bytes of data so far."""
        self._data = data
        self._opener = None if key is None else Opener([key])
        assert key is not None or not is_sealed(data)

    def pieces(self, size: int) -> Iterator[bytes]:
        """LoadError."""
        try:
            for at in range(0, len(self._data), size):
                piece = self._data[at : at + size]
                if self._opener is not None:
                    piece = self._opener.feed(piece)
                self.given += len(piece)
                yield piece
            if self._opener is not None:
                self._opener.finish()
        except SealError as error:
            raise LoadError(f"{self.path}: {error}") from None

    @property
    def is_torn(self) -> bool:
        """At the end: it ends within a chunk."""
        return self._opener is not None and self._opener.torn

    def size_of(self, cut: int) -> int:
        """Of the file, to be cut behind ``cut`` bytes of data. What is sealed at once is told at once: a sealed file
        is never cut within a chunk."""
        if self._opener is None:
            return cut
        assert cut == self._opener.opened, f"{self.path} is cut within a chunk"
        return self._opener.offset


def is_plain(data: bytes) -> bool:
    """Somebody without the key could read something of the file."""
    return not MAGIC.startswith(data[: len(MAGIC)])
