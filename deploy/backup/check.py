"""Is what shall be restored whole? Asked before the first key goes anywhere."""

import hashlib
from collections.abc import Generator
from pathlib import Path
from typing import Final

from attrs import frozen

from gossamer.deploy.backup.folder import MARK, told
from gossamer.deploy.backup.manifest import NAME, Manifest, ManifestError, Ranges, parse
from gossamer.deploy.backup.progress import Progress
from gossamer.deploy.files.contents import Contents
from gossamer.deploy.signals import Signals
from gossamer.deploy.user_error import UserError
from gossamer.node.persist.codes import RdbError
from gossamer.node.persist.reader import RdbReader

PIECE: Final = 1 << 18


@frozen
class Piece:
    """One RDB file to be restored. ``slots``: only keys of these, or all if there are none. ``keys``: how many it has,
    by database."""

    path: Path
    size: int
    keys: dict[int, int]
    slots: Ranges = ()


def read_manifest(path: Path) -> Manifest:
    """Of the backup in the folder ``path``. UserError."""
    file = path / NAME
    if not file.exists():
        if not path.is_dir():
            raise UserError(f"{path} is no folder")
        why = "it was not finished" if (path / MARK).exists() else f"{NAME} is missing, which is written last"
        raise UserError(f"{path} is no backup: {why}")
    with told(file):
        data = file.read_bytes()
    try:
        return parse(data)
    except ManifestError as error:
        raise UserError(f"{file} is no manifest of a backup: {error}") from None


def pieces_of(path: Path, manifest: Manifest, progress: Progress, signals: Signals) -> list[Piece]:
    """The files of a backup, each of which is as it was written. UserError that names the one that is not."""
    for shard in manifest.shards:
        file = path / shard.file
        with told(file):
            size = file.stat().st_size
        if size != shard.size:
            raise UserError(f"{file} is not as it was written: it has {size:,} bytes instead of {shard.size:,}")
    progress.begin("checking", manifest.size)
    for shard in manifest.shards:
        found = hashlib.sha256()
        for data in read(path / shard.file, progress, "checking", signals):
            found.update(data)
        if found.hexdigest() != shard.sha256:
            raise UserError(
                f"{path / shard.file} is not as it was written: its SHA-256 is {found.hexdigest()} instead of "
                f"{shard.sha256}"
            )
    progress.end("checking")
    return [Piece(path / shard.file, shard.size, shard.keys, shard.slots) for shard in manifest.shards]


def piece_of(path: Path, progress: Progress, signals: Signals) -> Piece:
    """An RDB file of any server, which has been read to its end. UserError."""
    with told(path):
        size = path.stat().st_size
    progress.begin("checking", size)
    reader, contents = RdbReader(), Contents()
    try:
        for data in read(path, progress, "checking", signals):
            contents.take(reader.feed(data))
            if reader.done:
                break
        contents.take(reader.finish())
    except RdbError as error:
        raise UserError(f"{path} cannot be read: {error}") from None
    progress.end("checking")
    return Piece(path, reader.offset, {db: keys.all for db, keys in contents.databases.items()})


def read(path: Path, progress: Progress, name: str, signals: Signals) -> Generator[bytes, None, None]:
    """All of a file. UserError, Interrupted."""
    with told(path), path.open("rb") as file:
        while data := file.read(PIECE):
            signals.check()
            progress.advance(name, len(data))
            yield data
