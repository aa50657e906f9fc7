"""The connection to the primary: the task that carries the replica's link, and comes back when it breaks.

One connection at a time. When another primary is to be followed, or the same one at another address, nothing is waited
for any more: not the lookup, not the dial, not bytes that the old connection does not take.
"""

from functools import partial

import trio

from gossamer.node.io.address import Unreachable
from gossamer.node.io.carry import carry
from gossamer.node.io.clients import Clients
from gossamer.node.io.dial import dial
from gossamer.node.outgoing.to_primary import RetryWait, ToPrimary
from gossamer.node.replication.primary_link import PrimaryLink


class PrimaryConnector:
    """``run`` follows whomever the machine wants to follow, until cancelled."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._replication = clients.machine.replication
        self._poked = trio.Event()
        self._replication.on_target = lambda: self._poked.set()

    async def run(self) -> None:
        wait = RetryWait()
        while True:
            self._poked = trio.Event()
            link = self._replication.primary_link
            if link is None or link.away:
                await self._poked.wait()
                wait.reset()
                continue
            await self._carry(link)
            if self._replication.primary_link is not link:
                wait.reset()
                continue
            with trio.move_on_after(wait.after(link)):
                await self._poked.wait()

    async def _carry(self, link: PrimaryLink) -> None:
        what = f"the connection to primary {link.ip!a}:{link.port}, which is closed"
        if not await carry(self._clients, ToPrimary(link), partial(self._connect, link), what):
            link.mark_damaged()

    async def _connect(self, link: PrimaryLink) -> trio.SocketStream:
        server = self._clients.machine.server
        config = server.config
        source, patience_s = config.text("bind-source-addr"), config.integer("repl-timeout")
        try:
            return await dial(link.ip, link.port, source, patience_s, config.integer("tcp-keepalive"))
        except Unreachable as error:
            told = f"Unable to connect to primary {link.ip}:{link.port}: {error}"
            server.edge.log("warning", "Timeout connecting to the MASTER..." if error.late else told)
            raise
