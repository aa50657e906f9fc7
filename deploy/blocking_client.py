"""A plain blocking client of one node: what forming and watching a cluster need, and no more.

It speaks RESP2 over a socket of its own: a cluster is formed and watched from outside, as any other client would.
"""

import socket
from collections.abc import Sequence
from typing import TypeAlias

from gossamer.cluster.text import bytes_of, text_of
from gossamer.node.io.dial import dial_blocking

Word: TypeAlias = str | int | bytes
Answer: TypeAlias = "bytes | int | list[Answer] | Refused | None"


class Refused(Exception):
    """An error reply."""


class BlockingClient:
    """One connection. Every method raises OSError when the node cannot be reached in ``timeout_s``. A ``user`` without
    a ``password`` means nothing."""

    def __init__(self, host: str, port: int, timeout_s: float, password: str = "", user: str = "") -> None:
        self.address = f"{host}:{port}"
        self._socket = dial_blocking(host, port, timeout_s=timeout_s)
        self._file = self._socket.makefile("rb")
        if password:
            try:
                self.ask("AUTH", *([user] if user else []), password)
            except BaseException:
                self.close()
                raise

    def ask(self, *words: Word) -> Answer:
        """The reply to one command; an error reply is raised as Refused."""
        answer = self.ask_all([words])[0]
        if isinstance(answer, Refused):
            raise answer
        return answer

    def ask_all(self, commands: Sequence[Sequence[Word]]) -> list[Answer]:
        """The replies to commands sent at once; error replies are among them as Refused."""
        self.send(b"".join(encode(words) for words in commands))
        return [self.receive() for _ in commands]

    def send(self, commands: bytes) -> None:
        """Commands as ``encode`` makes them; their replies are to be received later, each of them."""
        self._socket.sendall(commands)

    def text(self, *words: Word) -> str:
        """The reply to a command that answers with a string."""
        return as_text(self.ask(*words))

    def patience(self, timeout_s: float) -> None:
        """How long to wait for a reply from now on."""
        self._socket.settimeout(timeout_s)

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def detach(self) -> socket.socket:
        """The connection, for who goes on with another protocol when all replies have been received."""
        self._file.close()
        return self._socket

    def receive(self) -> Answer:
        """The reply to the first command that has none yet."""
        line = self._file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("connection closed")
        kind, rest = line[:1], line[1:-2]
        match kind:
            case b"+":
                return rest
            case b"-":
                return Refused(text_of(rest))
            case b":":
                return int(rest)
            case b"$":
                return None if rest == b"-1" else self._file.read(int(rest) + 2)[:-2]
            case b"*":
                return None if rest == b"-1" else [self.receive() for _ in range(int(rest))]
        raise ConnectionError(f"not a Redis server: it answered {line[:40]!r}")


def encode(words: Sequence[Word]) -> bytes:
    """A command as clients send it."""
    out = [b"*%d\r\n" % len(words)]
    for word in words:
        data = word if isinstance(word, bytes) else bytes_of(str(word))
        out.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(out)


def as_text(answer: Answer) -> str:
    if not isinstance(answer, bytes):
        raise ConnectionError(f"a string was expected, not {answer!r}")
    return text_of(answer)


def fields(report: str) -> dict[str, str]:
    """``name:value`` lines, as INFO and CLUSTER INFO have them."""
    return dict(line.split(":", 1) for line in report.splitlines() if ":" in line)
