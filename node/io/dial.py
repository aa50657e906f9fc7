"""Every connection that this program makes is made here. Whatever goes wrong is Unreachable.

``dial`` lets others have their turns, ``dial_blocking`` is for a caller that may stand still. Connections send at once
(no Nagle), and find out about a peer that is gone after ``keepalive_s``, if that is not 0.
"""

import math
import socket
from typing import TYPE_CHECKING

from gossamer.node.io.address import Unreachable, demand_name, demand_port, one_failure
from gossamer.node.io.keepalive import keep_alive

if TYPE_CHECKING:
    import trio


async def dial(
    host: str, port: int, source: str = "", timeout_s: float = math.inf, keepalive_s: int = 0
) -> "trio.SocketStream":
    """A connection from ``source``, if that is not empty, to a name or an address. Unreachable.

    A caller that cancels this does not wait for a name server or for packets that are dropped.
    """
    import trio  # takes as long as all else that the command line needs, which never gets here

    demand(host, port, source)
    with trio.move_on_after(timeout_s), one_failure(host):
        stream = await trio.open_tcp_stream(host, port, local_address=source or None)
        try:
            keep_alive(stream, keepalive_s)
        except OSError:
            stream.socket.close()
            raise
        return stream
    raise Unreachable("it took too long", late=True)


def dial_blocking(
    host: str, port: int, source: str = "", timeout_s: float | None = None, keepalive_s: int = 0
) -> socket.socket:
    """The same while the caller waits: ``timeout_s`` for each address, and later for each step. Unreachable."""
    demand(host, port, source)
    with one_failure(host):
        sock = socket.create_connection((host, port), timeout_s, (source, 0) if source else None)
        try:
            keep_alive(sock, keepalive_s)
        except OSError:
            sock.close()
            raise
        return sock


def demand(host: str, port: int, source: str) -> None:
    """Unreachable if one of these cannot be what it is to be."""
    demand_port(port)
    demand_name(host)
    if source:
        demand_name(source)
