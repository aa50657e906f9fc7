"""A client as the engine sees it: who it is, which modes it is in, and the replies that wait to be written to it."""

from typing import Final

from gossamer.cluster.text import text_of
from gossamer.node.engine.clients.access import Access
from gossamer.node.engine.clients.pending import PendingReplies
from gossamer.node.engine.clients.tracker import Tracker
from gossamer.node.engine.data.database import Database
from gossamer.node.engine.data.keyspace import Keyspace
from gossamer.node.engine.data.watch import Watcher, unwatch
from gossamer.node.engine.edge import Edge
from gossamer.node.engine.state import NodeState
from gossamer.node.engine.table.command import Command
from gossamer.node.resp.reply import NO_REPLY, Failure, Reply
from gossamer.node.resp.writer import LONG, encode, put_long

# Modes of a client that dispatch has to look at; 0 is the common case and costs one comparison.
UNAUTHENTICATED: Final = 1
IN_MULTI: Final = 2
REPLIES_OFF: Final = 4
SKIP_NEXT_REPLY: Final = 8
SKIP_THIS_REPLY: Final = 16
ASKED: Final = 32
"""ASKING was sent; holds for the next request, or for all of the transaction that this one opens."""
MONITORING: Final = 64
SUBSCRIBED: Final = 128
NOT_TO_PAUSE: Final = 256
"""Replicas and the like are not held up by CLIENT PAUSE."""
SLOT_EXPORTER: Final = 512
"""Another node, which brings slots: its writes go beside the data (``slot_import.py``)."""
TRACKS: Final = 1024
"""Takes part in client tracking: it tracks, or has done so, or is told in the place of another client."""


CLIENT_BYTES: Final = 2000
"""A connection without anything in its buffers: its objects here (1,230 measured), and those of its socket."""

JOIN_BELOW: Final = 2048
"""Bytes: pieces of output that are shorter on average are joined, longer ones are left as they are."""


class Clients:
    """All that are connected, and what each of them needs of the node."""

    def __init__(self, node: NodeState, keyspace: Keyspace, access: Access, edge: Edge) -> None:
        self.node: NodeState = node
        self.keyspace: Keyspace = keyspace
        self.access: Access = access
        self.edge: Edge = edge
        self.by_id: dict[int, Client] = {}
        self.next_id: int = 1
        self.to_flush: list[Client] = []
        """Those with output, or to be closed: the owner of the sockets looks after each batch."""
        self.browser_logged_s: int = 0
        """When ``cross_protocol.hang_up`` last wrote to the log."""

    def __len__(self) -> int:
        return len(self.by_id)

    def all(self) -> list["Client"]:
        """A list of one's own: clients may leave while one goes through it."""
        return list(self.by_id.values())

    def take_id(self) -> int:
        """The number of a new connection."""
        self.next_id += 1
        return self.next_id - 1


