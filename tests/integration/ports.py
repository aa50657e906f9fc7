"""Ports that nobody else will take: below Linux' ephemeral range, and reserved among all test processes.

A reservation is a locked file, so it ends with the process that made it, however that ends. A node's bus port lies
10000 above its client port; both are looked at. The real servers of ``tests/compat`` have the ports from 21000 on for
themselves.
"""

import contextlib
import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path
from typing import Final

PORTS: Final = range(10000, 11000)
BUS_OFFSET: Final = 10000


class Reservation:
    """``port`` and ``bus_port`` are ours until ``release``."""

    def __init__(self, port: int, lock: int) -> None:
        self.port = port
        self.bus_port = port + BUS_OFFSET
        self._lock = lock

    def release(self) -> None:
        os.close(self._lock)


def reserve() -> Reservation:
    folder = Path(tempfile.gettempdir()) / f"gossamer-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    for port in random.SystemRandom().sample(PORTS, len(PORTS)):
        lock = os.open(folder / str(port), os.O_RDWR | os.O_CREAT, 0o600)
        with contextlib.suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _try(port)
            _try(port + BUS_OFFSET)
            return Reservation(port, lock)
        os.close(lock)
    raise RuntimeError(f"all ports of {PORTS} are taken")


def _try(port: int) -> None:
    """OSError if somebody listens there."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
