"""The half of replication that is followed: who follows, and the stream that they are sent.

A replica (``replica_link.py``) is brought to the present by the rest of the stream, if the backlog has it, or else by a
snapshot (``syncs.py``). After a streamed snapshot it is online with its first ACK, as with Redis: only then it has
loaded. The same holds on a replica that has replicas of its own; its stream is then its primary's, byte for byte.

Source: redis.io "Replication", and what Redis 7.0.15 says on the wire.
"""

from collections.abc import Callable
from typing import Final

from gossamer.cluster.text import bytes_of
from gossamer.node.engine.clients.client import NOT_TO_PAUSE, REPLIES_OFF, Client
from gossamer.node.engine.clients.limits import REPLICA
from gossamer.node.engine.clients.waiting import CONFIRMATION, DISKS, REPLICAS, Wait
from gossamer.node.engine.server import Server
from gossamer.node.engine.state import FEW_REPLICAS, PAUSED, RETURNED
from gossamer.node.engine.stream.stream import GETACK, PING
from gossamer.node.replication.history import History
from gossamer.node.replication.replica_link import HANDSHAKE, LOADING, ONLINE, TRANSFER, WAITING, ReplicaLink, name_of
from gossamer.node.replication.syncs import Syncs
from gossamer.node.resp.errors import NOT_ENOUGH_REPLICAS, Refusal
from gossamer.node.resp.reply import Failure, Reply
from gossamer.node.resp.requests import encoded

TAKES_SETSLOT: Final = (8, 0)
"""The version of Valkey, by ``REPLCONF version``, from which on a replica takes SETSLOT from its primary."""


class AckWait(Wait):
    """Replicas end it by what they acknowledge; ``timeout_reply`` is the answer then, too."""

    def fulfilled(self) -> bool:
        raise NotImplementedError


class ReplicaWait(AckWait):
    """A client waits until ``count`` replicas have acknowledged the stream up to its last write.

    In WAIT it is told how many they are. Else ``then`` is what it asked for, done when they are enough.
    """

    def __init__(
        self, replicas: "Replicas", client: Client, count: int, then: Callable[[], Reply] | None = None
    ) -> None:
        super().__init__(client, REPLICAS if then is None else CONFIRMATION)
        self.replicas: Replicas = replicas
        self.count: int = count
        self.offset: int = client.wrote_to
        self.then: Callable[[], Reply] | None = then

    def fulfilled(self) -> bool:
        return self.replicas.count_acked(self.offset) >= self.count

    def timeout_reply(self) -> Reply:
        acked = self.replicas.count_acked(self.offset)
        if self.then is None:
            return acked
        if acked < self.count:
            return Failure(NOT_ENOUGH_REPLICAS)
        try:
            return self.then()
        except Refusal as refusal:
            return Failure(refusal.text)


