"""MIGRATE within a transaction: the whole node waits until the target has answered.

That is what Redis does for every MIGRATE, and what EXEC promises: nothing of anybody else happens in between. Each step
(connecting, a piece written, a piece of the answers read) is bounded by the timeout of the request. A node that sends
keys to this node itself waits in vain for that long, as with Redis. Each transfer has a connection of its own.
"""

import socket
from typing import BinaryIO, Final

from gossamer.node.engine.slots.migrate import MigrateFailed, MigrateProtocol, MigrateTransfer
from gossamer.node.io.address import Unreachable
from gossamer.node.io.dial import dial_blocking
from gossamer.node.resp.errors import CANNOT_CONNECT, CANNOT_READ, CANNOT_WRITE

PIECE: Final = 64 * 1024


def deliver(transfer: MigrateTransfer) -> None:
    """Carry ``transfer``; the outcome is in it."""
    transfer.pack_all()
    try:
        try:
            travel(transfer)
        except MigrateFailed as failed:
            if not transfer.may_repeat(failed):
                raise
            travel(transfer)
    except MigrateFailed as failed:
        transfer.failure = failed.text


def travel(transfer: MigrateTransfer) -> None:
    """Bring over all that the target takes. MigrateFailed."""
    with connect(transfer) as sock, sock.makefile("rb") as answers:
        protocol = MigrateProtocol(transfer, 0)
        while said := protocol.say():
            write(sock, said)
            while protocol.awaited:
                protocol.answered(read_line(answers))


def connect(transfer: MigrateTransfer) -> socket.socket:
    try:
        return dial_blocking(transfer.host, transfer.port, timeout_s=transfer.timeout_s)
    except Unreachable as error:
        raise not_connected(transfer, error) from None


def not_connected(transfer: MigrateTransfer, error: Unreachable) -> MigrateFailed:
    """In the words that Redis has for it: that nobody is there it finds out when it writes."""
    known = transfer.port >= 0 and not error.unknown and not error.late
    return MigrateFailed(CANNOT_WRITE if known else CANNOT_CONNECT, error.late)


def write(sock: socket.socket, data: bytes) -> None:
    view = memoryview(data)
    try:
        while view:
            view = view[sock.send(view[:PIECE]) :]
    except OSError as error:
        raise MigrateFailed(CANNOT_WRITE, isinstance(error, TimeoutError)) from None


def read_line(answers: BinaryIO) -> bytes:
    """Without its end."""
    try:
        line = answers.readline()
    except OSError as error:
        raise MigrateFailed(CANNOT_READ, isinstance(error, TimeoutError)) from None
    if not line.endswith(b"\r\n"):
        raise MigrateFailed(CANNOT_READ, timeout=False)
    return line[:-2]
