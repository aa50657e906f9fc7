"""Options of a TCP connection: answers at once, and ``tcp-keepalive`` to find out about peers that are gone."""

import socket
import sys
from typing import Final, Protocol

PROBES: Final = 3
"""Unanswered probes after which the peer counts as gone (anet.c in Redis 7.0)."""


class HasOptions(Protocol):
    """A socket, or a stream that is one."""

    def setsockopt(self, level: int, option: int, value: int, /) -> None: ...


def keep_alive(sock: HasOptions, seconds: int) -> None:
    """Probe a silent peer after ``seconds``, 0 never; never hold back small replies. OSError if it is gone."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not seconds:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if sys.platform == "linux":
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, seconds)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(seconds // 3, 1))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, PROBES)
