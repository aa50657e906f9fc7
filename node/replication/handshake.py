"""The handshake with a primary: the requests before PSYNC, one at a time, and what a reply to each means."""

from collections import deque
from typing import Final

from gossamer.cluster.text import bytes_of
from gossamer.node.engine.server import Server
from gossamer.node.replication.lines import TRY_LATER, LinkError, refuse_for_now, shown
from gossamer.node.resp.requests import encoded
from gossamer.node.version import VALKEY_COMPATIBLE

NOT_ALLOWED: Final = (b"-NOAUTH", b"-NOPERM", b"-ERR operation not permitted")
"""A primary that answers so lives, and may let AUTH or PSYNC pass all the same."""
NO_CLUSTER: Final = b"-ERR This instance has cluster support disabled"


class Request:
    """``complaint`` is what the log says of an error; without one an error does not matter."""

    def __init__(self, *argv: bytes, complaint: str = "") -> None:
        self.argv: list[bytes] = list(argv)
        self._complaint: str = complaint

    def read(self, line: bytes) -> bool:
        """Take a line of the reply; False if another is to come. Raises LinkError."""
        if not line.startswith((b"+", b"-")):
            raise LinkError(f"the primary does not speak RESP: {shown(line)}", damaged=True)
        if line.startswith(b"-") and self._complaint and not line.startswith(NOT_ALLOWED):
            raise LinkError(f"{self._complaint}: {shown(line)}")
        return True


class MyId(Request):
    """CLUSTER MYID: is it still ``node`` that answers?

    A node that was reset, or has lost its disk, answers at the old address under a new id, and may do so before the
    cluster has noticed. A user that may not ask gets no id: then the cluster's word has to do, as in Redis.
    """

    def __init__(self, node: str) -> None:
        super().__init__(b"CLUSTER", b"MYID")
        self._node: str = node

    def read(self, line: bytes) -> bool:
        if line.startswith(b"$"):
            return False
        other = not line.startswith(b"-") and line != bytes_of(self._node)
        if other or line.startswith(NO_CLUSTER):
            raise LinkError(f"node {self._node} is not there any more, but {shown(line)}: the present data stays")
        if line.startswith(TRY_LATER):
            raise refuse_for_now(line)
        return True


class Handshake:
    """``next`` has to be sent, and ``read`` takes the lines that come back, until there is no next one."""

    def __init__(self, server: Server, node: str) -> None:
        self._requests: deque[Request] = deque(requests_to(server, node))
        self._current: Request = self._requests[0]

    def next(self) -> bytes:
        """The request to send now, empty if all have been answered."""
        if not self._requests:
            return b""
        self._current = self._requests.popleft()
        return encoded(self._current.argv)

    def read(self, line: bytes) -> bool:
        """Take a line of the reply to the last request; False if another is to come. Raises LinkError."""
        return self._current.read(line)


def requests_to(server: Server, node: str) -> list[Request]:
    """All of them, for a primary whose id is ``node``, empty outside of a cluster."""
    config = server.config
    out = [Request(b"PING", complaint="Error reply to PING from master")]
    password, user = bytes_of(config.text("masterauth")), bytes_of(config.text("masteruser"))
    if password:
        words = [b"AUTH", user, password] if user else [b"AUTH", password]
        out.append(Request(*words, complaint="Unable to AUTH to MASTER"))
    if node:
        out.append(MyId(node))
    port = config.integer("replica-announce-port") or config.integer("port")
    out.append(Request(b"REPLCONF", b"listening-port", b"%d" % port))
    ip = bytes_of(config.text("replica-announce-ip"))
    if ip:
        out.append(Request(b"REPLCONF", b"ip-address", ip))
    out.append(Request(b"REPLCONF", b"capa", b"eof", b"capa", b"psync2"))
    out.append(Request(b"REPLCONF", b"version", bytes_of(VALKEY_COMPATIBLE)))
    if server.topology is not None:
        out.append(Request(b"REPLCONF", b"set-cluster-node-id", bytes_of(server.topology.me)))
    return out
