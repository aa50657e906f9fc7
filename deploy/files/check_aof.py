"""``gossamer check-aof``: is an append-only file whole, or all the files of a manifest? As redis-check-aof.

Only the last file may be cut: what comes after it would be applied to other data than it was written for. Of a sealed
file sizes and places are told in bytes of the file, as it is on the disk.
"""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from attrs import frozen

from gossamer.deploy.files.check_rdb import print_under
from gossamer.deploy.files.contents import Contents
from gossamer.deploy.files.pieces import beginning, keys_of, opened, pieces, pieces_of, size_of
from gossamer.deploy.user_error import UserError
from gossamer.node.io.cut_back import cut_back, place_of
from gossamer.node.io.data_file import DataFile
from gossamer.node.io.keys import Keys
from gossamer.node.persist.aof.manifest import ManifestError, parse
from gossamer.node.persist.aof.reader import AofError, AofReader
from gossamer.node.persist.sealed.form import SealError


@frozen
class Verdict:
    """Of one ``file``. ``whole``: bytes up to the end of the last whole command outside of an open transaction.

    ``keep``: how many bytes of data these hold. ``wrong``: in words, empty if all is well. ``fixable``: the file can be
    cut behind ``whole``.
    """

    path: Path
    file: DataFile
    size: int
    whole: int
    keep: int
    commands: int
    wrong: str
    fixable: bool

    @property
    def lost(self) -> int:
        """Bytes that a cut takes away."""
        return self.size - self.whole

    def __str__(self) -> str:
        if not self.wrong:
            return f"{self.path} is valid: {self.size:,} bytes, {self.commands:,} commands"
        of_all = f"of {self.size:,} bytes {self.whole:,} are whole, {self.lost:,} follow"
        return f"{self.path} is not valid, it {self.wrong}; {of_all}"


def check_aof(path: Path, fix: bool, key_files: Sequence[Path] = ()) -> int:
    """Print what is found; the exit code. UserError if a file is not whole, unless ``fix`` and it can be cut."""
    keys = keys_of(key_files)
    verdicts = [judge(file, keys) for file in files_of(path)]
    wrong = [verdict for verdict in verdicts if verdict.wrong]
    for verdict in verdicts:
        if not verdict.wrong:
            print(verdict)
    if not wrong:
        return 0
    first = wrong[0]
    if not first.fixable:
        raise UserError(f"{first}: this cannot be mended, take another copy of the file")
    if first is not verdicts[-1]:
        raise UserError(f"{first}: it cannot be cut, the files behind it go on from its end")
    if not fix:
        raise UserError(f"{first}: gossamer check-aof --fix cuts these off")
    return offer_cut(first, keys)


def files_of(path: Path) -> list[Path]:
    """The files that hold the data, in their order: those of a manifest, or ``path`` itself."""
    if not is_manifest(path):
        return [path]
    try:
        manifest = parse(b"".join(pieces(path)))
    except ManifestError as error:
        raise UserError(f"{path}: {error}") from None
    return [path.parent / file.name for file in manifest.loaded]


def is_manifest(path: Path) -> bool:
    """By the first line that is no comment."""
    lines = (line for line in beginning(path).split(b"\n") if not line.startswith(b"#"))
    return next(lines, b"").startswith(b"file")


def judge(path: Path, keys: Keys) -> Verdict:
    """Read the whole file; an RDB at its start is told of."""
    reader = AofReader()
    contents = Contents()
    commands, wrong = 0, ""
    file = opened(path, keys)
    try:
        with closing(pieces_of(file, path)) as parts:
            for piece in parts:
                reader.feed(piece)
                contents.take(reader.events())
                commands += count(reader)
        reader.finish()
        contents.take(reader.events())
        commands += count(reader)
    except (AofError, SealError) as error:
        wrong = f"is damaged at {error}"
        contents.take(reader.events())
    if reader.truncated:
        wrong = "ends within a transaction" if reader.in_multi else "ends within a command"
    elif file.is_torn and not wrong:
        wrong = "ends within a chunk"
    print_under(path, contents)
    if not wrong:
        return Verdict(path, file, file.size, file.size, reader.fed, commands, wrong, True)
    whole = whole_of(path, file, reader.whole, keys)
    return Verdict(path, file, size_of(path), whole, reader.whole, commands, wrong, not reader.in_rdb())


def whole_of(path: Path, file: DataFile, keep: int, keys: Keys) -> int:
    """Bytes of the file that hold its first ``keep`` bytes of data, in whole chunks if it is sealed."""
    if not file.is_sealed:
        return keep
    return place_of(str(path), keep, keys)[0]


def count(reader: AofReader) -> int:
    """Of the commands that have come."""
    found = 0
    while reader.next() is not None:
        found += 1
    return found


def offer_cut(verdict: Verdict, keys: Keys) -> int:
    """Cut the file if the operator agrees; the exit code."""
    print(f"{verdict}.")
    print(f"Cut to {verdict.whole:,} bytes, it loses its last {verdict.lost:,} bytes and all commands in them.")
    try:
        answer = input("Continue? [y/N] ")
    except EOFError:
        answer = ""
        print()
    if answer.strip().lower() not in {"y", "yes"}:
        print("nothing was changed")
        return 1
    if size_of(verdict.path) != verdict.size:
        raise UserError(f"{verdict.path} has changed meanwhile: nothing was done")
    try:
        size = cut_back(str(verdict.path), verdict.keep, verdict.file, keys)
    except OSError as error:
        raise UserError(f"{verdict.path}: {error.strerror}") from None
    print(f"Successfully truncated AOF {verdict.path} to {size:,} bytes")
    return 0
