"""Full syncs: which replicas share a snapshot, and when it is begun.

A replica joins the transfer that is under way if it can, or else waits for the next, and all who wait share that. There
is one walk over the keys at a time, unless a slow reader holds it up. ``repl-diskless-sync-delay``, how long a streamed
transfer waits for others to come, is obeyed where somebody has set it; its default is not, because replicas can join
here and so nothing is gained by waiting. ``repl-diskless-sync-max-replicas`` ends such a wait early.
"""

from collections.abc import Callable
from typing import Final

from gossamer.cluster.text import bytes_of
from gossamer.node.engine.feed import NOT_SELECTED
from gossamer.node.engine.server import Server
from gossamer.node.replication.follower import LOADING, WAITING, Follower, name_of
from gossamer.node.replication.history import History
from gossamer.node.replication.transfer import Transfer, Wish

MARK_SIZE: Final = 40
HELD_UP_MS: Final = 1000
"""A walk that has not gone on for so long does not keep others from theirs."""


class Syncs:
    """``on_work`` is called when ``work`` has something to do."""

    def __init__(self, server: Server, history: History) -> None:
        self.server: Server = server
        self.history: History = history
        self.transfers: list[Transfer] = []
        self.waiting: list[Follower] = []
        self.walks: int = 0
        """How many snapshots have been begun."""
        self.on_work: Callable[[], None] | None = None

    def ask(self, follower: Follower) -> None:
        """``follower`` is to get all."""
        follower.state = WAITING
        follower.since_ms = self.server.now
        wish = self._wish(follower)
        for transfer in self.transfers:
            if transfer.open and transfer.wish.equals(wish):
                self._attach(follower, transfer)
                self._log(f"Replica {name_of(follower)} joins the transfer that is under way")
                return
        self.waiting.append(follower)
        if wish.streamed and self._delay_ms():
            self._log("Delay next BGSAVE for diskless SYNC")
        self.begin_due()

    def leave(self, follower: Follower) -> None:
        """The connection of ``follower`` has ended."""
        if follower in self.waiting:
            self.waiting.remove(follower)
        transfer = follower.transfer
        if transfer is not None:
            transfer.leave(follower)
            if not transfer.followers:
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
        for follower in list(self.waiting):
            if follower in self.waiting and self._is_due(follower):
                self._begin(self._wish(follower))
                return

    @property
    def walking(self) -> bool:
        """Is a snapshot being made?"""
        return any(not transfer.whole for transfer in self.transfers)

    @property
    def busy(self) -> bool:
        """Can ``work`` go on with a transfer?"""
        return any(transfer.can_go_on for transfer in self.transfers)

    def work(self) -> list[Follower]:
        """About a millisecond's work for each transfer; those who have been sent all of theirs."""
        done: list[Follower] = []
        for transfer in self.transfers:
            walked = transfer.whole
            left = transfer.step()
            done += left
            if transfer.mark and transfer.whole and not walked:
                up = len(transfer.followers) + len(left)
                self._log(f"Diskless rdb transfer, done reading from pipe, {up} replicas still up.")
        for follower in done:
            follower.state = LOADING
            follower.acked_ms = self.server.now
            self._log(f"Synchronization with replica {name_of(follower)} succeeded")
        self.transfers = [transfer for transfer in self.transfers if transfer.followers]
        self.begin_due()
        return done

    # --- beginning

    def _wish(self, follower: Follower) -> Wish:
        return Wish(follower, follower.takes_eof and self.server.config.flag("repl-diskless-sync"))

    def _delay_ms(self) -> int:
        config = self.server.config
        name = "repl-diskless-sync-delay"
        return config.integer(name) * 1000 if config.was_given(name) else 0

    def _is_walking(self, transfer: Transfer) -> bool:
        return not transfer.whole and self.server.now - transfer.moved_ms < HELD_UP_MS

    def _is_due(self, follower: Follower) -> bool:
        wish = self._wish(follower)
        if not wish.streamed or self.server.now - follower.since_ms >= self._delay_ms():
            return True
        enough = self.server.config.integer("repl-diskless-sync-max-replicas")
        return bool(enough) and len(self._sharing(wish)) >= enough

    def _sharing(self, wish: Wish) -> list[Follower]:
        return [follower for follower in self.waiting if self._wish(follower).equals(wish)]

    def _begin(self, wish: Wish) -> None:
        server = self.server
        sharing = self._sharing(wish)
        self.waiting = [follower for follower in self.waiting if follower not in sharing]
        mark = bytes_of(f"{server.rng.getrandbits(4 * MARK_SIZE):0{MARK_SIZE}x}") if wish.streamed else b""
        history = self.history
        db = history.db
        if server.feed is not None:
            db = 0
            server.feed.selected = NOT_SELECTED  # who gets the snapshot does not know where the stream is
        transfer = Transfer(server, wish, mark, history.replid, history.offset, db)
        self.walks += 1
        self.transfers.append(transfer)
        kind = "replicas sockets" if wish.streamed else "memory, then replicas"
        self._log(f"Starting BGSAVE for SYNC with target: {kind}, for {len(sharing)} of them")
        for follower in sharing:
            self._attach(follower, transfer)
        if self.on_work is not None:
            self.on_work()

    def _attach(self, follower: Follower, transfer: Transfer) -> None:
        if follower.acknowledges:
            follower.client.send(b"+FULLRESYNC %s %d\r\n" % (bytes_of(transfer.replid), transfer.offset))
        transfer.join(follower)

    def _log(self, text: str) -> None:
        self.server.edge.log("notice", text)
