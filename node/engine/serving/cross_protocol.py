"""A browser whose page sends it to our port: the lines of its HTTP request would be read as inline commands.

``POST`` and ``Host:`` are therefore no unknown commands but the end of the connection, before what follows them is
served (Redis since 3.2.7: processCommand, "Possible SECURITY ATTACK detected").
"""

from typing import Final

from gossamer.node.engine.clients.client import Client
from gossamer.node.engine.server import Server

TELLTALE: Final = (b"post", b"host:")
LOG_EVERY_S: Final = 60
"""The attacker chooses how often this happens, so it is not logged each time."""


def is_browser(name: bytes) -> bool:
    """Compared as a C string, whose end is a NUL."""
    return name.partition(b"\0")[0].lower() in TELLTALE


def hang_up(server: Server, client: Client) -> None:
    """End the connection; replies that still wait are not sent."""
    if server.clients.browser_logged_s + LOG_EVERY_S <= server.now_s:
        server.clients.browser_logged_s = server.now_s
        server.edge.log(
            "warning",
            "Possible SECURITY ATTACK detected. POST or Host: came as a command, as from a browser that a web page "
            f"sends here (cross protocol scripting). Connection from {client.addr} aborted.",
        )
    client.kill()
