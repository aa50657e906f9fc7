"""The half of replication that is followed: who follows, and the stream that they are sent.

A follower (``follower.py``) is brought to the present by the rest of the stream, if the backlog has it, or else by a
snapshot (``syncs.py``). After a streamed snapshot it is online with its first ACK, as with Redis: only then it has
loaded. The same holds on a replica that has replicas of its own; its stream is then its primary's, byte for byte.

Source: redis.io "Replication", and what Redis 7.0.15 says on the wire.
"""

from collections.abc import Callable
from typing import Final

from gossamer.cluster.text import bytes_of
from gossamer.node.engine.client import NOT_TO_PAUSE, REPLIES_OFF, Client
from gossamer.node.engine.feed import GETACK, PING, encoded
from gossamer.node.engine.limits import REPLICA
from gossamer.node.engine.server import FEW_REPLICAS, PAUSED, RETURNED, Server
from gossamer.node.replication.follower import HANDSHAKE, LOADING, ONLINE, TRANSFER, WAITING, Follower, name_of
from gossamer.node.replication.history import History
from gossamer.node.replication.syncs import Syncs
from gossamer.node.resp.errors import NOT_ENOUGH_REPLICAS, Refusal
from gossamer.node.resp.reply import Failure, Reply

TAKES_SETSLOT: Final = (8, 0)
"""The version of Valkey, by ``REPLCONF version``, from which on a replica takes SETSLOT from its primary."""


class Waiter:
    """A client that waits for ``count`` replicas to acknowledge ``offset``; until ``deadline`` ms, 0 is for ever.

    In WAIT it is told how many they are. Else ``then`` is what it asked for, done when they are enough.
    """

    def __init__(
        self, client: Client, count: int, offset: int, deadline: int, then: Callable[[], Reply] | None = None
    ) -> None:
        self.client: Client = client
        self.count: int = count
        self.offset: int = offset
        self.deadline: int = deadline
        self.then: Callable[[], Reply] | None = then

    def reply(self, acked: int) -> Reply:
        if self.then is None:
            return acked
        if acked < self.count:
            return Failure(NOT_ENOUGH_REPLICAS)
        try:
            return self.then()
        except Refusal as refusal:
            return Failure(refusal.text)


