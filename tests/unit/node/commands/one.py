"""A node in memory with one client, for tests of single commands."""

from gossamer.node.engine.server import Server
from gossamer.node.machine import Machine


class One:
    """``say`` a command's words and get the bytes of the reply."""

    def __init__(self) -> None:
        self.server = Server()
        self.session = Machine(self.server).accept("127.0.0.1:1", "127.0.0.1:2")
        self.server.begin_batch(1_000_000)

    def say(self, *words: bytes | str | int) -> bytes:
        parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        request = b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
        self.session.feed(request)
        return self.session.take_output()

    def stored(self, key: bytes) -> object:
        """The value of ``key`` itself, None if there is none."""
        return self.session.call.peek(key)
