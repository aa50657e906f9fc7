"""``gossamer check-rdb``: is an RDB file whole, and what is in it? As redis-check-rdb."""

from contextlib import closing
from pathlib import Path

from gossamer.deploy.files.contents import Contents
from gossamer.deploy.files.pieces import pieces, size_of
from gossamer.deploy.user_error import UserError
from gossamer.node.persist.codes import RdbError
from gossamer.node.persist.reader import RdbReader


def check_rdb(path: Path) -> int:
    """Print what is found; the exit code. UserError, after what was found, if the file is damaged."""
    reader = RdbReader()
    contents = Contents()
    wrong = ""
    try:
        with closing(pieces(path)) as parts:
            for piece in parts:
                contents.take(reader.feed(piece))
                if reader.done:
                    break
        contents.take(reader.finish())
    except RdbError as error:
        wrong = str(error)
        contents.take(reader.before_damage)
    print_under(path, contents)
    if wrong:
        raise UserError(f"{path} is damaged: {wrong}")
    behind = size_of(path) - reader.offset
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