class Replicas:
    def __init__(self, server: Server, history: History) -> None:
        self.server: Server = server
        self.history: History = history
        self.by_client: dict[int, ReplicaLink] = {}
        """By client id."""
        self.syncs: Syncs = Syncs(server, history)
        self.pinged_ms: int = 0
        self.alone_since_ms: int = 0

    def link_of(self, client: Client) -> ReplicaLink:
        found = self.by_client.get(client.id)
        if found is None:
            found = self.by_client[client.id] = ReplicaLink(client)
        return found

    def attached(self) -> list[ReplicaLink]:
        return [replica for replica in self.by_client.values() if replica.state != HANDSHAKE]

    def leave(self, client: Client) -> None:
        """The connection of ``client`` has ended."""
        replica = self.by_client.pop(client.id, None)
        if replica is None:
            return
        self.syncs.leave(replica)
        self._let_backlog_shrink()
        if replica.state != HANDSHAKE:
            self.log(f"Connection with replica {name_of(replica)} lost.")
            self.alone_since_ms = self.server.now
            self.refresh_good_replicas(self.server.now)

    def drop_all(self) -> None:
        """End the connections of all replicas: they will come back and ask how to go on."""
        self.syncs.close()
        for replica in self.attached():
            replica.client.kill()

    # --- synchronizing

    def sync(self, client: Client, replid: str, offset: int, modern: bool) -> None:
        """SYNC or PSYNC: ``offset`` is the next byte that the replica wants. ``modern``: it may be told about it."""
        replica = self.link_of(client)
        client.modes |= NOT_TO_PAUSE | REPLIES_OFF
        replica.acked_ms = self.server.now
        replica.acknowledges = modern
        if not self.pinged_ms:
            self.pinged_ms = self.server.now
        history = self.history
        if modern and self._may_continue(replica, replid, offset):
            assert history.backlog is not None
            self.server.stats.partial_syncs += 1
            name = b" " + bytes_of(history.replid) if replica.takes_psync2 else b""
            client.send(b"+CONTINUE%s\r\n" % name)
            client.send(history.backlog.since(offset))
            self._online(replica)
            self.log(f"Partial resynchronization request from {name_of(replica)} accepted from offset {offset}.")
            return
        if modern and replid != "?":
            self.server.stats.refused_partial_syncs += 1
        self.server.stats.full_syncs += 1
        self.log(f"Full resync requested by replica {name_of(replica)}")
        self.syncs.ask(replica)

    @property
    def sending(self) -> bool:
        """Is there a snapshot to be made or sent, to somebody who takes it?"""
        return self.syncs.busy

    def work(self) -> None:
        """Go on with the snapshots: about a millisecond."""
        if self.syncs.waiting:
            self.distribute()  # a snapshot may be begun: it belongs to where the stream is
        for replica in self.syncs.work():
            if replica.rdb_only:
                replica.client.close_after_reply()
            elif not replica.streamed:
                self._online(replica)

    def _online(self, replica: ReplicaLink) -> None:
        replica.go_online()
        if self.server.waiting.of(DISKS) and self.server.journal.stream is not None:
            self.server.journal.stream.want_acks = True
        self._let_backlog_shrink()
        self.refresh_good_replicas(self.server.now)
        topology = self.server.topology
        if topology is not None:
            for slot, node in topology.migrating.items():
                self.tell_open_slot(slot, "migrating", node)
            for slot, node in topology.importing.items():
                self.tell_open_slot(slot, "importing", node)

    def tell_open_slot(self, slot: int, action: str, node: str) -> None:
        """Let the replicas know of a SETSLOT, in the stream, if all of them understand it there.

        It comes before all that follows from it, so a replica that takes over has the slot open if one key has left.
        """
        stream = self.server.journal.stream
        if stream is None or any(link.version < TAKES_SETSLOT for link in self.attached()):
            return
        words = [b"CLUSTER", b"SETSLOT", b"%d" % slot, bytes_of(action)]
        stream.put(encoded([*words, bytes_of(node)] if node else words))
        self.server.acks.opened(slot)

    # --- the stream

    def relay(self, data: bytes) -> None:
        """The next bytes of the stream, for all replicas and the backlog."""
        limits, now = self.server.limits.output, self.server.now
        awaited = 0
        for replica in self.by_client.values():
            replica.tell(data)
            if replica.held_back and replica.is_over(limits, now):
                self._drop(replica, "over its output buffer limit while it is synchronized")
            awaited = max(awaited, replica.held_back_size)
        self.history.append(data, awaited)

    def _let_backlog_shrink(self) -> None:
        """Less of the stream may be held back for replicas in their full sync."""
        if self.history.backlog is not None:
            self.history.backlog.shrink(max([link.held_back_size for link in self.by_client.values()], default=0))

    def _may_continue(self, replica: ReplicaLink, replid: str, offset: int) -> bool:
        """Is the rest of the stream all that is missing, and does it take that without being dropped for it?

        What the backlog has beyond its size is there only for now: a replica that is dropped would get no further.
        """
        history = self.history
        if replica.rdb_only or not history.can_continue(replid, offset):
            return False
        assert history.backlog is not None
        rest, limit = history.backlog.end - offset + 1, self.server.limits.output[REPLICA].hard
        return rest <= history.backlog.size or not limit or rest < limit

    def distribute(self) -> None:
        """Hand out what this node has added to the stream."""
        journal = self.server.journal
        journal.release()
        stream = journal.stream
        if stream is None:
            return
        if stream.want_acks and not self.server.conditions & PAUSED:
            stream.want_acks = False
            stream.put(GETACK)
        if stream.pending:
            self.relay(stream.take())

    def acknowledged(self, client: Client, offset: int, fsynced: int = 0) -> None:
        """REPLCONF ACK. ``fsynced``: how much of it the replica has on its disk, so far as it tells."""
        replica = self.by_client.get(client.id)
        if replica is None or replica.state == HANDSHAKE:
            return
        replica.acked = max(replica.acked, offset)
        replica.fsynced = max(replica.fsynced, fsynced)
        replica.acked_ms = self.server.now
        if replica.state == LOADING:
            self._online(replica)
        elif self.server.conditions & FEW_REPLICAS:
            self.refresh_good_replicas(self.server.now)
        wanted = self.server.acks.wanted
        if wanted:
            self.server.acks.confirm(self.acked_by(wanted))
        self.end_waits()

    # --- WAIT

    def count_acked(self, offset: int) -> int:
        return sum([link.state == ONLINE and link.acked >= offset for link in self.by_client.values()])

    def count_fsynced(self, offset: int) -> int:
        return sum([link.state == ONLINE and link.fsynced >= offset for link in self.by_client.values()])

    def acked_by(self, count: int) -> int:
        """Up to where at least ``count`` replicas have the stream; 0 if they are fewer."""
        acked = sorted([link.acked for link in self.by_client.values() if link.state == ONLINE], reverse=True)
        return acked[count - 1] if len(acked) >= count else 0

    def wait(self, client: Client, count: int, timeout_ms: int, then: Callable[[], Reply] | None = None) -> None:
        """Let ``client`` wait until ``count`` replicas have its last write; ``timeout_ms`` 0: for ever."""
        self.begin_wait(ReplicaWait(self, client, count, then), timeout_ms)

    def begin_wait(self, wait: AckWait, timeout_ms: int) -> None:
        """Replicas are asked how far they are."""
        deadline = self.server.now + timeout_ms if timeout_ms else 0
        self.server.waiting.begin(wait, deadline)
        if self.server.journal.stream is not None:
            self.server.journal.stream.want_acks = True

    def when_acknowledged(self, client: Client, then: Callable[[], Reply]) -> None:
        """Do ``then``, and answer ``client`` with it, when ``write-ack-replicas`` are sure to follow this node."""
        stream = self.server.journal.stream
        if stream is not None:
            stream.put(PING)
            client.wrote_to = stream.offset
        self.wait(client, self.server.acks.wanted, self.server.acks.timeout_ms, then)

    def end_waits(self) -> None:
        """Answer those who have waited for no more than has been acknowledged now."""
        waiting = self.server.waiting
        for reason in (REPLICAS, DISKS, CONFIRMATION):
            for wait in waiting.of(reason):
                assert isinstance(wait, AckWait)
                if wait.fulfilled():
                    waiting.answer(wait, wait.timeout_reply())

    # --- time

    def tick(self, now: int) -> None:
        """About once a second, ten times while a replica waits for its snapshot to be begun."""
        timeout = self.server.config.integer("repl-timeout") * 1000
        self._ping(now, timeout)
        for replica in self.attached():
            if replica.silent_ms(now) > timeout:
                stage = "(streaming sync)" if replica.online else "(full sync)"
                self.server.edge.log("warning", f"Disconnecting timedout replica {stage}: {name_of(replica)}")
                replica.client.kill()
        if self.syncs.waiting:
            self.distribute()
            self.syncs.begin_due()
        self.refresh_good_replicas(now)

    def _drop(self, replica: ReplicaLink, why: str) -> None:
        """It will have to begin anew: what waits for it is let go."""
        self.server.stats.client_output_buffer_limit_disconnections += 1
        self.server.edge.log("warning", f"Replica {name_of(replica)} is closed: {why}")
        replica.held_back.clear()
        replica.held_back_size = 0
        replica.client.kill()

    def _ping(self, now: int, timeout: int) -> None:
        stream = self.server.journal.stream
        period = self.server.config.integer("repl-ping-replica-period") * 1000
        if self.server.conditions & PAUSED:
            # While writes are held back the stream stands still: a replica that takes over has been told where it
            # ends. Only a pause so long that replicas would give up is no failover.
            period = max(period, timeout // 2)
        if stream is not None and not 0 <= now - self.pinged_ms < period and self.attached():
            self.pinged_ms = now
            stream.put(PING)

    def keep_alive(self) -> None:
        """Once a second: a sign of life to replicas whose snapshot is being made and cannot be sent yet."""
        for replica in self.by_client.values():
            if replica.state in (WAITING, TRANSFER) and not replica.transfer_begun:
                replica.client.send(b"\n")

    def good_replicas(self, now: int) -> int:
        """How many are online and have spoken within ``min-replicas-max-lag``."""
        most = self.server.config.integer("min-replicas-max-lag")
        return sum([link.state == ONLINE and link.lag_s(now) <= most for link in self.by_client.values()])

    def acknowledging(self) -> int:
        """How many replicas are there that could acknowledge a write."""
        return sum(
            [link.state == ONLINE and link.acknowledges and not link.client.killed for link in self.by_client.values()]
        )

    def refresh_good_replicas(self, now: int) -> None:
        wanted = self.server.config.integer("min-replicas-to-write")
        lag = self.server.config.integer("min-replicas-max-lag")
        few = bool(wanted and lag) and self.good_replicas(now) < wanted
        unacked = self.acknowledging() < self.server.acks.wanted
        if not unacked or not self.server.lazy_expire_deletes:
            self.server.conditions &= ~RETURNED
        if (few or unacked) and self.server.lazy_expire_deletes:
            self.server.conditions |= FEW_REPLICAS
        else:
            self.server.conditions &= ~FEW_REPLICAS

    def log(self, text: str) -> None:
        self.server.edge.log("notice", text)
