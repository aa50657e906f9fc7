"""The half of replication that follows: the link to the primary, bytes in, bytes out.

``connected_to`` begins it, ``receive`` takes what the primary says, ``take_output`` is what is to be sent; ``failure``
says why the connection must be ended. The same object goes on when a new connection is there: what it has applied is in
the history, so it asks for the rest. Its states are in ``link_state.py``; what is said in each in ``handshake.py``,
``psync.py`` and ``full_sync.py``; the stream is run by ``engine/serving/applier.py``.
"""

from collections.abc import Callable
from typing import Final

from gossamer.cluster.text import text_of
from gossamer.node.engine.clients.client import Client
from gossamer.node.engine.serving.applier import Applier
from gossamer.node.persist.codes import RdbError
from gossamer.node.replication.base import ReplicationBase
from gossamer.node.replication.failover import Failover
from gossamer.node.replication.full_sync import FullSync
from gossamer.node.replication.handshake import Handshake
from gossamer.node.replication.lines import LinkError
from gossamer.node.replication.link_state import (
    ABANDONED,
    BROKEN,
    CLOSED,
    CONNECT,
    CONNECTED,
    CONNECTING,
    HANDSHAKE,
    LOADING,
    NOADDR,
    PSYNC,
    SYNC,
    TALKING,
    TIMEOUTS,
    DataOf,
    Result,
)
from gossamer.node.replication.link_status import LinkStatus
from gossamer.node.replication.psync import (
    Continue,
    FullResync,
    is_accepted,
    psync_reply,
    psync_request,
    unexpected_reply,
)
from gossamer.node.resp.errors import ProtocolError
from gossamer.node.resp.requests import encoded

LONGEST_LINE: Final = 1024

EAGER_MS: Final = 2000
"""After a streamed snapshot the first ACK begins the stream. A real primary does not hear it while the child that made
the snapshot has not been reaped, up to a tenth of a second, so it is said again for a while until something comes."""


