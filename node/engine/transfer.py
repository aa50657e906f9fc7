"""Keys on their way to another node, what MIGRATE begins: who carries them, who waits meanwhile, and how it ends.

While a key is under way it stays readable here, and every request that could change it waits (``Server.leaving``). When
the outcome is there the keys that the target has taken are deleted, in one change for the replicas; then those who
waited are tried again, and find the key gone. So a key is at one end or the other for every write that is
acknowledged. COPY deletes nothing, so nobody waits for it. A pause of writes holds back the deletions too.

The key is deleted only if it still has the value that was sent: another primary's data may have replaced it.
"""

from typing import TYPE_CHECKING, Final

from mypy_extensions import mypyc_attr

from node.engine.client import Client
from node.engine.keyspace import Database, Value
from node.resp.errors import CANNOT_CONNECT, TARGET_REFUSED, UNBLOCKED
from node.resp.reply import OK, Failure, Reply

if TYPE_CHECKING:
    from node.engine.server import Server

PENDING: Final = b""


class Transfer:
    """One MIGRATE: where to, what, and in the end what came of it.

    ``requests[i]`` restores ``keys[i]``, whose value here is ``values[i]``. ``login`` is an AUTH request or empty.
    """

    def __init__(self, client: Client, source: Database, copy: bool) -> None:
        self.client: Client = client
        self.source: Database = source
        self.copy: bool = copy
        self.host: str = ""
        self.port: int = 0
        self.db: int = 0
        self.timeout_s: float = 1.0
        """For each single step: connecting, a piece written, a piece of the answers read."""
        self.login: bytes = b""
        self.keys: list[bytes] = []
        self.values: list[Value] = []
        self.requests: list[bytes] = []
        # the outcome
        self.accepted: list[bool] = []
        """By key, as far as the target has answered."""
        self.refusal: bytes = PENDING
        """The first error of the target, without the ``-``."""
        self.failure: bytes = PENDING
        """Why the connection failed: an error reply."""

    def answered(self, line: bytes) -> None:
        """The target's answer for the next key: ``+OK`` or an error, without the line's end."""
        if line.startswith(b"-"):
            self.accepted.append(False)
            self.refused(line[1:])
        else:
            self.accepted.append(True)

    def refused(self, error: bytes) -> None:
        self.refusal = self.refusal or error

    def reply(self) -> Reply:
        if self.refusal:
            return Failure(TARGET_REFUSED + self.refusal)
        return Failure(self.failure) if self.failure else OK


@mypyc_attr(allow_interpreted_subclasses=True)
class Courier:
    """Carries transfers. This one only keeps them, for whoever looks into ``under_way``."""

    def __init__(self) -> None:
        self.under_way: list[Transfer] = []

    def carry(self, transfer: Transfer) -> None:
        """Begin; with the outcome in it the transfer goes to ``Server.landed``, in a later batch."""
        self.under_way.append(transfer)


def depart(server: "Server", transfer: Transfer) -> None:
    """Hand ``transfer`` over; its client is answered when it has landed, and its keys stay as they are until then."""
    transfer.client.held = True
    if not transfer.copy:
        server.hold_keys(transfer.keys)
    server.courier.carry(transfer)


def settle(server: "Server", transfer: Transfer) -> None:
    """``transfer`` has landed: delete what is elsewhere now, and answer."""
    client = transfer.client
    reply = transfer.reply()
    if not transfer.copy:
        server.free_keys(transfer.keys)
        if server.follows():
            reply = Failure(UNBLOCKED)
        else:
            delete_accepted(server, transfer)
    if reply is not OK:
        assert isinstance(reply, Failure)
        server.stats.count_error(reply.text)
    client.held = False
    if not client.killed:
        client.reply(reply)


def delete_accepted(server: "Server", transfer: Transfer) -> None:
    db = transfer.source
    gone: list[bytes] = []
    for index, accepted in enumerate(transfer.accepted):
        key = transfer.keys[index]
        part = db.part_of(key)
        if not accepted or db.values[part].get(key) is not transfer.values[index]:
            continue
        db.remove(part, key)
        if db.watchers:
            server.touch_key(db, key)
        gone.append(key)
    if not gone:
        return
    server.dirty += len(gone)
    if server.feed is not None:
        server.feed.gone(db, gone)
        transfer.client.wrote_to = server.feed.offset
        server.acks.departed(gone)


def lost(transfer: Transfer) -> None:
    """There is nobody to carry it."""
    transfer.failure = CANNOT_CONNECT
