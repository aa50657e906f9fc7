"""Listening sockets as ``bind``, ``port``, ``tcp-backlog`` and ``unixsocket`` ask for them.

Rules kept (server.c, listenToPort in Redis 7.0.15): ``*`` is every IPv4 address and ``::*`` every IPv6 one; an address
behind ``-`` may be missing from this machine; a protocol that this machine does not speak is passed over; any other
failure closes what was opened. Port 0 means no TCP. Sockets reuse the address, so that a restart finds its port free at
once.
"""

import contextlib
import errno
import os
import socket
from collections.abc import Sequence
from typing import Final

from gossamer.node.io.address import Unreachable, look_up

PROTOCOL_MISSING: Final = {
    errno.ENOPROTOOPT, errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT, errno.EPFNOSUPPORT, errno.EAFNOSUPPORT,
}  # fmt: skip

NO_ADDRESS: Final = {0, errno.EADDRNOTAVAIL, errno.EINVAL}
"""0: it was not understood, or not found."""


class ListenError(Exception):
    """Cannot listen as configured. ``brief`` has the reason too, where the message, which is Redis' own, has none.
    ``no_address``: what was named as one is none of this machine."""

    def __init__(self, text: str, reason: str = "", no_address: bool = False) -> None:
        super().__init__(text)
        self.no_address = no_address
        self.brief = f"{text} {reason}" if reason else text


class Refused(Exception):
    """One address did not work: ``code`` is the errno or 0, ``str()`` the reason in Redis' words."""

    def __init__(self, reason: str, code: int = 0) -> None:
        super().__init__(reason)
        self.code = code


def listen_tcp(addresses: Sequence[str], port: int, backlog: int) -> tuple[list[socket.socket], list[str]]:
    """Sockets for all ``addresses``, and warnings for those passed over. Raises ListenError with the reason.

    No addresses, or ``port`` 0: no sockets.
    """
    opened: list[socket.socket] = []
    warnings: list[str] = []
    for word in addresses if port else ():
        optional = word.startswith("-")
        address = word.removeprefix("-")
        try:
            opened.append(_listen_on(address, port, backlog))
        except Refused as refused:
            warning = f"Could not create server TCP listening socket {address}:{port}: {refused}"
            if refused.code in PROTOCOL_MISSING or (optional and refused.code == errno.EADDRNOTAVAIL):
                warnings.append(warning)
                continue
            for sock in opened:
                sock.close()
            raise ListenError(warning, no_address=refused.code in NO_ADDRESS) from None
    return opened, warnings


def _listen_on(address: str, port: int, backlog: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    host = None if address in ("*", "::*") else address
    try:
        found = look_up(host, port, family, socket.AI_PASSIVE)
    except Unreachable as error:
        raise Refused(str(error)) from None
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise Refused(f"unable to bind socket, errno: {error.errno}", error.errno or 0) from None
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return _bind(sock, found[0][1], backlog)


def _bind(sock: socket.socket, where: object, backlog: int) -> socket.socket:
    step = "bind"
    try:
        sock.bind(where)  # type: ignore[arg-type]  # typeshed knows no type for the addresses of getaddrinfo
        step = "listen"
        sock.listen(backlog)
    except (OSError, ValueError, OverflowError) as error:
        sock.close()
        reason, code = (error.strerror, error.errno) if isinstance(error, OSError) else (None, None)
        raise Refused(f"{step}: {reason or error}", code or 0) from None
    return sock


def listen_unix(path: str, permissions: int, backlog: int) -> socket.socket:
    """A socket at ``path``, in place of whatever is left there; ``permissions`` 0 leaves them to the umask."""
    if "\0" in path:
        raise ListenError("Failed opening Unix socket: its path has a NUL in it")
    with contextlib.suppress(OSError, ValueError):
        os.unlink(path)
    try:
        sock = _bind(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM), path, backlog)
    except Refused as refused:
        raise ListenError(f"Failed opening Unix socket: {refused}") from None
    if permissions:
        os.chmod(path, permissions)
    return sock
