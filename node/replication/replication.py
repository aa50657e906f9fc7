"""A node's place in replication: its history, those that follow it, and the primary that it follows.

The machine and the commands talk to this class; ``Primary`` and ``Conversation`` are its two halves.
"""

from collections.abc import Callable

from gossamer.node.engine.client import Client
from gossamer.node.engine.feed import Feed
from gossamer.node.engine.server import ACKING, FOLLOWING, LINK_DOWN, Server
from gossamer.node.engine.standing import Standing
from gossamer.node.replication.departure import Departure
from gossamer.node.replication.failover import Failover
from gossamer.node.replication.history import History
from gossamer.node.replication.primary import Primary
from gossamer.node.replication.replica import SYNC, Conversation
from gossamer.node.resp.errors import UNBLOCKED
from gossamer.node.resp.reply import Failure


class Replication(Standing):
    """``upstream`` is the conversation with the primary, None on a primary; ``on_target`` is called when it changes."""

    def __init__(self, server: Server) -> None:
        self.server: Server = server
        self.history: History = History(server.rng)
        self.primary: Primary = Primary(server, self.history)
        self.departure: Departure = Departure(self)
        self.failover: Failover = Failover(self)
        self.upstream: Conversation | None = None
        self.on_target: Callable[[], None] | None = None
        self.doubted: bool = False
        """The cluster takes the primary for failed: nothing more is acknowledged to it, for it may be replaced."""
        self._second: int = 0
        server.config.on_change(("repl-backlog-size",), self._resize)
        server.config.on_change(("replica-read-only", "replica-serve-stale-data"), self.set_conditions)
        server.config.on_change(("min-replicas-to-write", "min-replicas-max-lag"), self._recount)
        server.config.on_change(("write-ack-replicas", "write-ack-timeout"), self._set_acks)
        self._set_acks()

    @property
    def offset(self) -> int:
        """master_repl_offset: how far the stream has come here."""
        feed = self.server.feed
        return self.history.offset if feed is None else feed.offset

    @property
    def bereft(self) -> bool:
        return self.upstream is not None and self.upstream.bereft and self.server.acks.wanted > 0

    @property
    def syncing(self) -> bool:
        return self.upstream is not None and self.upstream.state == SYNC and not self.server.acks.wanted

    @property
    def heard(self) -> int:
        """When this replica last heard from its primary, or when the stream broke (ms); 0: never."""
        upstream = self.upstream
        if upstream is None:
            return 0
        return upstream.heard_ms if upstream.connected else upstream.broke_ms

    # --- roles

    def follow(self, ip: str, port: int, again: bool = False, node: str = "") -> None:
        """Be a replica of the node at ``ip``, ``port``, from where this node's own history has come to."""
        old, server, heard = self.upstream, self.server, self.heard
        if old is not None and (old.ip, old.port, old.node) == (ip, port, node) and not old.away:
            return
        server.changing += 1
        in_step = again and old is not None and old.in_step
        if old is not None:
            old.abandon()
        self.primary.distribute()
        if server.feed is not None:
            self.history.db = max(server.feed.selected, 0)
        server.feed = None
        self.primary.refuse_waiters(Failure(UNBLOCKED))
        server.acks.give_up()
        server.courier.give_up()
        self.upstream = Conversation(self, ip, port, node)
        self.upstream.in_step = in_step
        self.upstream.broke_ms = heard if again else 0

        server.edge.status("Ready to accept connections in read-only mode. Waiting for MASTER <-> REPLICA sync")
        server.lazy_expire_deletes = False
        self.set_conditions()
        self._tell()
        server.changing -= 1

    def unfollow(self) -> None:
        if self.upstream is not None:
            self.upstream.leave_alone()

    def lead(self) -> None:
        """Take writes, under a new id; replicas come along with a partial sync."""
        if self.upstream is None:
            return
        self.server.changing += 1
        self.upstream.abandon()
        self.upstream = None
        self.server.edge.status("Ready to accept connections")
        self.server.lazy_expire_deletes = True
        self.server.own_ends.clear()
        self.history.branch()
        self.primary.drop_all()
        self.primary.alone_since_ms = self.server.now
        self.server.acks.begin()
        self._make_stream()
        self.set_conditions()
        self.primary.count_good(self.server.now)
        self._tell()
        self.server.changing -= 1

    def upstream_client(self) -> Client | None:
        upstream = self.upstream
        return upstream.client if upstream is not None and upstream.connected else None

    def cut(self) -> None:
        if self.upstream is not None:
            self.upstream.cut()

    def _tell(self) -> None:
        """The role has changed: CONFIG REWRITE has to know, and who carries the connection."""
        if not self.server.clustered:
            target = ["no", "one"] if self.upstream is None else [self.upstream.ip, str(self.upstream.port)]
            self.server.config.load("replicaof", target)
        if self.on_target is not None:
            self.on_target()

    def _make_stream(self) -> None:
        if self.history.backlog is not None and self.upstream is None and self.server.feed is None:
            self.server.feed = Feed(self.server, self.history.offset)

    def set_conditions(self) -> None:
        """What dispatch has to know."""
        server = self.server
        config = server.config
        server.conditions &= ~(FOLLOWING | LINK_DOWN | ACKING)
        upstream = self.upstream
        if upstream is None:
            if server.acks.wanted:
                server.conditions |= ACKING
        else:
            if config.flag("replica-read-only"):
                server.conditions |= FOLLOWING
            if not upstream.connected and not config.flag("replica-serve-stale-data"):
                server.conditions |= LINK_DOWN

    def _set_acks(self) -> None:
        acks = self.server.acks
        acks.timeout_ms = self.server.config.integer("write-ack-timeout")
        wanted = self.server.config.integer("write-ack-replicas")
        if wanted != acks.wanted:
            began = not acks.wanted
            acks.wanted = wanted
            if began:
                acks.begin()
            elif not wanted:
                acks.content()
        self.set_conditions()
        self.primary.count_good(self.server.now)

    def _resize(self) -> None:
        if self.history.backlog is not None:
            self.history.backlog.resize(self.server.config.integer("repl-backlog-size"))

    def _recount(self) -> None:
        self.primary.count_good(self.server.now)

    # --- replicas

    def sync(self, client: Client, replid: str, offset: int, modern: bool) -> None:
        """A replica wants to be synchronized."""
        self.primary.distribute()
        self.need_stream()
        self.primary.sync(client, replid, offset, modern)

    def need_stream(self) -> None:
        """Make a stream from now on, though no replica may want it yet."""
        if self.history.backlog is None:
            if self.upstream is None:
                self.history.forget()
            self.history.keep(self.server.config.integer("repl-backlog-size"))
            self._make_stream()

    def left(self, client: Client) -> None:
        self.primary.leave(client)

    def drain(self) -> None:
        """After each batch: hand out what it has added to the stream."""
        if self.server.feed is not None:
            self.primary.distribute()
        if self.failover.under_way:
            self.failover.look()
        if self.departure.under_way:
            self.departure.look()

    def tick(self, now: int) -> None:
        """About ten times a second."""
        self.primary.tick(now)
        if self.upstream is not None:
            self.upstream.tick(now)
        if now // 1000 != self._second:
            self._second = now // 1000
            self.primary.keep_alive()
            self._forget_backlog(now)

    def _forget_backlog(self, now: int) -> None:
        """``repl-backlog-ttl``: nobody has asked for so long."""
        ttl_ms = self.server.config.integer("repl-backlog-ttl") * 1000
        feed = self.server.feed
        if feed is None or feed.taps or not ttl_ms or self.primary.replicas():
            return
        if now - self.primary.alone_since_ms > ttl_ms:
            self.server.feed = None
            self.history.forget()


def replication_of(server: Server) -> Replication:
    """The place of ``server``; it gets one when somebody first asks."""
    standing = server.standing
    if not isinstance(standing, Replication):
        standing = Replication(server)
        server.standing = standing
    return standing
