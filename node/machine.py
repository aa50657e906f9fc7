"""The whole node as one pure machine: the place where the engine and the gossip meet.

``node/io`` drives it in a process, the simulator under a virtual clock; both see the same three methods (``handle``,
``deadline``, ``drain``) and the one shortcut past them, ``accept(...)`` giving a Session whose ``feed`` turns bytes into
replies. What is not under this class is not simulated.
"""

from node import commands as commands
from node.engine.client import Client
from node.engine.server import Server
from node.engine.session import Session


class Machine:
    def __init__(self, server: Server) -> None:
        self.server: Server = server

    def accept(self, addr: str, laddr: str, unix: bool = False) -> Session:
        """A new client, ``addr`` and ``laddr`` as ``ip:port`` (or ``path:0``)."""
        server = self.server
        session = Session(server, server.next_client_id, addr, laddr, unix)
        server.next_client_id += 1
        server.clients[session.id] = session
        server.stats.total_connections_received += 1
        return session

    def leave(self, client: Client) -> None:
        """The connection of ``client`` has ended."""
        client.closing = client.killed = True
        client.unwatch()
        self.server.clients.pop(client.id, None)
        if client in self.server.monitors:
            self.server.monitors.remove(client)

    def drain(self) -> None:
        """Do what the batch asked for on the way."""
