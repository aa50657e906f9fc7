"""Names, looked up while everything else goes on: those of peers, and all that is dialled.

getaddrinfo blocks, for half a minute if a name server is silent, so it runs in threads of its own, which hold up
nobody's writes to disk. A task that waits for an answer gives up sooner; the thread is left to itself until it is done,
and counts as busy for so long.
"""

import socket
from typing import Final, Literal, TypeAlias

import trio

from gossamer.node.io.address import addresses as look_up

PEER_THREADS: Final = 4
DIAL_THREADS: Final = 16
PATIENCE_S: Final = 10.0

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


class Lookup:
    def __init__(self) -> None:
        self._limiter = trio.CapacityLimiter(PEER_THREADS)

    async def addresses(self, hostname: str) -> tuple[str, ...]:
        """What ``hostname`` stands for now, in the resolver's order; none if it is not known, or not in time."""
        with trio.move_on_after(PATIENCE_S):
            return await trio.to_thread.run_sync(look_up, hostname, abandon_on_cancel=True, limiter=self._limiter)
        return ()


class Resolver(trio.abc.HostnameResolver):
    """For ``trio.socket.set_custom_hostname_resolver``, once a process: it is asked for all names that trio dials."""

    def __init__(self) -> None:
        self._limiter = trio.CapacityLimiter(DIAL_THREADS)

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