class Primary:
    def __init__(self, server: Server, history: History) -> None:
        self.server: Server = server
        self.history: History = history
        self.followers: dict[int, Follower] = {}
        """By client id."""
        self.syncs: Syncs = Syncs(server, history)
        self.waiters: list[Waiter] = []
        self.released: list[Client] = []
        """Clients whose WAIT is over; their next requests are to be served."""
        self.pinged_ms: int = 0
        self.alone_since_ms: int = 0
        self.full_syncs: int = 0
        self.partial_syncs: int = 0
        self.refused_partial_syncs: int = 0

    def follower(self, client: Client) -> Follower:
        found = self.followers.get(client.id)
        if found is None:
            found = self.followers[client.id] = Follower(client)
        return found

    def replicas(self) -> list[Follower]:
        return [follower for follower in self.followers.values() if follower.state != HANDSHAKE]

    def leave(self, client: Client) -> None:
        """The connection of ``client`` has ended."""
        self.waiters = [waiter for waiter in self.waiters if waiter.client is not client]
        follower = self.followers.pop(client.id, None)
        if follower is None:
            return
        self.syncs.leave(follower)
        self._let_backlog_shrink()
        if follower.state != HANDSHAKE:
            self.log(f"Connection with replica {name_of(follower)} lost.")
            self.alone_since_ms = self.server.now
            self.count_good(self.server.now)

    def drop_all(self) -> None:
        """End the connections of all replicas: they will come back and ask how to go on."""
        self.syncs.close()
        for follower in self.replicas():
            follower.client.kill()

    # --- synchronizing

    def sync(self, client: Client, replid: str, offset: int, modern: bool) -> None:
        """SYNC or PSYNC: ``offset`` is the next byte that the replica wants. ``modern``: it may be told about it."""
        follower = self.follower(client)
        client.modes |= NOT_TO_PAUSE | REPLIES_OFF
        follower.acked_ms = self.server.now
        follower.acknowledges = modern
        if not self.pinged_ms:
            self.pinged_ms = self.server.now
        history = self.history
        if modern and self._may_continue(follower, replid, offset):
            assert history.backlog is not None
            self.partial_syncs += 1
            name = b" " + bytes_of(history.replid) if follower.takes_psync2 else b""
            client.send(b"+CONTINUE%s\r\n" % name)
            client.send(history.backlog.since(offset))
            self._online(follower)
            self.log(f"Partial resynchronization request from {name_of(follower)} accepted from offset {offset}.")
            return
        if modern and replid != "?":
            self.refused_partial_syncs += 1
        self.full_syncs += 1
        self.log(f"Full resync requested by replica {name_of(follower)}")
        self.syncs.ask(follower)

    @property
    def sending(self) -> bool:
        """Is there a snapshot to be made or sent, to somebody who takes it?"""
        return self.syncs.busy

    def work(self) -> None:
        """Go on with the snapshots: about a millisecond."""
        if self.syncs.waiting:
            self.distribute()  # a snapshot may be begun: it belongs to where the stream is
        for follower in self.syncs.work():
            if follower.rdb_only:
                follower.client.close_after_reply()
            elif not follower.streamed:
                self._online(follower)

    def _online(self, follower: Follower) -> None:
        follower.go_online()
        self._let_backlog_shrink()
        self.count_good(self.server.now)
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
        feed = self.server.feed
        if feed is None or any(f.version < TAKES_SETSLOT for f in self.replicas()):
            return
        words = [b"CLUSTER", b"SETSLOT", b"%d" % slot, bytes_of(action)]
        feed.put(encoded([*words, bytes_of(node)] if node else words))
        self.server.acks.opened(slot)

    # --- the stream

    def relay(self, data: bytes) -> None:
        """The next bytes of the stream, for all replicas and the backlog."""
        limits, now = self.server.output_limits, self.server.now
        awaited = 0
        for follower in self.followers.values():
            follower.tell(data)
            if follower.held_back and follower.is_over(limits, now):
                self._drop(follower, "over its output buffer limit while it is synchronized")
            awaited = max(awaited, follower.held_back_size)
        self.history.append(data, awaited)

    def _let_backlog_shrink(self) -> None:
        """Less of the stream may be held back for replicas in their full sync."""
        if self.history.backlog is not None:
            self.history.backlog.shrink(max([f.held_back_size for f in self.followers.values()], default=0))

    def _may_continue(self, follower: Follower, replid: str, offset: int) -> bool:
        """Is the rest of the stream all that is missing, and does it take that without being dropped for it?

        What the backlog has beyond its size is there only for now: a replica that is dropped would get no further.
        """
        history = self.history
        if follower.rdb_only or not history.can_continue(replid, offset):
            return False
        assert history.backlog is not None
        rest, limit = history.backlog.end - offset + 1, self.server.output_limits[REPLICA].hard
        return rest <= history.backlog.size or not limit or rest < limit

    def distribute(self) -> None:
        """Hand out what this node has added to the stream."""
        feed = self.server.feed
        if feed is None:
            return
        if feed.group:
            feed.release()
        if feed.want_acks and not self.server.conditions & PAUSED:
            feed.want_acks = False
            feed.put(GETACK)
        if feed.pending:
            self.relay(feed.take())

    def acknowledged(self, client: Client, offset: int) -> None:
        """REPLCONF ACK."""
        follower = self.followers.get(client.id)
        if follower is None or follower.state == HANDSHAKE:
            return
        follower.acked = max(follower.acked, offset)
        follower.acked_ms = self.server.now
        if follower.state == LOADING:
            self._online(follower)
        elif self.server.conditions & FEW_REPLICAS:
            self.count_good(self.server.now)
        wanted = self.server.acks.wanted
        if wanted:
            self.server.acks.confirm(self.acked_by(wanted))
        self.release_waiters()

    # --- WAIT

    def count_acked(self, offset: int) -> int:
        return sum([f.state == ONLINE and f.acked >= offset for f in self.followers.values()])

    def acked_by(self, count: int) -> int:
        """Up to where at least ``count`` replicas have the stream; 0 if they are fewer."""
        acked = sorted([f.acked for f in self.followers.values() if f.state == ONLINE], reverse=True)
        return acked[count - 1] if len(acked) >= count else 0

    def wait(self, client: Client, count: int, timeout_ms: int) -> None:
        """Hold ``client`` until ``count`` replicas have its last write."""
        deadline = self.server.now + timeout_ms if timeout_ms else 0
        self.waiters.append(Waiter(client, count, client.wrote_to, deadline))
        client.held = True
        if self.server.feed is not None:
            self.server.feed.want_acks = True

    def when_acknowledged(self, client: Client, then: Callable[[], Reply]) -> None:
        """Do ``then``, and answer ``client`` with it, when ``write-ack-replicas`` are sure to follow this node."""
        feed = self.server.feed
        if feed is not None:
            feed.put(PING)
            client.wrote_to = feed.offset
        self.wait(client, self.server.acks.wanted, self.server.acks.timeout_ms)
        self.waiters[-1].then = then

    def release_waiters(self) -> None:
        """Answer those whose WAIT is fulfilled or over."""
        now = self.server.now
        still: list[Waiter] = []
        for waiter in self.waiters:
            acked = self.count_acked(waiter.offset)
            if acked >= waiter.count or 0 < waiter.deadline <= now:
                waiter.client.reply(waiter.reply(acked))
                self.let_go(waiter.client)
            else:
                still.append(waiter)
        self.waiters = still

    def unblock(self, client: Client, error: bytes = b"") -> bool:
        """End the WAIT of ``client`` as if its time were over, or with ``error``; False if it does not wait."""
        for at, waiter in enumerate(self.waiters):
            if waiter.client is client:
                del self.waiters[at]
                if error:
                    self.server.stats.count_error(error)
                client.reply(Failure(error) if error else waiter.reply(self.count_acked(waiter.offset)))
                self.let_go(client)
                return True
        return False

    def refuse_waiters(self, refusal: object) -> None:
        """No WAIT can come true any more."""
        waiters, self.waiters = self.waiters, []
        for waiter in waiters:
            waiter.client.reply(refusal)
            self.let_go(waiter.client)

    def take_released(self) -> list[Client]:
        released, self.released = self.released, []
        return [client for client in released if not client.closing]

    def let_go(self, client: Client) -> None:
        """``client`` waits no longer."""
        client.held = False
        self.released.append(client)

    # --- time

    def tick(self, now: int) -> None:
        """About ten times a second."""
        self.release_waiters()
        timeout = self.server.config.integer("repl-timeout") * 1000
        self._ping(now, timeout)
        for follower in self.replicas():
            if follower.silent_ms(now) > timeout:
                stage = "(streaming sync)" if follower.online else "(full sync)"
                self.server.edge.log("warning", f"Disconnecting timedout replica {stage}: {name_of(follower)}")
                follower.client.kill()
        if self.syncs.waiting:
            self.distribute()
            self.syncs.begin_due()
        self.count_good(now)

    def _drop(self, follower: Follower, why: str) -> None:
        """It will have to begin anew: what waits for it is let go."""
        self.server.stats.client_output_buffer_limit_disconnections += 1
        self.server.edge.log("warning", f"Replica {name_of(follower)} is closed: {why}")
        follower.held_back.clear()
        follower.held_back_size = 0
        follower.client.kill()

    def _ping(self, now: int, timeout: int) -> None:
        feed = self.server.feed
        period = self.server.config.integer("repl-ping-replica-period") * 1000
        if self.server.conditions & PAUSED:
            # While writes are held back the stream stands still: a replica that takes over has been told where it
            # ends. Only a pause so long that replicas would give up is no failover.
            period = max(period, timeout // 2)
        if feed is not None and not 0 <= now - self.pinged_ms < period and self.replicas():
            self.pinged_ms = now
            feed.put(PING)

    def keep_alive(self) -> None:
        """Once a second: a sign of life to replicas whose snapshot is being made and cannot be sent yet."""
        for follower in self.followers.values():
            begun = follower.transfer is not None and follower.transfer.begun(follower)
            if follower.state in (WAITING, TRANSFER) and not begun:
                follower.client.send(b"\n")

    def good_replicas(self, now: int) -> int:
        """How many are online and have spoken within ``min-replicas-max-lag``."""
        most = self.server.config.integer("min-replicas-max-lag")
        return sum([f.state == ONLINE and f.lag_s(now) <= most for f in self.followers.values()])

    def acknowledging(self) -> int:
        """How many replicas are there that could acknowledge a write."""
        return sum([f.state == ONLINE and f.acknowledges and not f.client.killed for f in self.followers.values()])

    def count_good(self, now: int) -> None:
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
