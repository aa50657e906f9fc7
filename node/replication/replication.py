"""A node's place in replication: its history, those that follow it, and the primary that it follows.

The machine and the commands talk to this class; ``Replicas`` and ``PrimaryLink`` are its two halves.
"""

from collections.abc import Callable

from gossamer.cluster.text import text_of
from gossamer.node.engine.clients.client import Client
from gossamer.node.engine.server import Server
from gossamer.node.engine.state import ACKING, FOLLOWING, LINK_DOWN
from gossamer.node.replication.base import ReplicationBase
from gossamer.node.replication.failover import Failover
from gossamer.node.replication.lines import is_id, is_offset, number
from gossamer.node.replication.link_state import DataOf
from gossamer.node.replication.primary_link import PrimaryLink
from gossamer.node.replication.shutdown import Shutdown


class Replication(ReplicationBase):
    """``primary_link`` is the link to the primary, None on a primary; ``on_target`` is called when it changes."""

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self.shutdown: Shutdown = Shutdown(self)
        self.failover: Failover = Failover(self)
        self.primary_link: PrimaryLink | None = None
        self.on_target: Callable[[], None] | None = None
        self._second: int = 0
        server.config.on_change(("repl-backlog-size",), self._resize)
        server.config.on_change(("replica-read-only", "replica-serve-stale-data"), self.set_conditions)
        server.config.on_change(("min-replicas-to-write", "min-replicas-max-lag"), self._recount)
        server.config.on_change(("write-ack-replicas", "write-ack-timeout"), self._set_acks)
        self._set_acks()

    @property
    def offset(self) -> int:
        """master_repl_offset: how far the stream has come here."""
        stream = self.server.journal.stream
        return self.history.offset if stream is None else stream.offset

    def buffers(self) -> tuple[int, int]:
        """What replicas have not read yet, and the backlog, which is larger than it was made while replicas sync.

        And how much of that counts against no limit.
        """
        backlog = self.history.backlog
        held = 0 if backlog is None else backlog.held
        beyond = 0 if backlog is None else max(held - backlog.size, 0)
        unread = sum([replica.unread for replica in self.replicas.attached()])
        kept = sum([transfer.kept for transfer in self.replicas.syncs.transfers])
        return held + unread + kept, beyond + unread + kept

    @property
    def is_replica(self) -> bool:
        return self.primary_link is not None

    @property
    def primary_lost_data(self) -> bool:
        return self.primary_link is not None and self.primary_link.primary_lost_data and self.server.acks.wanted > 0

    @property
    def syncing(self) -> bool:
        return self.primary_link is not None and self.primary_link.syncing and not self.server.acks.wanted

    @property
    def heard(self) -> int:
        """When this replica last heard from its primary, or when the stream broke (ms); 0: never."""
        primary_link = self.primary_link
        if primary_link is None:
            return 0
        return primary_link.heard_ms if primary_link.connected else primary_link.broke_ms

    # --- roles

    def follow(self, ip: str, port: int, again: bool = False, node: str = "") -> None:
        """Be a replica of the node at ``ip``, ``port``, from where this node's own history has come to."""
        old, server, heard = self.primary_link, self.server, self.heard
        if old is not None and (old.ip, old.port, old.node) == (ip, port, node) and not old.away:
            return
        server.changing += 1
        in_step = again and old is not None and old.in_step
        if old is not None:
            old.abandon()
        self.replicas.distribute()
        stream = server.journal.stream
        if stream is not None:
            self.history.db = max(stream.selected, 0)
        server.journal.close_stream()
        server.waiting.role_lost()
        server.acks.give_up()
        server.migrate_transport.give_up()
        self.primary_link = PrimaryLink(self, self.failover, ip, port, node)
        if in_step:
            self.primary_link.data_of = DataOf.PRIMARY
        self.primary_link.broke_ms = heard if again else 0

        server.edge.status("Ready to accept connections in read-only mode. Waiting for MASTER <-> REPLICA sync")
        server.lazy_expire_deletes = False
        self.set_conditions()
        self._tell()
        server.changing -= 1

    def unfollow(self) -> None:
        if self.primary_link is not None:
            self.primary_link.lose_address()

    def lead(self) -> None:
        """Take writes, under a new id; replicas come along with a partial sync."""
        if self.primary_link is None:
            return
        self.server.changing += 1
        self.primary_link.abandon()
        self.primary_link = None
        self.server.edge.status("Ready to accept connections")
        self.server.lazy_expire_deletes = True
        self.server.expiry.own.clear()
        self.history.branch()
        self.replicas.drop_all()
        self.replicas.alone_since_ms = self.server.now
        self.server.acks.begin()
        self._make_stream()
        self.set_conditions()
        self.replicas.refresh_good_replicas(self.server.now)
        self._tell()
        self.server.changing -= 1

    def loaded(self, replid: bytes, offset: bytes, db: bytes, follows: bool) -> None:
        """The data that the node begins with stands at ``offset`` of the stream ``replid``: go on from there.

        A primary goes on under a new id, as after a change of roles: its replicas may have less, not more.
        """
        if not is_id(replid) or not is_offset(offset):
            return
        self.history.adopt(text_of(replid), int(offset), self.server.config.integer("repl-backlog-size"))
        self.history.db = number(db) if number(db) < len(self.server.keyspace) else 0
        if not follows:
            self.history.branch()
            self.replicas.alone_since_ms = self.server.now
            self._make_stream()

    def upstream_client(self) -> Client | None:
        primary_link = self.primary_link
        return primary_link.client if primary_link is not None and primary_link.connected else None

    def cut(self) -> None:
        if self.primary_link is not None:
            self.primary_link.cut()

    def _tell(self) -> None:
        """The role has changed: CONFIG REWRITE has to know, and who carries the connection."""
        if not self.server.clustered:
            target = ["no", "one"] if self.primary_link is None else [self.primary_link.ip, str(self.primary_link.port)]
            self.server.config.load("replicaof", target)
        if self.on_target is not None:
            self.on_target()

    def _make_stream(self) -> None:
        journal = self.server.journal
        if self.history.backlog is not None and self.primary_link is None and journal.stream is None:
            journal.open_stream(self.history.offset)

    def set_conditions(self) -> None:
        server = self.server
        config = server.config
        server.conditions &= ~(FOLLOWING | LINK_DOWN | ACKING)
        primary_link = self.primary_link
        if primary_link is None:
            if server.acks.wanted:
                server.conditions |= ACKING
        else:
            if config.flag("replica-read-only"):
                server.conditions |= FOLLOWING
            if not primary_link.connected and not config.flag("replica-serve-stale-data"):
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
        self.replicas.refresh_good_replicas(self.server.now)

    def _resize(self) -> None:
        if self.history.backlog is not None:
            self.history.backlog.resize(self.server.config.integer("repl-backlog-size"))

    def _recount(self) -> None:
        self.replicas.refresh_good_replicas(self.server.now)

    # --- replicas

    def sync(self, client: Client, replid: str, offset: int, modern: bool) -> None:
        """A replica wants to be synchronized."""
        self.replicas.distribute()
        self.need_stream()
        self.replicas.sync(client, replid, offset, modern)

    def need_stream(self) -> None:
        """Make a stream from now on, though no replica may want it yet."""
        if self.history.backlog is None:
            if self.primary_link is None:
                self.history.forget()
            self.history.keep(self.server.config.integer("repl-backlog-size"))
            self._make_stream()

    def left(self, client: Client) -> None:
        self.replicas.leave(client)

    def drain(self) -> None:
        """After each batch: hand out what it has added to the stream."""
        if self.server.journal.open:
            self.replicas.distribute()
        if self.failover.under_way:
            self.failover.check()
        if self.shutdown.under_way:
            self.shutdown.check()

    @property
    def in_a_hurry(self) -> bool:
        """Is there something to be done within a tenth of a second? Else ``tick`` may be called once a second."""
        return bool(self.replicas.syncs.waiting) or (self.primary_link is not None and self.primary_link.eager)

    def tick(self, now: int) -> None:
        """About ten times a second while it is ``in_a_hurry``, else once."""
        self.shutdown.tick()
        self.replicas.tick(now)
        if self.primary_link is not None:
            self.primary_link.tick(now)
        if now // 1000 != self._second:
            self._second = now // 1000
            self.replicas.keep_alive()
            self._forget_backlog(now)

    def _forget_backlog(self, now: int) -> None:
        """``repl-backlog-ttl``: nobody has asked for so long."""
        ttl_ms = self.server.config.integer("repl-backlog-ttl") * 1000
        journal = self.server.journal
        if journal.stream is None or journal.by_slot or not ttl_ms or self.replicas.attached():
            return
        if now - self.replicas.alone_since_ms > ttl_ms:
            journal.close_stream()
            self.history.forget()


def replication_of(server: Server) -> Replication:
    """The place of ``server``; it gets one when somebody first asks."""
    replication = server.replication
    if not isinstance(replication, Replication):
        replication = Replication(server)
        server.replication = replication
    return replication
