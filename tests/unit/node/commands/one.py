"""A node in memory with one client, for tests of single commands."""

from gossamer.node.engine.server import Server
from gossamer.node.machine import Machine


class One:
    """``say`` a command's words and get the bytes of the reply."""

    def __init__(self) -> None:
        self.server = Server()
        self.machine = Machine(self.server)
        self.session = self.machine.accept("127.0.0.1:1", "127.0.0.1:2")
        self.server.begin_batch(1_000_000)

    def say(self, *words: bytes | str | int) -> bytes:
        parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        request = b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
        more = self.session.feed(request)
        while more:
            more = self.session.resume()
        while self.server.long_replies.pending():
            self.machine.work()
            self.machine.drain()
        return self.session.take_output()

    def stored(self, key: bytes) -> object:
        """The value of ``key`` itself, None if there is none."""
        return self.session.call.get_raw(key)
