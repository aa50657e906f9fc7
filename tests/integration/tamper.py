"""A primary that cannot be relied on: between a replica and a real primary, whose full syncs it damages, for a while.

    with Tamper(primary, [cut(1000), flip(-60)]) as tamper:
        replica.ask("REPLICAOF", "127.0.0.1", tamper.port)

The first connection gets the first damage, and so on; those after the last go through as they are, but wait while
``sound`` is not set. A damage is a function from the primary's whole reply to PSYNC (``+FULLRESYNC`` to the end of the
snapshot) to what is sent instead.
"""

import contextlib
import re
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from tests.integration.clusters import wait_until
from tests.integration.nodes import Node

Damage: TypeAlias = Callable[[bytes], bytes]

READ_BYTES: Final = 1 << 16
START: Final = re.compile(rb"\$(?:EOF:(?P<mark>[0-9a-f]{40})|(?P<length>[0-9]+))\r\n")


def cut(at: int) -> Damage:
    """Only the first ``at`` bytes, or without the last ``-at``."""
    return lambda reply: reply[:at]


def flip(at: int) -> Damage:
    """One byte is another."""

    def flipped(reply: bytes) -> bytes:
        place = at % len(reply)
        return reply[:place] + bytes([reply[place] ^ 0x55]) + reply[place + 1 :]

    return flipped


def instead(text: bytes) -> Damage:
    return lambda reply: text


def longer(reply: bytes) -> bytes:
    """A length that is one too many, and a byte to fill it."""
    return START.sub(lambda found: b"$%d\r\n" % (int(found["length"]) + 1), reply, count=1) + b"\0"


class Tamper:
    """Listens on ``port`` of 127.0.0.1 while its block lasts. ``dialled``: when each connection came (monotonic)."""

    def __init__(self, primary: Node, damages: Sequence[Damage]) -> None:
        self.dialled: list[float] = []
        self.sound = threading.Event()
        self.sound.set()
        self._primary = primary
        self._damages = list(damages)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._over = False

    def __enter__(self) -> "Tamper":
        self._run(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self.sound.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in list(self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join()
        for sock in self._open:
            sock.close()

    def wait_dialled(self, count: int) -> None:
        wait_until(lambda: len(self.dialled) >= count, f"the replica connects {count} times")

    def _run(self, what: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=what, args=args)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while not self._over:
                replica, _ = self._listener.accept()
                self.dialled.append(time.monotonic())
                if len(self.dialled) > len(self._damages):
                    self.sound.wait()
                primary = socket.create_connection(self._primary.address)
                self._open += [replica, primary]
                turn = len(self.dialled) - 1
                damage = self._damages[turn] if turn < len(self._damages) else None
                self._run(carry, replica, primary)
                self._run(spoil if damage else carry, primary, replica, *([damage] if damage else []))


def carry(source: socket.socket, target: socket.socket) -> None:
    """All that comes, as it comes; then both ends are over."""
    with contextlib.suppress(OSError):
        while data := source.recv(READ_BYTES):
            target.sendall(data)
    end(source, target)


def spoil(source: socket.socket, target: socket.socket, damage: Damage) -> None:
    """The handshake goes through; what follows PSYNC is damaged, and then the connection ends."""
    with contextlib.suppress(OSError):
        reply = b""
        while data := source.recv(READ_BYTES):
            before, start, after = (reply + data).partition(b"+FULLRESYNC")
            reply = start + after
            if not start:
                target.sendall(before)
            elif is_whole(reply):
                target.sendall(before + damage(reply))
                break
            elif before:
                target.sendall(before)
    end(source, target)


def is_whole(reply: bytes) -> bool:
    found = START.search(reply)
    if found is None:
        return False
    if found["mark"] is not None:
        return reply.endswith(found["mark"]) and len(reply) > found.end() + len(found["mark"])
    return len(reply) >= found.end() + int(found["length"])


def end(*socks: socket.socket) -> None:
    for sock in socks:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
