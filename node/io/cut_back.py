"""A file of data that ends too early is cut back to what is whole, in a sealed file too; a crash loses none of that."""

import os
from typing import Final

from gossamer.node.io.data_file import DataFile
from gossamer.node.io.keys import Keys
from gossamer.node.io.new_file import begin_file
from gossamer.node.persist.sealed.form import WHOLE
from gossamer.node.persist.sealed.opener import Opener

READ_BYTES: Final = 1 << 18


def cut_back(path: str, keep: int, file: DataFile, keys: Keys) -> int:
    """``file`` has read what is at ``path``: cut that behind ``keep`` bytes of data. Its size then. OSError.

    A cut within a chunk makes a new file in its place, for the chunk cannot be sealed anew where it is: a crash between
    the cut and the new chunk would lose its beginning.
    """
    size = keep
    if file.is_sealed:
        size, opened = (file.whole, file.given) if keep == file.given else place_of(path, keep, keys)
        if opened != keep or file.kind == WHOLE:
            return rewritten(path, keep, keys)
    fd = os.open(path, os.O_RDWR)
    try:
        os.ftruncate(fd, size)
        os.fsync(fd)
    finally:
        os.close(fd)
    return size


def place_of(path: str, keep: int, keys: Keys) -> tuple[int, int]:
    """Where in the sealed file the chunk begins that has its byte ``keep`` of data, and with which byte of it."""
    opener = Opener(keys.opens)
    opener.until = keep
    with open(path, "rb", buffering=0) as file:
        while opener.opened < keep and not opener.is_stopped and (data := file.read(READ_BYTES)):
            opener.feed(data)
    return opener.offset, opener.opened


def rewritten(path: str, keep: int, keys: Keys) -> int:
    """A new file at ``path``, sealed as a whole, with the first ``keep`` bytes of data of the old one. Its size."""
    new = begin_file(path, True, str(os.getpid()), keys.seals)
    left = keep
    with DataFile(path, keys) as old:
        while left and not new.failure and (data := old.read(READ_BYTES)):
            new.write(data[:left])
            left -= min(left, len(data))
    if not left:
        new.commit()
    if not new.done:
        new.abandon()
        raise OSError(0, new.failure.removeprefix(f"{path}: "), path)
    return new.size
