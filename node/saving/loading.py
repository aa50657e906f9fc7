"""What a node begins with, on its way into it: what is the same for an RDB file (``rdb_load.py``) and for append-only
files (``aof_load.py``)."""

from gossamer.node.engine.server import Server


class LoadError(Exception):
    """The file cannot be loaded: the node must not begin with less, nor overwrite it. One line: file, place, reason."""


class Loading:
    """Files of ``size`` bytes, of which so many have been ``read``, since ``began_ms``."""

    def __init__(self, server: Server, size: int) -> None:
        self.path: str = ""
        """Of the file that is being read."""
        self.size: int = size
        self.read: int = 0
        self.began_ms: int = server.now

    @property
    def steps(self) -> int:
        """How many keys or commands have come."""
        raise NotImplementedError

    def feed(self, data: bytes) -> None:
        """The next bytes of the file. LoadError if it is damaged."""
        raise NotImplementedError

    def progress(self) -> str:
        return f"Loading {self.path}: {self.read * 100 // max(1, self.size)} %, {self.steps} keys or commands"


def drop_foreign(server: Server) -> None:
    """A primary forgets the keys of slots that other nodes own now: whoever has them has newer data.

    Not so of a slot that is open to come here: the source has deleted what MIGRATE has brought.
    """
    topology = server.topology
    if topology is None or not topology.myself.is_primary:
        return
    me, importing = topology.me, topology.importing
    foreign = (slot for slot, owner in enumerate(topology.owners) if owner and owner != me)
    server.drop_slots(tuple(slot for slot in foreign if slot not in importing))
