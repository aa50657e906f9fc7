"""MONITOR: every request that ran, told to those who listen (monitor.c is Redis' replicationFeedMonitors)."""

from gossamer.cluster.text import bytes_of
from gossamer.node.engine.clients.client import MONITORING, Client
from gossamer.node.engine.edge import Edge
from gossamer.node.engine.state import MONITORED, NodeState


class Monitors:
    """Keeps the condition ``MONITORED``."""

    def __init__(self, node: NodeState, edge: Edge) -> None:
        self.node: NodeState = node
        self.edge: Edge = edge
        self.clients: list[Client] = []

    def add(self, client: Client) -> None:
        """Tell ``client`` every request from now on."""
        client.modes |= MONITORING
        self.clients.append(client)
        self.node.conditions |= MONITORED

    def remove(self, client: Client) -> None:
        """``client`` is told no more; it may be one that never was."""
        if client not in self.clients:
            return
        client.modes &= ~MONITORING
        self.clients.remove(client)
        if not self.clients:
            self.node.conditions &= ~MONITORED

    def feed(self, client: Client, argv: list[bytes]) -> None:
        """Send ``+<seconds.microseconds> [<db> <address>] "GET" "key"`` to every monitoring client."""
        now = self.edge.unix_microseconds()
        origin = "unix:" + client.addr.rpartition(":")[0] if client.unix else client.addr
        head = b"+%d.%06d [%d %s] " % (now // 1_000_000, now % 1_000_000, client.db.index, bytes_of(origin))
        line = head + b" ".join([quoted(arg) for arg in argv]) + b"\r\n"
        for monitor in self.clients:
            monitor.send(line)


def quoted(text: bytes) -> bytes:
    """``text`` in double quotes, as sdscatrepr writes it: printable ASCII as it is, the rest escaped."""
    out = bytearray(b'"')
    for ch in text:
        if ch == 0x5C or ch == 0x22:
            out += b"\\%c" % ch
        elif ch in ESCAPED:
            out += ESCAPED[ch]
        elif 32 <= ch < 127:
            out.append(ch)
        else:
            out += b"\\x%02x" % ch
    out += b'"'
    return bytes(out)


ESCAPED = {0x0A: b"\\n", 0x0D: b"\\r", 0x09: b"\\t", 0x07: b"\\a", 0x08: b"\\b"}
