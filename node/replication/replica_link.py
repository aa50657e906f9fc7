"""A replica's connection as its primary sees it: what it told of itself, how far it has come, what waits for it.

It goes from WAITING (for a snapshot to begin) to TRANSFER (it is sent one, and the stream collects in ``held_back``),
LOADING (all of it has been sent) and ONLINE (it is sent the stream).
"""

from typing import Final

from gossamer.node.engine.clients.client import Client
from gossamer.node.engine.clients.limits import REPLICA, OutputLimit
from gossamer.node.persist.codes import REDIS_10, REDIS_11, VALKEY_80, Format

HANDSHAKE: Final = 0
WAITING: Final = 1
TRANSFER: Final = 2
LOADING: Final = 3
ONLINE: Final = 4

ROOM: Final = 1 << 18
"""Bytes of a snapshot that may wait for a slow replica to read them."""

READS_REDIS_11: Final = (7, 2)
READS_VALKEY_80: Final = (9, 0)
"""The versions of Valkey, by ``REPLCONF version``, from which on it reads these."""


class ReplicaLink:
    """A replica's connection, from its first REPLCONF on."""

    def __init__(self, client: Client) -> None:
        self.client: Client = client
        self.state: int = HANDSHAKE
        self.port: int = 0
        self.ip: str = ""
        """What it wants to be known by; empty: where it connects from."""
        self.version: tuple[int, ...] = ()
        """What it runs, if it told; only Valkey and its kin do."""
        self.takes_eof: bool = False
        self.takes_psync2: bool = False
        self.node_id: str = ""
        """Who it is in the cluster; empty if it does not tell."""
        self.rdb_only: bool = False
        self.without_keys: bool = False
        """It wants a snapshot of functions alone."""
        self.acknowledges: bool = False
        """It came with PSYNC, so it sends ACK."""
        self.acked: int = 0
        self.fsynced: int = 0
        """Up to where it has the stream on its disk, as it tells if it has an append-only file."""
        self.acked_ms: int = 0
        self.since_ms: int = 0
        """When it asked to be synchronized."""
        self.streamed: bool = False
        """Its snapshot had no length: the stream waits for the first ACK."""
        self.position: int = 0
        """The number of the next piece of the transfer for it."""
        self.held_back: list[bytes] = []
        self.held_back_size: int = 0
        self._unread: int = 0

    @property
    def host(self) -> str:
        return self.ip or self.client.addr.rpartition(":")[0].strip("[]")

    @property
    def online(self) -> bool:
        return self.state == ONLINE

    @property
    def state_name(self) -> str:
        """As INFO has it: what is streamed while it is made counts as being made, as with Redis."""
        if self.state == ONLINE:
            return "online"
        sent = self.state == LOADING or (not self.streamed and self.transfer_begun)
        return "send_bulk" if sent else "wait_bgsave"

    @property
    def transfer_begun(self) -> bool:
        """Has it been sent some of its snapshot?"""
        return self.position > 0

    @property
    def unread(self) -> int:
        """Bytes on their way to it."""
        return self.client.out_bytes + self.client.unsent

    @property
    def has_room(self) -> bool:
        """Does it keep up with what it is sent?"""
        return self.unread < ROOM

    @property
    def format(self) -> Format:
        """The newest form of RDB that it is sure to read: what says nothing may be Redis 7.0."""
        if self.version >= READS_VALKEY_80:
            return VALKEY_80
        return REDIS_11 if self.version >= READS_REDIS_11 else REDIS_10

    def lag_s(self, now: int) -> int:
        return max(0, now - self.acked_ms) // 1000

    def tell(self, data: bytes) -> None:
        """The next bytes of the stream."""
        if self.rdb_only or self.client.killed:
            return
        if self.state == ONLINE:
            self.client.send(data)
        elif self.state in (TRANSFER, LOADING):
            self.held_back.append(data)
            self.held_back_size += len(data)

    def go_online(self) -> None:
        self.state = ONLINE
        held_back, self.held_back = self.held_back, []
        self.held_back_size = 0
        if held_back:
            self.client.send(b"".join(held_back))

    def is_over(self, limits: list[OutputLimit], now: int) -> bool:
        """Has it left so much of the stream unread, since its snapshot was begun, that it has to go?

        The snapshot does not count: it is made as it is read. What an online replica leaves unread is looked at where
        it is written.
        """
        limit = limits[REPLICA]
        held = self.held_back_size
        if limit.hard and held >= limit.hard:
            return True
        if not limit.soft or held < limit.soft:
            return False
        client = self.client
        if client.over_soft_limit_since == 0:
            client.over_soft_limit_since = now
        return now - client.over_soft_limit_since > limit.seconds * 1000

    def silent_ms(self, now: int) -> int:
        """For how long it has given no sign of life that could be expected of it in its state.

        That is an ACK when it is online, anything at all while it loads, and reading on while it is sent a snapshot.
        """
        if self.state == WAITING:
            self.acked_ms = now
        elif self.state == LOADING:
            self.acked_ms = max(self.acked_ms, self.client.active_ms)
        elif self.state == TRANSFER:
            before, self._unread = self._unread, self.unread
            if self._unread == 0 or self._unread != before:
                self.acked_ms = now
        elif not self.acknowledges:
            return 0
        return now - self.acked_ms


def name_of(replica: ReplicaLink) -> str:
    return f"{replica.host}:{replica.port}"
