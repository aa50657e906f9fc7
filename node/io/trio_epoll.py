"""The epoll that trio waits for. trio does not tell it, but Linux tells which descriptors an epoll watches."""

import contextlib
import socket
import sys
from pathlib import Path
from typing import Final

import trio

DESCRIPTORS: Final = Path("/proc/self/fdinfo")
"""What Linux tells of each descriptor of this process: of an epoll, which others it watches."""


async def find_epoll() -> int | None:
    """Its descriptor: that of the epoll which watches what a task waits for. None if it cannot be found."""
    if sys.platform != "linux":
        return None
    watched, other = socket.socketpair()
    with watched, other:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.lowlevel.wait_readable, watched)
            for _ in range(2):  # the task has made its first step at the second of these at the latest
                await trio.lowlevel.checkpoint()
            found = epoll_watching(watched.fileno())
            nursery.cancel_scope.cancel()
    return found


def epoll_watching(fd: int) -> int | None:
    """The descriptor of an epoll of this process that watches ``fd``."""
    try:
        descriptors = list(DESCRIPTORS.iterdir())
    except OSError:
        return None
    for path in descriptors:
        with contextlib.suppress(OSError):  # it is closed already: that of the directory itself
            lines = path.read_bytes().splitlines()
            if any(words[:2] == [b"tfd:", b"%d" % fd] for words in map(bytes.split, lines)):
                return int(path.name)
    return None
