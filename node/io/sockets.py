"""What the sockets of clients are read and written with: ``native.c`` beside compiled modules, else Python's own.

``read(fd, size)`` and ``write(fd, data)`` are those of ``os``; ``data`` must be bytes. ``wait`` is None or
``wait(epoll_fd, most, wait_s)``: what is ready within ``wait_s`` seconds, at most ``most`` (up to 256), as
``Poller.ready`` tells it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from gossamer.node.io.readiness import Ready

if TYPE_CHECKING:
    from os import read, write

    wait: Callable[[int, int, float], Ready] | None
else:
    try:
        from gossamer.node.io.native import read, wait, write
    except ImportError:  # no compiler, no Linux, or GOSSAMER_PURE=1
        from os import read, write

        wait = None

__all__ = ["read", "wait", "write"]