class Client:
    """One connection.

    ``out`` holds encoded replies, a long one in pieces, ``out_bytes`` their size; the socket's owner takes them away.
    """

    __slots__ = (
        "active_ms",
        "addr",
        "announced",
        "blocked",
        "bytes_in",
        "clients",
        "closing",
        "created_ms",
        "db",
        "fd",
        "id",
        "is_primary",
        "killed",
        "laddr",
        "last_command",
        "last_write",
        "lib_name",
        "lib_ver",
        "modes",
        "name",
        "no_evict",
        "no_touch",
        "out",
        "out_bytes",
        "over_soft_limit_since",
        "pending",
        "queue",
        "queue_broken",
        "readonly",
        "resp3",
        "tracker",
        "unix",
        "unsent",
        "user",
        "watcher",
        "wrote_to",
    )

    def __init__(self, clients: "Clients", client_id: int, addr: str, laddr: str, unix: bool) -> None:
        self.clients: Clients = clients
        self.id: int = client_id
        self.addr: str = addr
        self.laddr: str = laddr
        self.unix: bool = unix
        self.fd: int = -1
        self.name: bytes = b""
        self.lib_name: bytes = b""
        """Which client library speaks, and its version, as it says itself: CLIENT SETINFO."""
        self.lib_ver: bytes = b""
        self.user: str = "default"
        self.db: Database = clients.keyspace.database(0)
        self.resp3: bool = False
        self.modes: int = 0 if clients.access.open_to_all else UNAUTHENTICATED
        self.readonly: bool = False
        self.no_evict: bool = False
        self.no_touch: bool = False
        """What it reads does not count as used: CLIENT NO-TOUCH."""
        self.created_ms: int = clients.node.now
        self.active_ms: int = clients.node.now
        self.is_primary: bool = False
        """It stands for the connection to this node's primary: what is run by it is the primary's stream."""
        self.last_command: Command | None = None
        self.bytes_in: int = 0
        self.out: list[bytes] = []
        self.out_bytes: int = 0
        self.unsent: int = 0
        """Bytes that were handed to the socket's owner and not taken by the kernel yet."""
        self.over_soft_limit_since: int = 0
        self.wrote_to: int = 0
        """Where in the stream of writes its last write ended: what WAIT waits for."""
        self.last_write: int = 0
        """The number of its last request that has written (``Journal.write_count``): what WAITAOF waits for here."""
        self.pending: PendingReplies | None = None
        """Replies that wait for replicas: see ``acks.py``."""
        self.announced: bool = False
        """In ``Clients.to_flush`` already."""
        self.blocked: bool = False
        """Waits for something (``waiting.py``): what it sends is kept, not served."""
        self.closing: bool = False
        """No more requests; the connection ends when ``out`` has been written."""
        self.killed: bool = False
        """The connection ends now."""
        self.queue: list[tuple[Command, list[bytes]]] = []
        self.queue_broken: bool = False
        """A request could not be queued: EXEC will refuse."""
        self.watcher: Watcher | None = None
        self.tracker: Tracker | None = None
        """What it has to do with client tracking (``tracking.py``); with the mode ``TRACKS``."""

    def send(self, data: bytes) -> None:
        """Queue bytes for the client and see to it that they are written after this batch."""
        self.out.append(data)
        self.out_bytes += len(data)
        if not self.announced:
            self.announced = True
            self.clients.to_flush.append(self)

    def reply(self, reply: Reply) -> None:
        """Queue the reply to the current request, unless the client wants none."""
        if reply is NO_REPLY:
            return
        if self.modes & (REPLIES_OFF | SKIP_THIS_REPLY):
            if self.modes & NOT_TO_PAUSE and not self.modes & (MONITORING | SLOT_EXPORTER):
                self._misused(reply)
            return
        if isinstance(reply, bytes) and len(reply) >= LONG and self.pending is None:  # or it may be taken back, whole
            self.out_bytes += put_long(self.out, reply)
        else:
            data = encode(reply, self.resp3)
            self.out.append(data)
            self.out_bytes += len(data)
        if not self.announced:
            self._announce()

    def take_output(self) -> bytes:
        """Everything queued so far, as one piece; the queue is empty afterwards."""
        out = self.out
        data = out[0] if len(out) == 1 else b"".join(out)
        self.out = []
        self.out_bytes = 0
        return data

    def take_pieces(self) -> list[bytes]:
        """As ``take_output``, but what is long is not copied."""
        out = self.out
        if len(out) > 1 and self.out_bytes < JOIN_BELOW * len(out):
            return [self.take_output()]
        self.out = []
        self.out_bytes = 0
        return out

    def close_after_reply(self) -> None:
        self.closing = True
        self._announce()

    def kill(self) -> None:
        """End the connection at once; what is queued is lost."""
        self.killed = True
        self.closing = True
        self._announce()

    def run_postponed(self) -> None:
        """The request that had to wait is run anew, at once."""

    def drop_postponed(self) -> None:
        """The request that had to wait is not to be run any more."""

    def left(self) -> None:
        """The connection has ended, and nothing is asked of this client any more."""

    def authenticated(self) -> None:
        """The client has shown who it is."""
        self.modes &= ~UNAUTHENTICATED

    def limit_bulk(self, size: int) -> None:
        """``proto-max-bulk-len`` has changed."""

    def unread(self) -> int:
        """Bytes that have arrived and were not served yet."""
        return 0

    def query_buffer(self) -> int:
        """Bytes of the input out of which the client is being served."""
        return 0

    def queued(self) -> int:
        """Bytes that wait between MULTI and EXEC."""
        total = 0
        for _, argv in self.queue:
            for arg in argv:
                total += len(arg)
        return total

    def memory(self) -> int:
        """Bytes that the client costs."""
        total = CLIENT_BYTES + self.unread() + self.out_bytes + self.unsent
        if self.queue:
            total += self.queued()
        if self.pending is not None:
            total += self.pending.size
        return total

    def reset(self) -> None:
        """RESET: the state of a new connection, but for its id, its age and its library."""
        self.forget_transaction()
        self.modes = self.modes & (SKIP_THIS_REPLY | TRACKS) | (
            0 if self.clients.access.open_to_all else UNAUTHENTICATED
        )
        self.user = "default"
        self.db = self.clients.keyspace.database(0)
        self.resp3 = False
        self.name = b""
        self.readonly = False
        self.no_evict = False
        self.no_touch = False

    def _misused(self, reply: Reply) -> None:
        """A replica has asked something that is answered: an answer would be taken for a part of the stream."""
        name = self.last_command.name if self.last_command is not None else "NULL"
        log = self.clients.edge.log
        if isinstance(reply, Failure):
            text = text_of(reply.text)
            told = "== CRITICAL == This master is sending an error to its replica"
            log("warning", f"{told}: '{text}' after processing the command '{name}'")
        told = f"Replica generated a reply to command '{name}', disconnecting it"
        log("warning", f"{told}: id={self.id} addr={self.addr}")
        self.kill()

    def _announce(self) -> None:
        if not self.announced:
            self.announced = True
            self.clients.to_flush.append(self)

    def has_mode(self, mode: int) -> bool:
        return bool(self.modes & mode)

    def set_mode(self, mode: int, on: bool) -> None:
        if on:
            self.modes |= mode
        else:
            self.modes &= ~mode

    def forget_transaction(self) -> None:
        """Leave MULTI and drop what was queued and watched. An ASKING that held for the transaction is over too."""
        self.queue = []
        self.queue_broken = False
        self.modes &= ~(IN_MULTI | ASKED)
        self.unwatch()

    def unwatch(self) -> None:
        watcher = self.watcher
        if watcher is None:
            return
        self.watcher = None
        unwatch(watcher)
