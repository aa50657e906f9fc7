"""Every name, address and port that is dialled (``dial.py``), listened on or looked up goes through here.

What people and other nodes call an address may be anything: ``redis-0..svc``, a label of 64 letters, a NUL, port 0.
Python answers such texts with errors of many kinds, of which only some are OSError. Here each of them is the same
ordinary failure as a host that is not there: ``Unreachable``, with a text that says why.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

PORTS: Final = 0xFFFF


class Unreachable(ConnectionError):
    """Nobody can be reached there, or nothing can listen there; ``str()`` says why, ``errno`` is set if there is one.

    ``refused``: the host said that nobody listens. ``unknown``: the name stands for nothing, or is none. ``late``: it
    took too long.
    """

    def __init__(
        self, why: str, code: int = 0, *, refused: bool = False, unknown: bool = False, late: bool = False
    ) -> None:
        super().__init__(code, why)
        self.refused = refused
        self.unknown = unknown
        self.late = late

    def __str__(self) -> str:
        return str(self.strerror)


def look_up(host: str | None, port: int | None = None, family: int = 0, flags: int = 0) -> list[tuple[int, object]]:
    """Family and socket address of all that ``host`` stands for, in the resolver's order. Unreachable.

    May take as long as a name server likes.
    """
    if port is not None:
        demand_port(port)
    with one_failure(str(host)):
        if host is not None:
            demand_name(host)
        found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=flags)
    return [(entry[0], entry[4]) for entry in found]


def addresses(hostname: str) -> tuple[str, ...]:
    """What ``hostname`` stands for now, each address once; none if it is not known, or no name."""
    try:
        found = look_up(hostname)
    except Unreachable:
        return ()
    return tuple(dict.fromkeys(str(where[0]) for _, where in found if isinstance(where, tuple)))


def demand_port(port: int) -> None:
    """Unreachable if no connection can be made to ``port``."""
    if not 0 < port <= PORTS:
        raise Unreachable(f"{port} is no port")


def demand_name(host: str) -> str:
    """``host``. Unreachable if it is empty, which resolvers take for this machine, or can be no name."""
    if not host or "\0" in host:
        raise Unreachable(f"{shown(host)} is no name of a host", unknown=True)
    return host


@contextmanager
def one_failure(host: str) -> Iterator[None]:
    """Whatever goes wrong inside with ``host`` or the network is Unreachable."""
    try:
        yield
    except Unreachable:
        raise
    except (OSError, ValueError, OverflowError) as error:
        raise unreachable(host, [error]) from None
    except ExceptionGroup as group:
        expected, others = group.split((OSError, ValueError, OverflowError))
        if others is not None or expected is None:
            raise
        raise unreachable(host, leaves(expected)) from None


def unreachable(host: str, errors: list[Exception]) -> Unreachable:
    """What ``errors``, one for each address that was tried, come to."""
    reasons = [leaf for error in errors for leaf in causes(error)]
    first = reasons[0]
    if isinstance(first, ValueError | OverflowError):  # UnicodeError among them
        return Unreachable(f"{shown(host)} is no name of a host: {first}", unknown=True)
    assert isinstance(first, OSError)
    return Unreachable(
        first.strerror or str(first) or "it took too long",
        first.errno or 0,
        refused=all(isinstance(reason, ConnectionRefusedError | ConnectionResetError) for reason in reasons),
        unknown=isinstance(first, socket.gaierror),
        late=isinstance(first, TimeoutError),
    )


def causes(error: Exception) -> list[Exception]:
    """trio tells what happened at each address as the cause of its error."""
    cause = error.__cause__
    if isinstance(cause, ExceptionGroup):
        return leaves(cause)
    return [cause if isinstance(cause, OSError) else error]


def leaves(group: ExceptionGroup[Exception]) -> list[Exception]:
    out: list[Exception] = []
    for error in group.exceptions:
        out += leaves(error) if isinstance(error, ExceptionGroup) else [error]
    return out


def shown(host: str) -> str:
    """In quotes, without anything that a log cannot hold."""
    return ascii(host[:100])
