"""MONITOR: every request that ran, told to those who listen (monitor.c is Redis' replicationFeedMonitors)."""

from gossamer.cluster.text import bytes_of
from gossamer.node.engine.server import Server
from gossamer.node.engine.serving.client import Client


def feed_monitors(server: Server, client: Client, argv: list[bytes]) -> None:
    """Send ``+<seconds.microseconds> [<db> <address>] "GET" "key"`` to every monitoring client."""
    now = server.edge.unix_microseconds()
    origin = "unix:" + client.addr.rpartition(":")[0] if client.unix else client.addr
    head = b"+%d.%06d [%d %s] " % (now // 1_000_000, now % 1_000_000, client.db.index, bytes_of(origin))
    line = head + b" ".join([quoted(arg) for arg in argv]) + b"\r\n"
    for monitor in server.monitors:
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
