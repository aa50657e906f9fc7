"""``gossamer check-rdb``: is an RDB file whole, and what is in it? As redis-check-rdb."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from gossamer.deploy.files.contents import Contents
from gossamer.deploy.files.pieces import keys_of, opened, pieces_of
from gossamer.deploy.user_error import UserError
from gossamer.node.persist.codes import RdbError
from gossamer.node.persist.reader import RdbReader
from gossamer.node.persist.sealed.form import SealError


def check_rdb(path: Path, key_files: Sequence[Path] = ()) -> int:
    """Print what is found; the exit code. UserError, after what was found, if the file is damaged."""
    reader = RdbReader()
    contents = Contents()
    wrong = ""
    file = opened(path, keys_of(key_files))
    behind = 0
    try:
        with closing(pieces_of(file, path)) as parts:
            for piece in parts:
                if reader.done:
                    behind += len(piece)
                else:
                    contents.take(reader.feed(piece))
        contents.take(reader.finish())
    except (RdbError, SealError) as error:
        wrong = str(error)
        contents.take(reader.before_damage)
    print_under(path, contents)
    if wrong:
        raise UserError(f"{path} is damaged: {wrong}")
    behind += len(reader.rest)
    note = f"; {behind:,} more stand behind its end, which no server reads" if behind else ""
    print(f"{path} is whole: {reader.offset:,} bytes{note}")
    return 0


def print_under(path: Path, contents: Contents) -> None:
    """What an RDB holds, under the name of its file."""
    lines = contents.lines()
    if lines:
        print(f"{path}:")
    for line in lines:
        print(f"  {line}")
