"""XTRIM."""

from gossamer.node.commands.streams.trim_options import read_options
from gossamer.node.engine.data.changes import XTRIM
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import STREAM, WRITE, command
from gossamer.node.engine.table.keyspec import DELETE, RW, first
from gossamer.node.resp.reply import Reply
from gossamer.node.types.streams.stream import Stream


@command("XTRIM", arity=-4, flags=WRITE, keys=first(RW, DELETE), acl=STREAM)
def xtrim(c: Call, argv: list[bytes]) -> Reply:
    options = read_options(c, argv, False)
    key = argv[1]
    stream = c.change(key, Stream)
    if stream is None:
        return 0
    trimmed = options.trim(stream)
    if trimmed:
        c.changed(key, stream, XTRIM, trimmed)
        if options.approximate:
            c.propagate(b"XTRIM", key, *options.words(stream))
    return trimmed
