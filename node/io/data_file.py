"""A file of data, read from its beginning: what it holds, whether it is sealed or not."""

import os
from io import FileIO
from typing import Final

from gossamer.node.io.keys import KEY_FILE, Keys
from gossamer.node.persist.sealed.form import GROWING, MAGIC, VERSION, SealError, is_sealed
from gossamer.node.persist.sealed.opener import Opener

HOW: Final = f"{KEY_FILE} is not set"
KIND: Final = len(MAGIC) + len(VERSION)
"""The byte that tells the kind of a sealed file."""


class DataFile:
    """``how``: what to say of a sealed file if there is no key. OSError; SealError also from ``read``."""

    def __init__(self, path: str, keys: Keys, how: str = HOW) -> None:
        self._file = FileIO(path)
        fd = self._file.fileno()
        self.size = os.fstat(fd).st_size
        """Bytes of the file when it was opened."""
        self._opener = Opener(keys.opens) if is_sealed(os.pread(fd, len(MAGIC), 0)) else None
        self._taken = 0
        self._given = 0
        if self._opener is not None and not keys.opens:
            self._file.close()
            raise SealError(0, f"it is sealed, but {how}")

    def read(self, count: int) -> bytes:
        """What the next ``count`` bytes of the file hold, or some bytes around them; empty at the end."""
        opener = self._opener
        while data := self._file.read(count):
            self._taken += len(data)
            if opener is not None:
                data = opener.feed(data)
            if data:
                self._given += len(data)
                return data
        if opener is not None:
            opener.finish()
        return b""

    @property
    def overhead(self) -> int:
        """Bytes of the file so far that hold no data, or not yet."""
        return self._taken - self._given

    @property
    def is_sealed(self) -> bool:
        return self._opener is not None

    @property
    def is_old(self) -> bool:
        """It is sealed with another key than the one that files are sealed with now."""
        return self._opener is not None and self._opener.is_old

    @property
    def kind(self) -> bytes:
        return b"" if self._opener is None else self._opener.kind

    @property
    def whole(self) -> int:
        """Up to here, in bytes of the file, all that was read is whole."""
        return self._taken if self._opener is None else self._opener.offset

    @property
    def given(self) -> int:
        """Bytes of data so far."""
        return self._given

    @property
    def is_torn(self) -> bool:
        """After the end: it ends within a chunk."""
        return self._opener is not None and self._opener.torn

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> "DataFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def can_go_on(path: str, keys: Keys) -> bool:
    """May a node with these ``keys`` append to the file? To none that would not be sealed as these say. OSError."""
    with FileIO(path) as file:
        beginning = os.pread(file.fileno(), KIND + 1, 0)
    if not beginning:
        return True
    if keys.seals is None:
        return not is_sealed(beginning)
    return is_sealed(beginning) and beginning[KIND:] == GROWING
