"""Connections to other nodes, made while everything else goes on; ``address.py`` says what can go wrong.

Names are looked up in threads, and one whose answer nobody waits for any more is left to itself until the name server
has answered. They are threads of their own: names that nobody answers for must not hold up writes to disk.
"""

import math
import socket
from typing import Final, Literal, TypeAlias

import trio

from gossamer.node.io.address import Unreachable, demand_name, demand_port, one_failure

THREADS: Final = 16

Where: TypeAlias = tuple[str, int] | tuple[str, int, int, int]
Found: TypeAlias = (
    tuple[Literal[socket.AddressFamily.AF_INET], socket.SocketKind, int, str, tuple[str, int]]
    | tuple[
        Literal[socket.AddressFamily.AF_INET6],
        socket.SocketKind,
        int,
        str,
        tuple[str, int, int, int] | tuple[int, bytes],
    ]
)


class Resolver(trio.abc.HostnameResolver):
    """For ``trio.socket.set_custom_hostname_resolver``, once a process: it is asked for all names that trio dials."""

    def __init__(self) -> None:
        self._limiter = trio.CapacityLimiter(THREADS)

    async def getaddrinfo(
        self,
        host: bytes | None,
        port: bytes | str | int | None,
        family: int = 0,
        type: int = 0,  # trio's name for it
        proto: int = 0,
        flags: int = 0,
    ) -> list[Found]:
        def ask() -> list[Found]:
            return list(socket.getaddrinfo(host, port, family, type, proto, flags))

        return await trio.to_thread.run_sync(ask, abandon_on_cancel=True, limiter=self._limiter)

    async def getnameinfo(self, sockaddr: Where, flags: int) -> tuple[str, str]:
        return await trio.to_thread.run_sync(
            socket.getnameinfo, sockaddr, flags, abandon_on_cancel=True, limiter=self._limiter
        )


async def dial(host: str, port: int, source: str = "", timeout_s: float = math.inf) -> trio.SocketStream:
    """A connection from ``source``, if that is not empty, to a name or an address. Unreachable.

    Who cancels this does not wait for a name server or for packets that are dropped.
    """
    demand_port(port)
    demand_name(host)
    with trio.move_on_after(timeout_s), one_failure(host):
        return await trio.open_tcp_stream(host, port, local_address=source or None)
    raise Unreachable("it took too long", late=True)
