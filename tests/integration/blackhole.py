"""Addresses that drop packets: who dials them is neither let in nor refused.

A listening socket whose queue is full drops what would open another connection, as a host does that has gone from the
network. This needs no rights and no firewall.
"""

import contextlib
import socket
import sys
from collections.abc import Iterator

import pytest


@contextlib.contextmanager
def black_hole(host: str = "127.0.0.1", port: int = 0) -> Iterator[tuple[str, int]]:
    """The address, which drops packets until this ends."""
    if sys.platform != "linux":
        pytest.skip("only Linux drops connections to a listener whose queue is full")
    with contextlib.ExitStack() as held:
        listener = held.enter_context(socket.socket())
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(0)
        address: tuple[str, int] = listener.getsockname()
        for _ in range(8):
            filler = held.enter_context(socket.socket())
            filler.settimeout(0.1)
            try:
                filler.connect(address)
            except TimeoutError:
                filler.close()  # it would go on knocking
                break
        else:
            raise AssertionError(f"{address} lets everybody in")
        yield address
