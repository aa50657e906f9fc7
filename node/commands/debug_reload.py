"""DEBUG RELOAD and LOADAOF: the data are read again from what is written of them, so that tests see what gets lost.

RELOAD: all data are written as an RDB and read again, in memory.

Redis takes the way through its file. Without one, NOSAVE has nothing to load, and NOFLUSH and MERGE change nothing:
each key is replaced by what was written of it.
"""

from gossamer.node.engine.data.snapshot import Snapshot
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.state import LOADING
from gossamer.node.persist.codes import VALKEY_80, RdbError
from gossamer.node.persist.form import Style
from gossamer.node.persist.load import Loader
from gossamer.node.persist.reader import RdbReader
from gossamer.node.persist.writer import RdbWriter
from gossamer.node.resp.errors import LOADING_DATA, RELOAD_FAILED, RELOAD_OPTIONS, Refusal
from gossamer.node.resp.reply import OK, Reply
from gossamer.node.saving.aof import OFF
from gossamer.node.saving.aof_load import AofLoad
from gossamer.node.saving.loading import LoadError
from gossamer.node.saving.saves import saves_of


def reload(c: Call, options: list[bytes]) -> Reply:
    """Nobody is told of it: the data are the same, with the keys whose time is over, of which nobody has been told."""
    words = [word.upper() for word in options]
    for word in words:
        if word not in (b"MERGE", b"NOFLUSH", b"NOSAVE"):
            raise Refusal(RELOAD_OPTIONS)
    if b"NOSAVE" in words:
        raise Refusal(RELOAD_FAILED)
    server = c.server
    loader = Loader(server.keyspace.apart(), server.now, keep_stale=True)
    reader = RdbReader(limits=server.encodings)
    snapshot = Snapshot(server.keyspace)
    try:
        for chunk in RdbWriter(snapshot, style=Style(VALKEY_80)).chunks():
            loader.take(reader.feed(bytes(chunk)))
        reader.finish()
    except RdbError as error:
        server.edge.log("warning", f"DEBUG RELOAD: {error}")
        loader.dispose(server.keyspace.changes)
        raise Refusal(RELOAD_FAILED) from None
    finally:
        snapshot.close()
    server.keyspace.replace(loader.keyspace, server.now)
    return OK


def load_aof(c: Call) -> Reply:
    """The data give way to what the append-only file holds, or the node ends, as a start would."""
    server, saves = c.server, saves_of(c.server)
    if server.conditions & LOADING:
        raise Refusal(LOADING_DATA)  # they are on their way already, and would be run twice
    aof = saves.aof
    if aof.state == OFF and not aof.manifest.loaded:
        return OK
    aof.sink.flush_all()
    aof.forget_numbers()
    sinks = server.journal.mute()
    server.keyspace.replace(server.keyspace.apart(), server.now)
    saves.begin_loading()
    load = AofLoad(server, aof.size)
    try:
        for path in aof.paths():
            load.begin_file(path)
            for piece in server.edge.read_file(path):
                load.feed(piece)
            load.end_file()
    except (LoadError, OSError) as error:
        server.edge.fail(f"DEBUG LOADAOF: {error}")
    load.finish(saves)
    saves.end_loading()
    server.journal.unmute(sinks)
    return OK