class PrimaryLink(LinkStatus):
    """With the primary at ``ip``, ``port``, whose id in the cluster is ``node``.

    ``failover`` hears what the primary answers to PSYNC. ``on_output`` is called when there is something to send, or
    the connection must be ended.
    """

    def __init__(self, replication: ReplicationBase, failover: Failover, ip: str, port: int, node: str = "") -> None:
        super().__init__(replication.server)
        self.replication: ReplicationBase = replication
        self.ip: str = ip
        self.port: int = port
        self.node: str = node
        self.failure: str = ""
        """Why the last connection must be ended; empty if nothing is wrong with it."""
        self.on_output: Callable[[], None] | None = None
        self._failover: Failover = failover
        self._out: list[bytes] = []
        self._acks: list[int] = []
        """Offsets that are to be acknowledged, with what is on the disk by the time that this is sent."""
        self._asked: int = 0
        """The offset at which the primary has last asked for it."""
        self._told_fsynced: int = -1
        self._buffer: bytes = b""
        """What has come of a line."""
        self._handshake: Handshake | None = None
        self._needs_full_sync: bool = False
        """What came in the stream could not be applied: it is not asked for again."""
        self._offer: FullResync | None = None
        self._full_sync: FullSync | None = None
        self._applier: Applier = Applier(self.server)
        self._acked_ms: int = 0
        self._eager_until: int = 0
        self._paused_keys: int = 0

    # --- what there is

    @property
    def replacing(self) -> bool:
        """Is it of another history, so that what is here now is no earlier state of it?"""
        sync = self._full_sync
        return self.loading and sync is not None and sync.offer.replid != self.replication.history.replid

    @property
    def loaded_bytes(self) -> int:
        """How much of the snapshot has come."""
        return 0 if self._full_sync is None else self._full_sync.received_bytes

    @property
    def client(self) -> Client:
        """Whom the stream is run as."""
        return self._applier.client

    @property
    def eager(self) -> bool:
        """Does it acknowledge ten times a second, until the primary has spoken?"""
        return self.server.now < self._eager_until

    # --- the connection

    def connecting(self) -> None:
        if self.state not in CLOSED:
            self.enter(CONNECTING)

    def connected_to(self) -> None:
        """The connection is there: begin, unless nobody wants it any more."""
        if self.state in CLOSED:
            self._poke()
            return
        self.enter(HANDSHAKE)
        self.failure = ""
        self.result = Result.NOTHING
        self.heard_ms = self.server.now
        self._forget_output()
        self._buffer = b""
        self._handshake = Handshake(self.server, self.node)
        self._send(self._handshake.next())

    def disconnected(self) -> None:
        """The connection has ended, or could not be made."""
        if self.state is CONNECT:
            return
        if self.state in TALKING:
            self._warn(self._how_it_was_lost())
        if self.state not in CLOSED:
            self.enter(CONNECT)
        self._eager_until = 0
        self._handshake = None
        if self._full_sync is not None:
            self._full_sync.drop(self.server.changes)
            self._full_sync = None
        self._forget_output()
        self._applier.begin(self.replication.history.db)
        if not self.abandoned:
            self.replication.set_conditions()

    def lose_address(self) -> None:
        """Somebody else is at its address: what is here stays, and nothing more is taken from there."""
        if self.state in CLOSED:
            return
        self.enter(NOADDR)
        self._end("it is not there any more")
        self._applier.begin(self.replication.history.db)

    def abandon(self) -> None:
        """This primary is no longer to be followed."""
        self.enter(ABANDONED)
        self.failure = "it is not followed any more"
        self._applier.begin(self.replication.history.db)
        self._poke()

    def cut(self) -> None:
        """An operator ends the connection; it will be made again."""
        if self.state in TALKING:
            self._fail("the connection is ended by CLIENT KILL")
            self.disconnected()

    def _forget_output(self) -> None:
        self._out = []
        self._acks = []
        self._asked = 0
        self._told_fsynced = -1

    def take_output(self) -> bytes:
        out, self._out = self._out, []
        acks, self._acks = self._acks, []
        return b"".join(out + [self._acknowledgement(offset) for offset in acks])

    def _acknowledgement(self, offset: int) -> bytes:
        """With FACK if there is an append-only file (Redis 7.2; older primaries do not read so far)."""
        words = [b"REPLCONF", b"ACK", b"%d" % offset]
        fsynced = self.server.saves.synced_offset()
        if fsynced >= 0:
            self._told_fsynced = fsynced
            words += [b"FACK", b"%d" % fsynced]
        return encoded(words)

    def load_pause_s(self) -> float:
        """``key-load-delay`` (µs for each key): for how long to read no more, for tests."""
        delay = self.server.config.integer("key-load-delay")
        if delay <= 0 or self._full_sync is None:
            self._paused_keys = 0
            return 0.0
        fresh, self._paused_keys = self._full_sync.keys - self._paused_keys, self._full_sync.keys
        return max(0, fresh) * delay / 1_000_000

    # --- time

    def tick(self, now: int) -> None:
        """About once a second, ten times while it is ``eager``."""
        if self.state not in TALKING:
            return
        if now - self.heard_ms > self.server.config.integer("repl-timeout") * 1000:
            self._fail(TIMEOUTS[self.state])
        elif not 0 <= now - self._acked_ms < 1000 or now < self._eager_until:  # the clock may have been set back
            self._acked_ms = now
            if self.connected:
                self.acknowledge(self.replication.history.offset)
            elif self.syncing:
                self._send(b"\n")

    def acknowledge(self, offset: int) -> None:
        self._acked_ms = self.server.now
        if not self.replication.acks_suspended:
            self._acks.append(offset)
            self._poke()

    def fsynced(self) -> None:
        """More of the stream is on the disk: the primary hears of it if that is what it has asked for."""
        if not self.connected or self._acks:
            return
        if self._told_fsynced < min(self._asked, self.server.saves.synced_offset()):
            self.acknowledge(self.replication.history.offset)

    # --- what the primary says

    def receive(self, data: bytes) -> None:
        if self.state not in TALKING:
            return
        self.heard_ms = self.server.now
        try:
            self._read(data)
        except LinkError as error:
            self._fail(str(error), error.damaged)
        except RdbError as damage:  # another name each: compiled, a name has one type
            self._fail(f"the snapshot cannot be loaded, the present data stays: {damage}", damaged=True)
        except ProtocolError as garbage:
            self._needs_full_sync = True
            self._fail(f"protocol error in the stream: {text_of(garbage.text)}", damaged=True)

    def _read(self, data: bytes) -> None:
        if self.connected:
            self._eager_until = 0
            self._apply(data)
        elif self._full_sync is not None:
            self._load(self._full_sync, data)
        else:
            self._buffer += data
            self._read_lines()

    def _read_lines(self) -> None:
        while self.state in (HANDSHAKE, PSYNC, SYNC):
            line, end, rest = self._buffer.partition(b"\n")
            if not end:
                if len(line) > LONGEST_LINE:
                    raise LinkError("the primary does not speak RESP", damaged=True)
                return
            self._buffer = rest
            if line := line.rstrip(b"\r"):  # an empty one is a sign of life
                self._read_line(line)

    def _read_line(self, line: bytes) -> None:
        if self.state is HANDSHAKE:
            assert self._handshake is not None
            if self._handshake.read(line):
                self._ask_next(self._handshake)
        elif self.state is PSYNC:
            self._take_offer(line)
        else:
            self._begin_load(line)

    def _ask_next(self, handshake: Handshake) -> None:
        request = handshake.next()
        if not request:
            self.enter(PSYNC)
            request = psync_request(self.replication.history, self._needs_full_sync, self._failover.under_way)
        self._send(request)

    def _take_offer(self, line: bytes) -> None:
        """The reply to PSYNC."""
        self._failover.answered(is_accepted(line))
        if self.abandoned:
            return
        offer = psync_reply(line)
        if isinstance(offer, FullResync):
            self._begin_full_sync(offer)
        elif self._needs_full_sync:
            raise unexpected_reply(line)
        else:
            self._continue(offer)

    # --- a partial sync

    def _continue(self, offer: Continue) -> None:
        history = self.replication.history
        self._log("Successful partial resynchronization with master.")
        if offer.replid and offer.replid != history.replid:
            self._log(f"Master replication ID changed to {offer.replid}")
            history.rename(offer.replid)
            self.replication.replicas.drop_all()
        self.server.edge.status(
            "MASTER <-> REPLICA sync: Partial Resynchronization accepted. Ready to accept connections in read-write "
            "mode."
        )
        history.keep(self.server.config.integer("repl-backlog-size"))
        self._go_online()
        self._apply(self._take_buffer())

    # --- a full sync

    def _begin_full_sync(self, offer: FullResync) -> None:
        if self._has_lost_all(offer):
            self.data_of = DataOf.LOST_BY_PRIMARY
            raise LinkError("it has come back without its data, which is kept here: this replica will stand for it")
        self._offer = offer
        self.enter(SYNC)
        self._log(f"Full resync from master: {offer.replid}:{offer.offset}")

    def _has_lost_all(self, offer: FullResync) -> bool:
        """With ``write-ack-replicas`` what was acknowledged is not given up for a primary that was restarted empty."""
        history = self.replication.history
        promised = self.server.acks.wanted and self.server.clustered and self.in_step
        unknown = offer.replid not in (history.replid, history.replid2)
        return bool(promised) and unknown and offer.offset < history.offset

    def _begin_load(self, line: bytes) -> None:
        assert self._offer is not None
        self._full_sync = FullSync(self.server, self._offer, line)
        self.enter(LOADING)
        self._log("MASTER <-> REPLICA sync: Loading DB in memory")
        self.server.edge.status("MASTER <-> REPLICA sync: Loading DB in memory")
        self._load(self._full_sync, self._take_buffer())

    def _load(self, sync: FullSync, data: bytes) -> None:
        rest = sync.feed(data)
        if rest is None:
            return
        self._full_sync = None
        self._needs_full_sync = False
        sync.install(self.replication)
        self._log(f"MASTER <-> REPLICA sync: Finished with success: {sync.keys} keys")
        self.server.edge.status(
            "MASTER <-> REPLICA sync: Finished with success. Ready to accept connections in read-write mode."
        )
        self._go_online()
        self._eager_until = self.server.now + EAGER_MS if sync.streamed else 0
        self._apply(rest)

    # --- the stream

    def _go_online(self) -> None:
        self.enter(CONNECTED)
        self.result = Result.LASTED
        self.data_of = DataOf.PRIMARY
        self._applier.begin(self.replication.history.db)
        self._applier.client.id = self.server.clients.take_id()
        self._applier.client.addr = f"{self.ip}:{self.port}"
        self.replication.set_conditions()
        self.acknowledge(self.replication.history.offset)

    def _apply(self, data: bytes) -> None:
        history, began = self.replication.history, self.replication.history.offset
        applied = self._applier.apply(data)
        if applied:
            history.db = self._applier.db
            self.replication.replicas.relay(applied)
        for asked_at in self._applier.asked:
            self._asked = began + asked_at
            self.acknowledge(began + asked_at)
        if self._applier.broken:
            # What was run before it has been passed on and counted. The same command would fail again: pass it by.
            self._needs_full_sync = True
            raise LinkError("a command of the stream could not be run, a full sync is asked for", damaged=True)

    # --- output and the log

    def _fail(self, why: str, damaged: bool = False) -> None:
        if self.state not in TALKING:
            return  # what came last has ended the connection already: it had the node follow somebody else
        if damaged:
            self.mark_damaged()
        self.enter(BROKEN)
        self._end(why)

    def _end(self, why: str) -> None:
        """Have the connection ended."""
        self.failure = why
        self._warn(f"Replication from {self.ip}:{self.port}: {why}")
        self._poke()

    def _how_it_was_lost(self) -> str:
        if self.syncing:
            at = f"{self.loaded_bytes} bytes into the snapshot"
            return f"I/O error trying to sync with MASTER: connection lost {at}: the present data stays"
        return "Connection with master lost."

    def _take_buffer(self) -> bytes:
        out, self._buffer = self._buffer, b""
        return out

    def _send(self, data: bytes) -> None:
        self._out.append(data)
        self._poke()

    def _poke(self) -> None:
        if self.on_output is not None:
            self.on_output()

    def _warn(self, text: str) -> None:
        self.server.edge.log("warning", text)

    def _log(self, text: str) -> None:
        self.server.edge.log("notice", text)
