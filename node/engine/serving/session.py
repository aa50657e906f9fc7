"""One client's connection, without the socket: bytes in, replies queued.

``feed`` serves what has arrived, in batches of bounded size so that one client's pipeline cannot starve the others:
``True`` means "there is more, call ``resume`` on the next turn". The same class serves plain sockets, unix sockets,
any trio stream, the simulator and tests.

What stands behind a request and is whole is read together with it, so that the keys of all are known before the first
one runs: each slot is computed once, and the tables fetch what they will look at side by side. That is all that is done
ahead. Requests are served one by one, and whoever asks about the input, or changes how it is read, finds the parser
behind the request that is being served (``_put_back``). The interpreted build reads nothing ahead: its tables fetch
nothing, and it would only pay.
"""

from typing import Final

from gossamer.node.engine.clients.client import ASKED, TRACKS, UNAUTHENTICATED, Client
from gossamer.node.engine.clients.waiting import RETRY
from gossamer.node.engine.server import Server
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.serving.dispatch import execute
from gossamer.node.engine.serving.ready_keys import serve_changed_keys
from gossamer.node.engine.serving.unexpected import survive, told
from gossamer.node.resp.errors import NO_MEMORY, ProtocolError
from gossamer.node.resp.parser import Parser
from gossamer.node.resp.reply import Failure
from gossamer.node.resp.tokens import TokenParser

BATCH: Final = 1024
"""Requests served for one client before the others get their turn."""

OUT_BATCH: Final = 1024 * 1024
"""Bytes of replies after which a turn ends early."""

AHEAD: Final = 32
"""Requests whose keys are looked up side by side."""

AHEAD_SIZE: Final = 64 * 1024
"""Bytes of input after which no further request is read ahead."""

INTERPRETED: Final = hasattr(Parser.next, "__code__")


class Session(Client):
    __slots__ = ("_run", "_slots", "_told", "call", "parser", "postponed", "server")
    __deletable__ = ("call",)

    def __init__(self, server: Server, client_id: int, addr: str, laddr: str, unix: bool = False) -> None:
        super().__init__(server.clients, client_id, addr, laddr, unix)
        self.server: Server = server
        self.call: Call = Call(server, self)
        self.parser: Parser = TokenParser() if INTERPRETED else Parser()
        self.parser.max_bulk = server.limits.max_bulk
        self.parser.trust(not self.modes & UNAUTHENTICATED)
        self.postponed: list[bytes] | None = None
        """The request that has to wait and is run anew, before all that came after it, when the wait ends."""
        self._run: list[list[bytes]] = []
        """Requests that were read together."""
        self._slots: list[int] = []
        """The slot of the second word of each, -1 where there is none."""
        self._told: int = 0
        """How many of them ``_next`` has told."""

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

    def run_postponed(self) -> None:
        """Run the request anew that has waited, and no other: those behind it have their turn later."""
        if self.postponed is not None:
            self.resume(1)

    def resume(self, budget: int = BATCH) -> bool:
        """Serve requests that have arrived already, at most ``budget`` of them; True if more of them wait."""
        call = self.call
        waiting = self.server.waiting
        changes = self.server.changes
        dirty = changes.dirty
        argv: list[bytes] | None = self.postponed
        again = argv is not None
        self.postponed = None
        try:
            while True:
                if not again:
                    argv = self.parser.next() if INTERPRETED else self._next()
                if argv is None:
                    return False
                dirty = changes.dirty
                modes = self.modes
                reply = execute(call, argv)
                if reply is RETRY:
                    assert self.blocked, "the registry knows who waits"
                    self.modes |= modes & ASKED  # it holds for this request, which has not run yet
                    self.postponed = argv
                    return False
                if again:
                    again = False
                    waiting.retried = None
                self.reply(reply)
                if self.modes & TRACKS:
                    self.server.tracking.replied(self)
                if waiting.changed_keys:
                    serve_changed_keys(self.server)
                if self.closing or self.blocked:
                    return False
                budget -= 1
                if budget == 0 or self.out_bytes > OUT_BATCH:
                    return True
        except ProtocolError as error:
            self.server.stats.count_error(b"ERR")
            self.reply(Failure(b"ERR Protocol error: " + error.text))
            self.close_after_reply()
        except Exception as mishap:  # another name: compiled, a name has one type
            server = self.server
            what = f"the request {told(argv)} of client id={self.id} addr={self.addr}, which is closed"
            survive(server, what, mishap, changes.dirty != dirty)
            if isinstance(mishap, MemoryError):
                server.stats.count_error(NO_MEMORY)
                self.reply(Failure(NO_MEMORY))
            self.close_after_reply()  # what was asked before this has its replies
        finally:
            if self._run:
                self._put_back()
        return False

    def _next(self) -> list[bytes] | None:
        """The next request; ``call`` knows the slot of its key if it was read together with others."""
        told = self._told
        run = self._run
        if told == len(run):
            argv = self.parser.next()
            if argv is None or not self._read_ahead(argv):
                return argv
            run = self._run
            told = 0
        argv = run[told]
        slot = self._slots[told]
        if slot >= 0:
            self.call.route_key = argv[1]
            self.call.route_slot = slot
        self._told = told + 1
        return argv

    def _read_ahead(self, argv: list[bytes]) -> bool:
        """Make a run of ``argv`` and what stands behind it; False if that is nothing."""
        parser = self.parser
        ahead = parser.ahead(AHEAD - 1, AHEAD_SIZE) if parser.more() else []
        if not ahead:
            return False
        ahead.insert(0, argv)
        self._run = ahead
        self._slots = self.db.route(ahead)
        return True

    def _put_back(self) -> None:
        """The parser stands behind the request that ``_next`` told last."""
        run = self._run
        if run:
            if self._told < len(run):
                self.parser.back(self._told - 1)
            self._run = []
            self._told = 0

    def drop_postponed(self) -> None:
        self.postponed = None

    def left(self) -> None:
        # The call knows its client: without this the two would be a cycle, and wait for a collection that is not made.
        del self.call

    def authenticated(self) -> None:
        """The client has shown who it is: long requests are read from now on."""
        self.modes &= ~UNAUTHENTICATED
        self._put_back()
        self.parser.trust(True)

    def limit_bulk(self, size: int) -> None:
        self._put_back()
        self.parser.max_bulk = size

    def unread(self) -> int:
        self._put_back()
        return self.parser.buffered()

    def query_buffer(self) -> int:
        self._put_back()
        return self.parser.input_size()

    def reset(self) -> None:
        super().reset()
        self.call.db = self.db
        self._put_back()
        self.parser.trust(not self.modes & UNAUTHENTICATED)

    def _overflow(self) -> None:
        self.server.stats.client_query_buffer_limit_disconnections += 1
        self.kill()
