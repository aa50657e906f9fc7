"""The half of replication that follows: the link to the primary, bytes in, bytes out.

``connected_to`` begins it, ``receive`` takes what the primary says, ``take_output`` is what is to be sent; ``failure``
says why the connection must be ended. The same object goes on when a new connection is there: what it has applied is in
the history, so it asks for the rest.

A full sync is loaded beside the present data and takes its place when it is whole: a transfer that breaks off costs
nothing. What comes then is the stream (``engine/serving/applier.py``), which is passed on to replicas of this one.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from gossamer.cluster.text import bytes_of, text_of
from gossamer.node.engine.clients.client import Client
from gossamer.node.engine.data.keyspace import Keyspace
from gossamer.node.engine.serving.applier import Applier, shown
from gossamer.node.engine.stream.journal import encoded
from gossamer.node.persist.codes import RdbError
from gossamer.node.persist.load import Loader
from gossamer.node.persist.reader import RdbReader
from gossamer.node.resp.errors import ProtocolError
from gossamer.node.version import VALKEY_COMPATIBLE

if TYPE_CHECKING:
    from gossamer.node.replication.replication import Replication

CONNECT: Final = "connect"
CONNECTING: Final = "connecting"
HANDSHAKE: Final = "handshake"
SYNC: Final = "sync"
CONNECTED: Final = "connected"

MARK_SIZE: Final = 40
ID_SIZE: Final = 40
LONGEST_LINE: Final = 1024
LAST_OFFSET: Final = (1 << 63) - 1
TOLERATED: Final = (b"-NOAUTH", b"-NOPERM", b"-ERR operation not permitted")
TRY_LATER: Final = (b"-NOMASTERLINK", b"-LOADING")
WHO: Final = [b"CLUSTER", b"MYID"]
NO_CLUSTER: Final = b"-ERR This instance has cluster support disabled"

SILENT: Final = {
    HANDSHAKE: "Timeout connecting to the MASTER...",
    SYNC: "Timeout receiving bulk data from MASTER... If the problem persists try to set the 'repl-timeout' parameter "
    "in redis.conf to a larger value.",
    CONNECTED: "MASTER timeout: no data nor PING received...",
}
"""What is logged when nothing comes, as Redis words it."""

EAGER_MS: Final = 2000
"""After a streamed snapshot the first ACK begins the stream. A real primary does not hear it while the child that made
the snapshot has not been reaped, up to a tenth of a second, so it is said again for a while until something comes."""


class PrimaryLink:
    """With the primary at ``ip``, ``port``, whose id in the cluster is ``node``. ``state`` is what ROLE tells."""

    def __init__(self, replication: "Replication", ip: str, port: int, node: str = "") -> None:
        self.replication: Replication = replication
        self.server = replication.server
        self.ip: str = ip
        self.port: int = port
        self.node: str = node
        self.away: bool = False
        """It is not at that address any more: nobody is connected to."""
        self.state: str = CONNECT
        self.failure: str = ""
        self.lasted: bool = False
        """The last connection came as far as the stream."""
        self.damaged: bool = False
        """The last connection brought nonsense, or broke off inside a snapshot: to ask again at once helps nobody."""
        self.in_step: bool = False
        """What is here came from this primary."""
        self.primary_lost_data: bool = False
        """It has come back without that, and what it offers instead was not taken."""
        self.abandoned: bool = False
        """The node follows somebody else now, or nobody."""
        self.on_output: Callable[[], None] | None = None
        self.heard_ms: int = 0
        self.down_since_ms: int = self.server.now
        self.broke_ms: int = 0
        """When the stream broke off, 0 if it never began."""
        self.loaded_bytes: int = 0
        self._own_port: int = 0
        self._out: list[bytes] = []
        self._buffer: bytes = b""
        self._steps: list[tuple[list[bytes], bool]] = []
        """Requests of the handshake that are still to be made, and whether an error ends it."""
        self._may_fail: bool = False
        self._refused: str = ""
        """What to log if an error comes now."""
        self._identifying: bool = False
        """The id of whoever is there is to come."""
        self._asked: bool = False
        """PSYNC has been sent."""
        self._distrusts: bool = False
        """What came in the stream could not be read: go on with a full sync."""
        self._reader: RdbReader | None = None
        self._loader: Loader | None = None
        self._mark: bytes = b""
        self._length: int = 0
        self._full_id: str = ""
        self._full_offset: int = 0
        self._applier = Applier(self.server)
        self._acked_ms: int = 0
        self._eager_until: int = 0
        self._paused_keys: int = 0

    @property
    def connected(self) -> bool:
        return self.state == CONNECTED

    @property
    def loading(self) -> bool:
        """Is a snapshot of the primary coming in?"""
        return self._reader is not None

    @property
    def replacing(self) -> bool:
        """Is it of another history, so that what is here now is no earlier state of it?"""
        return self.loading and self._full_id != self.replication.history.replid

    # --- the connection

    def connecting(self) -> None:
        self.state = CONNECTING

    def connected_to(self) -> None:
        """The connection is there: begin."""
        config = self.server.config
        self.failure = ""
        self.lasted = self.damaged = False
        self.state = HANDSHAKE
        self.heard_ms = self.server.now
        self._out = []
        self._buffer = b""
        self._asked = self._identifying = False
        port = config.integer("replica-announce-port") or config.integer("port")
        self._steps = [([b"PING"], False)]
        password = bytes_of(config.text("masterauth"))
        user = bytes_of(config.text("masteruser"))
        if password:
            self._steps.append(([b"AUTH", user, password] if user else [b"AUTH", password], False))
        if self.node:
            self._steps.append((WHO, True))
        self._steps.append(([b"REPLCONF", b"listening-port", b"%d" % port], True))
        announced = bytes_of(config.text("replica-announce-ip"))
        if announced:
            self._steps.append(([b"REPLCONF", b"ip-address", announced], True))
        self._steps.append(([b"REPLCONF", b"capa", b"eof", b"capa", b"psync2"], True))
        self._steps.append(([b"REPLCONF", b"version", bytes_of(VALKEY_COMPATIBLE)], True))
        if self.server.topology is not None:
            me = bytes_of(self.server.topology.me)
            self._steps.append(([b"REPLCONF", b"set-cluster-node-id", me], True))
        self._next_step()
        if self.away:
            self._fail("it is not there any more")

    def leave_alone(self) -> None:
        """Somebody else is at its address: what is here stays, and nothing more is taken from there."""
        self.away = True
        self._fail("it is not there any more")
        self._applier.begin(self.replication.history.db)

    def disconnected(self) -> None:
        """The connection has ended, or could not be made."""
        if self.state == SYNC:
            self.damaged = True
        if self.state in (HANDSHAKE, SYNC, CONNECTED) and not self.failure and not self.abandoned:
            during = f", {self.loaded_bytes} bytes into the snapshot: the present data stays"
            self._warn(f"Connection with primary lost{during if self.state == SYNC else ''}")
        if self.connected:
            self.down_since_ms = self.broke_ms = self.server.now
        self._eager_until = 0
        self.state = CONNECT
        self._reader = None
        self._loader = None
        self._out = []
        self._applier.begin(self.replication.history.db)
        if not self.abandoned:
            self.replication.set_conditions()

    def abandon(self) -> None:
        """This primary is no longer to be followed."""
        self.abandoned = True
        self._applier.begin(self.replication.history.db)
        self._fail("it is not followed any more")

    @property
    def client(self) -> Client:
        """Whom the stream is run as."""
        return self._applier.client

    def cut(self) -> None:
        """An operator ends the connection; it will be made again."""
        self._fail("the connection is ended by CLIENT KILL")
        self.disconnected()

    def load_pause_s(self) -> float:
        """``key-load-delay`` (µs for each key): for how long to read no more, for tests."""
        delay = self.server.config.integer("key-load-delay")
        if delay <= 0 or self._loader is None:
            self._paused_keys = 0
            return 0.0
        fresh, self._paused_keys = self._loader.keys - self._paused_keys, self._loader.keys
        return max(0, fresh) * delay / 1_000_000

    def take_output(self) -> bytes:
        out, self._out = self._out, []
        return b"".join(out)

    @property
    def eager(self) -> bool:
        """Does it acknowledge ten times a second, until the primary has spoken?"""
        return self.server.now < self._eager_until

    def tick(self, now: int) -> None:
        """About once a second, ten times while it is ``eager``."""
        if self.state in (CONNECT, CONNECTING) or self.failure:
            return
        if now - self.heard_ms > self.server.config.integer("repl-timeout") * 1000:
            self._fail(SILENT[self.state])
        elif not 0 <= now - self._acked_ms < 1000 or now < self._eager_until:  # the clock may have been set back
            self._acked_ms = now
            if self.connected:
                self.acknowledge(self.replication.history.offset)
            elif self.state == SYNC:
                self._send(b"\n")

    def acknowledge(self, offset: int) -> None:
        self._acked_ms = self.server.now
        if self.replication.acks_suspended:
            return
        self._send(encoded([b"REPLCONF", b"ACK", b"%d" % offset]))

    # --- what the primary says

    def receive(self, data: bytes) -> None:
        if self.failure or self.abandoned:
            return
        self.heard_ms = self.server.now
        try:
            if self.connected:
                self._eager_until = 0
                self._apply(data)
            elif self._reader is not None:
                self._load(data)
            else:
                self._buffer += data
                self._talk()
        except RdbError as error:
            self._fail_for_damage(f"the snapshot cannot be loaded, the present data stays: {error}")
        except ProtocolError as error:
            self._distrusts = True
            self._fail_for_damage(f"protocol error in the stream: {text_of(error.text)}")

    def _talk(self) -> None:
        while self.state in (HANDSHAKE, SYNC) and self._reader is None and not self.failure:
            line, end, rest = self._buffer.partition(b"\n")
            if not end:
                if len(line) > LONGEST_LINE:
                    self._fail_for_damage("the primary does not speak RESP")
                return
            self._buffer = rest
            line = line.rstrip(b"\r")
            if not line:
                continue  # a sign of life
            if self.state == SYNC:
                self._begin_load(line)
            elif self._asked:
                self._answered(line)
            else:
                self._stepped(line)

    def _stepped(self, line: bytes) -> None:
        if self._identifying:
            self._identified(line)
            return
        if not line.startswith((b"+", b"-")):
            self._fail_for_damage(f"the primary does not speak RESP: {shown(line)}")
            return
        if line.startswith(b"-") and not self._may_fail and not line.startswith(TOLERATED):
            self._fail(f"{self._refused}: {shown(line)}")
            return
        self._next_step()

    def _identified(self, line: bytes) -> None:
        """The reply to CLUSTER MYID, a line at a time.

        A node that was reset, or has lost its disk, answers at the old address under a new id, and may do so before the
        cluster has noticed. An answer that is none (a user that may not ask) proves nothing: then the cluster's word
        has to do, as in Redis.
        """
        if line.startswith(b"$"):
            return
        self._identifying = False
        if line.startswith(NO_CLUSTER) or (not line.startswith(b"-") and line != bytes_of(self.node)):
            self._fail(f"node {self.node} is not there any more, but {shown(line)}: the present data stays")
        elif line.startswith(TRY_LATER):
            self._fail(f"the primary is not ready: {shown(line)}")
        else:
            self._next_step()

    def _next_step(self) -> None:
        if self._steps:
            argv, self._may_fail = self._steps.pop(0)
            self._identifying = argv is WHO
            self._refused = "Unable to AUTH to MASTER" if argv[0] == b"AUTH" else "Error reply to PING from master"
            self._send(encoded(argv))
            return
        history = self.replication.history
        self._asked = True
        if self._distrusts:
            self._send(encoded([b"PSYNC", b"?", b"-1"]))
        else:
            psync = [b"PSYNC", bytes_of(history.replid), b"%d" % (history.offset + 1)]
            if self.replication.failover.under_way:
                psync.append(b"FAILOVER")
            self._send(encoded(psync))

    def _answered(self, line: bytes) -> None:
        """The reply to PSYNC."""
        words = line.split()
        self.replication.failover.answered(words[0] in (b"+CONTINUE", b"+FULLRESYNC"))
        if self.abandoned:
            return
        if words[0] == b"+FULLRESYNC" and len(words) == 3 and is_id(words[1]) and is_offset(words[2]):
            self._full_id = text_of(words[1])
            self._full_offset = int(words[2])
            if self._has_lost_all():
                self.primary_lost_data = True
                self._fail("it has come back without its data, which is kept here: this replica will stand for it")
                return
            self.state = SYNC
            self._log(f"Full resync from primary: {self._full_id}:{self._full_offset}")
        elif words[0] == b"+CONTINUE" and (len(words) == 1 or is_id(words[1])) and not self._distrusts:
            self._continue(text_of(words[1]) if len(words) > 1 else "")
        elif line.startswith(TRY_LATER):
            self._fail(f"the primary is not ready: {shown(line)}")
        else:
            self._fail_for_damage(f"unexpected reply to PSYNC: {shown(line)}")

    def _has_lost_all(self) -> bool:
        """With ``write-ack-replicas`` what was acknowledged is not given up for a primary that was restarted empty."""
        history = self.replication.history
        promised = self.server.acks.wanted and self.server.clustered and self.in_step
        unknown = self._full_id not in (history.replid, history.replid2)
        return bool(promised) and unknown and self._full_offset < history.offset

    def _continue(self, replid: str) -> None:
        history = self.replication.history
        if replid and replid != history.replid:
            history.rename(replid)
            self.replication.replicas.drop_all()
        self._log("Successful partial resynchronization with primary.")
        self.server.edge.status(
            "MASTER <-> REPLICA sync: Partial Resynchronization accepted. Ready to accept connections in read-write "
            "mode."
        )
        history.keep(self.server.config.integer("repl-backlog-size"))
        self._go_online()
        rest, self._buffer = self._buffer, b""
        self._apply(rest)

    def _go_online(self) -> None:
        self.state = CONNECTED
        self.lasted = self.in_step = True
        self.primary_lost_data = False
        self._applier.begin(self.replication.history.db)
        self._applier.client.id = self.server.clients.take_id()
        self._applier.client.addr = f"{self.ip}:{self.port}"
        self.replication.set_conditions()
        self.acknowledge(self.replication.history.offset)

    # --- a full sync

    def _begin_load(self, line: bytes) -> None:
        """The line before the snapshot: ``$<bytes>`` or ``$EOF:<mark>``."""
        self._mark = b""
        self._length = 0
        if line.startswith(b"$EOF:") and len(line) == 5 + MARK_SIZE:
            self._mark = line[5:]
        elif line.startswith(b"$") and line[1:].isdigit() and len(line) < ID_SIZE:
            self._length = int(line[1:])
        else:
            self._fail_for_damage(f"unexpected reply before the snapshot: {shown(line)}")
            return
        server = self.server
        self.loaded_bytes = 0
        self._reader = RdbReader(server.config.flag("rdbchecksum"))
        self._log("MASTER <-> REPLICA sync: Loading DB in memory")
        server.edge.status("MASTER <-> REPLICA sync: Loading DB in memory")
        self._loader = Loader(Keyspace(len(server.keyspace), server.keyspace.shift), server.now, True)
        rest, self._buffer = self._buffer, b""
        self._load(rest)

    def _load(self, data: bytes) -> None:
        reader, loader = self._reader, self._loader
        assert reader is not None
        assert loader is not None
        self.loaded_bytes += len(data)
        loader.take(reader.feed(data))
        if not reader.done:
            return
        if self._mark:
            if len(reader.rest) < MARK_SIZE:
                return
            if not reader.rest.startswith(self._mark):
                raise RdbError("the mark behind it is missing")
        elif reader.offset != self._length:
            raise RdbError(f"it has {reader.offset} bytes instead of {self._length}")
        self._loaded(loader, reader.rest[len(self._mark) :])

    def _loaded(self, loader: Loader, rest: bytes) -> None:
        self.server.changing += 1
        self._reader = None
        self._loader = None
        self._distrusts = False
        replication = self.replication
        replication.server.keyspace.replace(loader.keyspace, self.server.now)
        replication.server.expiry.own.clear()
        self.server.migrations.loaded(loader.slot_imports)
        replication.replicas.drop_all()
        size = self.server.config.integer("repl-backlog-size")
        replication.history.adopt(self._full_id, self._full_offset, size)
        self.server.changing -= 1
        self._log(f"MASTER <-> REPLICA sync: Finished with success: {loader.keys} keys")
        self.server.edge.status(
            "MASTER <-> REPLICA sync: Finished with success. Ready to accept connections in read-write mode."
        )
        selected = number(loader.aux.get(b"repl-stream-db", b"0"))
        replication.history.db = selected if selected < len(self.server.keyspace) else 0
        self._go_online()
        self._eager_until = self.server.now + EAGER_MS if self._mark else 0
        self._apply(rest)

    # --- the stream

    def _apply(self, data: bytes) -> None:
        history, began = self.replication.history, self.replication.history.offset
        applied = self._applier.apply(data)
        if applied:
            history.db = self._applier.db
            self.replication.replicas.relay(applied)
        for asked_at in self._applier.asked:
            self.acknowledge(began + asked_at)
        if self._applier.broken:
            # What was run before it has been passed on and counted. The same command would fail again: pass it by.
            self._distrusts = True
            self._fail_for_damage("a command of the stream could not be run, a full sync is asked for")

    def _send(self, data: bytes) -> None:
        self._out.append(data)
        if self.on_output is not None:
            self.on_output()

    def _fail_for_damage(self, why: str) -> None:
        self.damaged = True
        self._fail(why)

    def _fail(self, why: str) -> None:
        self.failure = why
        if not self.abandoned:
            self._warn(f"Replication from {self.ip}:{self.port}: {why}")
        if self.on_output is not None:
            self.on_output()

    def _warn(self, text: str) -> None:
        self.server.edge.log("warning", text)

    def _log(self, text: str) -> None:
        self.server.edge.log("notice", text)


def number(text: bytes) -> int:
    return int(text) if is_offset(text) else 0


def is_id(text: bytes) -> bool:
    return len(text) == ID_SIZE and text.isalnum()


def is_offset(text: bytes) -> bool:
    return text.isdigit() and len(text) < ID_SIZE and int(text) <= LAST_OFFSET
