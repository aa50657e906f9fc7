"""One client's connection, without the socket: bytes in, replies queued.

``feed`` serves what has arrived, in batches of bounded size so that one client's pipeline cannot starve the others:
``True`` means "there is more, call ``resume`` on the next turn". The same class serves plain sockets, unix sockets,
any trio stream, the simulator and tests.
"""

from typing import Final

from gossamer.node.engine.clients.client import UNAUTHENTICATED, Client
from gossamer.node.engine.clients.waiting import RETRY
from gossamer.node.engine.server import Server
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.serving.dispatch import execute
from gossamer.node.engine.serving.unexpected import survive, told
from gossamer.node.resp.errors import ProtocolError
from gossamer.node.resp.parser import Parser
from gossamer.node.resp.reply import Failure
from gossamer.node.resp.tokens import TokenParser

BATCH: Final = 1024
"""Requests served for one client before the others get their turn."""

OUT_BATCH: Final = 1024 * 1024
"""Bytes of replies after which a turn ends early."""

INTERPRETED: Final = hasattr(Parser.next, "__code__")


class Session(Client):
    __slots__ = ("call", "parser", "postponed", "server")
    __deletable__ = ("call",)

    def __init__(self, server: Server, client_id: int, addr: str, laddr: str, unix: bool = False) -> None:
        super().__init__(server.clients, client_id, addr, laddr, unix)
        self.server: Server = server
        self.call: Call = Call(server, self)
        self.parser: Parser = TokenParser() if INTERPRETED else Parser()
        self.parser.max_bulk = server.limits.max_bulk
        self.parser.trusted = not self.modes & UNAUTHENTICATED
        self.postponed: list[bytes] | None = None
        """The request that has to wait and is run anew, before all that came after it, when the wait ends."""

    def feed(self, data: bytes) -> bool:
        """Take bytes from the client and serve the requests they complete; True if some have to wait for their turn."""
        self.bytes_in += len(data)
        server = self.server
        server.stats.total_net_input_bytes += len(data)
        self.active_ms = server.now
        if self.closing:
            return False
        parser = self.parser
        parser.feed(data)
        more = False if self.blocked else self.resume()
        if (more or self.blocked or len(data) > 4096) and parser.buffered() > server.limits.max_query_buffer:
            self._overflow()
            return False
        return more

    def resume(self) -> bool:
        """Serve requests that have arrived already, at most a batch of them."""
        call = self.call
        parser = self.parser
        budget = BATCH
        changes = self.server.changes
        dirty = changes.dirty
        argv: list[bytes] | None = self.postponed
        again = argv is not None
        self.postponed = None
        try:
            if argv is None:
                argv = parser.next()
            while argv is not None:
                dirty = changes.dirty
                reply = execute(call, argv)
                if reply is RETRY:
                    assert self.blocked, "the registry knows who waits"
                    self.postponed = argv
                    return False
                if again:
                    again = False
                    self.server.waiting.retried = None
                self.reply(reply)
                if self.closing or self.blocked:
                    return False
                budget -= 1
                if budget == 0 or self.out_bytes > OUT_BATCH:
                    return True
                argv = parser.next()
        except ProtocolError as error:
            self.server.stats.count_error(b"ERR")
            self.reply(Failure(b"ERR Protocol error: " + error.text))
            self.close_after_reply()
        except Exception as mishap:  # another name: compiled, a name has one type
            server = self.server
            what = f"the request {told(argv)} of client id={self.id} addr={self.addr}, which is closed"
            survive(server, what, mishap, changes.dirty != dirty)
            self.close_after_reply()  # what was asked before this has its replies
        return False

    def drop_postponed(self) -> None:
        self.postponed = None

    def left(self) -> None:
        # The call knows its client: without this the two would be a cycle, and wait for a collection that is not made.
        del self.call

    def authenticated(self) -> None:
        """The client has shown who it is: long requests are read from now on."""
        self.modes &= ~UNAUTHENTICATED
        self.parser.trusted = True

    def limit_bulk(self, size: int) -> None:
        self.parser.max_bulk = size

    def unread(self) -> int:
        return self.parser.buffered()

    def query_buffer(self) -> int:
        return self.parser.input_size()

    def reset(self) -> None:
        super().reset()
        self.call.db = self.db
        self.parser.trusted = not self.modes & UNAUTHENTICATED

    def _overflow(self) -> None:
        self.server.stats.client_query_buffer_limit_disconnections += 1
        self.kill()
