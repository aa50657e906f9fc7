"""SCAN: the keys of a database, a piece at a time. The guarantees are ``traverse.piece``'s."""

from gossamer.node.commands.scan_options import TYPE, ScanOptions, read_cursor, scanned
from gossamer.node.engine.data.kinds import kind_of
from gossamer.node.engine.data.traverse import piece
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import KEYSPACE, READONLY, command
from gossamer.node.glob import glob_match
from gossamer.node.resp.reply import Reply


@command("SCAN", arity=-2, flags=READONLY, acl=KEYSPACE)
def scan(c: Call, argv: list[bytes]) -> Reply:
    cursor = read_cursor(argv[1])
    options = ScanOptions(argv, 2, TYPE)
    cursor, keys = piece(c.db, cursor, options.count)
    return scanned(cursor, [key for key in keys if wanted(c, key, options)])


def wanted(c: Call, key: bytes, options: ScanOptions) -> bool:
    """Does ``key`` pass the options and still exist? One whose time is over is deleted on the way."""
    if options.pattern is not None and not glob_match(options.pattern, key):
        return False
    value = c.get_raw(key)
    return value is not None and (options.kind is None or kind_of(value).name == options.kind)
