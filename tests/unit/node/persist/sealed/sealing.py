"""Keys, runs and whole files for tests of sealed files."""

import os
from collections.abc import Sequence

from gossamer.node.io.aes import AesKey
from gossamer.node.persist.sealed.form import GROWING, NONE_BEFORE, SALT_SIZE, TAG_SIZE, WHOLE
from gossamer.node.persist.sealed.key import Key
from gossamer.node.persist.sealed.opener import Opener
from gossamer.node.persist.sealed.sealer import Sealer

KEY = AesKey(bytes(range(32)))
OTHER = AesKey(bytes(range(1, 33)))


def whole(pieces: Sequence[bytes], key: Key = KEY) -> bytes:
    """A file that was written at once, a chunk a piece."""
    sealer = Sealer(key, os.urandom(SALT_SIZE), WHOLE)
    return b"".join([sealer.seal(piece) for piece in pieces[:-1]] + [sealer.seal(b"".join(pieces[-1:]), last=True)])


def grown(runs: Sequence[Sequence[bytes]], key: Key = KEY) -> list[bytes]:
    """The pieces of a file that was appended to: a new run each time, a chunk an append."""
    out: list[bytes] = []
    for appends in runs:
        so_far = b"".join(out)
        sealer = Sealer(key, os.urandom(SALT_SIZE), GROWING, len(so_far), so_far[-TAG_SIZE:] or NONE_BEFORE)
        out += [sealer.seal(data) for data in appends]
    return out


def opened(file: bytes, keys: Sequence[Key] = (KEY,), step: int = 1 << 20) -> tuple[bytes, Opener]:
    """The data, and the opener that has read to the end. SealError."""
    opener = Opener(keys)
    out = [opener.feed(file[at : at + step]) for at in range(0, len(file), step)]
    opener.finish()
    return b"".join(out), opener
