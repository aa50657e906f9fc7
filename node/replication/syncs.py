"""Full syncs: which replicas share a snapshot, and when it is begun.

A replica joins the transfer that is under way if it can, or else waits for the next, and all who wait share that. There
is one walk over the keys at a time, unless a slow reader holds it up. ``repl-diskless-sync-delay``, how long a streamed
transfer waits for others to come, is obeyed where somebody has set it; its default is not, because replicas can join
here and so nothing is gained by waiting. ``repl-diskless-sync-max-replicas`` ends such a wait early.
"""

from collections.abc import Callable
from typing import Final

from gossamer.cluster.text import bytes_of
from gossamer.node.engine.server import Server
from gossamer.node.engine.stream.stream import NOT_SELECTED
from gossamer.node.replication.history import History
from gossamer.node.replication.replica_link import LOADING, WAITING, ReplicaLink, name_of
from gossamer.node.replication.sync_transfer import SyncFormat, SyncTransfer

MARK_SIZE: Final = 40
HELD_UP_MS: Final = 1000
"""A walk that has not gone on for so long does not keep others from theirs."""


class Syncs:
    """``on_work`` is called when ``work`` has something to do."""

    def __init__(self, server: Server, history: History) -> None:
        self.server: Server = server
        self.history: History = history
        self.transfers: list[SyncTransfer] = []
        self.waiting: list[ReplicaLink] = []
        self.walks: int = 0
        """How many snapshots have been begun."""
        self.on_work: Callable[[], None] | None = None

    def ask(self, replica: ReplicaLink) -> None:
        """``replica`` is to get all."""
        replica.state = WAITING
        replica.since_ms = self.server.now
        form = self._format_for(replica)
        for transfer in self.transfers:
            if transfer.open and transfer.form.equals(form):
                self._attach(replica, transfer)
                self._log(f"Replica {name_of(replica)} joins the transfer that is under way")
                return
        self.waiting.append(replica)
        if form.streamed and self._delay_ms():
            self._log("Delay next BGSAVE for diskless SYNC")
        self.begin_due()

    def leave(self, replica: ReplicaLink) -> None:
        """The connection of ``replica`` has ended."""
        if replica in self.waiting:
            self.waiting.remove(replica)
        transfer = next((transfer for transfer in self.transfers if replica in transfer.replicas), None)
        if transfer is not None:
            transfer.leave(replica)
            if not transfer.replicas:
                self.transfers.remove(transfer)
                # The words that Redis has for it, which tools look for; there is no child here.
                self._log("Diskless rdb transfer, last replica dropped, killing fork child.")
            elif self.on_work is not None:
                self.on_work()

    def close(self) -> None:
        """What this node holds is another history from here on: nobody may join any more."""
        for transfer in self.transfers:
            transfer.open = False

    def begin_due(self) -> None:
        """Begin a transfer for those who have waited long enough."""
        if not self.waiting or any(self._is_walking(transfer) for transfer in self.transfers):
            return
        for replica in list(self.waiting):
            if replica in self.waiting and self._is_due(replica):
                self._begin(self._format_for(replica))
                return

    @property
    def walking(self) -> bool:
        """Is a snapshot being made?"""
        return any(not transfer.whole for transfer in self.transfers)

    @property
    def busy(self) -> bool:
        """Can ``work`` go on with a transfer?"""
        return any(transfer.can_go_on for transfer in self.transfers)

    def work(self) -> list[ReplicaLink]:
        """About a millisecond's work for each transfer; those who have been sent all of theirs."""
        done: list[ReplicaLink] = []
        for transfer in self.transfers:
            walked = transfer.whole
            left = transfer.step()
            done += left
            if transfer.failure:
                self._break_off(transfer)
            if transfer.mark and transfer.whole and not walked:
                up = len(transfer.replicas) + len(left)
                self._log(f"Diskless rdb transfer, done reading from pipe, {up} replicas still up.")
        for replica in done:
            replica.state = LOADING
            replica.acked_ms = self.server.now
            self._log(f"Synchronization with replica {name_of(replica)} succeeded")
        self.transfers = [transfer for transfer in self.transfers if transfer.replicas]
        self.begin_due()
        return done

    # --- beginning

    def _break_off(self, transfer: SyncTransfer) -> None:
        """As Valkey does: these replicas cannot follow while the data is as it is."""
        self._log(f"Replicas are not sent the data: {transfer.failure}")
        for replica in transfer.replicas:
            replica.client.kill()

    def _format_for(self, replica: ReplicaLink) -> SyncFormat:
        return SyncFormat(replica, replica.takes_eof and self.server.config.flag("repl-diskless-sync"))

    def _delay_ms(self) -> int:
        config = self.server.config
        name = "repl-diskless-sync-delay"
        return config.integer(name) * 1000 if config.was_given(name) else 0

    def _is_walking(self, transfer: SyncTransfer) -> bool:
        return not transfer.whole and self.server.now - transfer.moved_ms < HELD_UP_MS

    def _is_due(self, replica: ReplicaLink) -> bool:
        form = self._format_for(replica)
        if not form.streamed or self.server.now - replica.since_ms >= self._delay_ms():
            return True
        enough = self.server.config.integer("repl-diskless-sync-max-replicas")
        return bool(enough) and len(self._sharing(form)) >= enough

    def _sharing(self, form: SyncFormat) -> list[ReplicaLink]:
        return [replica for replica in self.waiting if self._format_for(replica).equals(form)]

    def _begin(self, form: SyncFormat) -> None:
        server = self.server
        sharing = self._sharing(form)
        self.waiting = [replica for replica in self.waiting if replica not in sharing]
        mark = bytes_of(f"{server.rng.getrandbits(4 * MARK_SIZE):0{MARK_SIZE}x}") if form.streamed else b""
        history = self.history
        db = history.db
        stream = server.journal.stream
        if stream is not None:
            db = 0
            stream.selected = NOT_SELECTED  # who gets the snapshot does not know where the stream is
        transfer = SyncTransfer(server, form, mark, history.replid, history.offset, db)
        self.walks += 1
        self.transfers.append(transfer)
        kind = "replicas sockets" if form.streamed else "memory, then replicas"
        self._log(f"Starting BGSAVE for SYNC with target: {kind}, for {len(sharing)} of them")
        for replica in sharing:
            self._attach(replica, transfer)
        if self.on_work is not None:
            self.on_work()

    def _attach(self, replica: ReplicaLink, transfer: SyncTransfer) -> None:
        if replica.acknowledges:
            replica.client.send(b"+FULLRESYNC %s %d\r\n" % (bytes_of(transfer.replid), transfer.offset))
        transfer.join(replica)

    def _log(self, text: str) -> None:
        self.server.edge.log("notice", text)
