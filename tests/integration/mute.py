"""Primaries that fall silent: they let a replica in, say so much, and then neither say more nor leave."""

import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

LIMIT_S: Final = 20.0
FULL_RESYNC: Final = b"+FULLRESYNC " + b"a" * 40 + b" 0\r\n"
HALF_A_SNAPSHOT: Final = b"$100000\r\nREDIS0010"


class MutePrimary:
    """At ``address``. ``stage``: how far it goes, one of STAGES."""

    def __init__(self, listener: socket.socket, stage: str) -> None:
        self.address: tuple[str, int] = listener.getsockname()
        self.silent = threading.Event()
        """It has said all that it ever says."""
        self.left = threading.Event()
        """The replica has closed the connection."""
        self._stage = stage
        threading.Thread(target=self._serve, args=(listener,), daemon=True).start()

    def _serve(self, listener: socket.socket) -> None:
        listener.settimeout(LIMIT_S)
        with contextlib.suppress(OSError):
            replica, _ = listener.accept()
            with replica, replica.makefile("rb") as said:
                replica.settimeout(LIMIT_S)
                for answer in self._answers(said):
                    replica.sendall(answer)
                self.silent.set()
                with contextlib.suppress(ConnectionResetError):  # so it leaves if it has not read all that was said
                    while said.read1(4096):
                        pass
            self.left.set()

    def _answers(self, said: BinaryIO) -> Iterator[bytes]:
        """To what the replica says, one after the other, as far as it goes."""
        if self._stage == ACCEPTS:
            return
        while True:
            words = request(said)
            if words[0] == b"PSYNC":
                break
            yield b"+PONG\r\n" if words[0] == b"PING" else b"+OK\r\n"
        if self._stage == HALF_WAY:
            yield FULL_RESYNC
            yield HALF_A_SNAPSHOT


ACCEPTS: Final = "accepts"
SHAKES_HANDS: Final = "shakes hands"
HALF_WAY: Final = "half a snapshot"
STAGES: Final = (ACCEPTS, SHAKES_HANDS, HALF_WAY)


def request(said: BinaryIO) -> Sequence[bytes]:
    words = []
    for _ in range(int(said.readline()[1:])):
        size = int(said.readline()[1:])
        words.append(said.read(size + 2)[:-2].upper())
    return words


@contextlib.contextmanager
def mute_primary(stage: str) -> Iterator[MutePrimary]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield MutePrimary(listener, stage)
