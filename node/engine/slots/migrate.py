"""Keys on their way to another node, what MIGRATE begins: what is carried, what is said to the target, and who does it.

What becomes of the keys here, and of those who wait for them, is decided in ``serving/migrating.py``.
"""

from typing import Final

from mypy_extensions import mypyc_attr

from gossamer.node.engine.clients.client import Client
from gossamer.node.engine.data.database import Database
from gossamer.node.resp.errors import CANNOT_CONNECT, TARGET_REFUSED
from gossamer.node.resp.reply import OK, Failure, Reply
from gossamer.node.types.kind import Value

PENDING: Final = b""
UNKNOWN: Final = -1


@mypyc_attr(allow_interpreted_subclasses=True)
class Packing:
    """The request that restores a large value, for ``requests[index]``, made in steps."""

    def __init__(self, index: int) -> None:
        self.index: int = index

    def step(self) -> bytes:
        """Go on for about a millisecond; the request when it is whole, else empty."""
        raise NotImplementedError


class MigrateTransfer:
    """One MIGRATE: where to, what, and in the end what came of it.

    ``requests[i]`` restores ``keys[i]``, whose value here is ``values[i]``, once it is packed. ``login`` is an AUTH
    request or empty.
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
        self.packing: list[Packing] = []
        """Requests that are still being made: the transport takes their steps (``pack``) before it sends anything."""
        # the outcome
        self.accepted: list[bool] = []
        """By key, as far as the target has answered."""
        self.refusal: bytes = PENDING
        """The first error of the target, without the ``-``."""
        self.failure: bytes = PENDING
        """Why the connection failed: an error reply."""

    def pack(self) -> None:
        """Go on with the first request that is being made, for about a millisecond."""
        request = self.packing[0].step()
        if request:
            self.requests[self.packing.pop(0).index] = request

    def pack_all(self) -> None:
        while self.packing:
            self.pack()

    def answered(self, line: bytes) -> None:
        """The target's answer for the next key: ``+OK`` or an error, without the line's end."""
        if line.startswith(b"-"):
            self.accepted.append(False)
            self.refused(line[1:])
        else:
            self.accepted.append(True)

    def refused(self, error: bytes) -> None:
        self.refusal = self.refusal or error

    def may_repeat(self, failed: "MigrateFailed") -> bool:
        """Another connection may do better: nothing was answered on this one, and not for want of time (as Redis)."""
        return not (failed.timeout or self.accepted or self.refusal)

    def reply(self) -> Reply:
        if self.refusal:
            return Failure(TARGET_REFUSED + self.refusal)
        return Failure(self.failure) if self.failure else OK


class MigrateFailed(Exception):
    """The connection is of no more use; ``text`` is the error for the client."""

    def __init__(self, text: bytes, timeout: bool) -> None:
        super().__init__(text)
        self.text: bytes = text
        self.timeout: bool = timeout


class MigrateProtocol:
    """What is said to the target on a connection where database ``db`` is selected, and what it answers.

    AUTH and SELECT are waited for before anything else is said, so that nothing lands in the wrong database.
    """

    def __init__(self, transfer: MigrateTransfer, db: int) -> None:
        self.transfer: MigrateTransfer = transfer
        self.db: int = db
        """What is selected now; ``UNKNOWN`` if the target has refused something."""
        self.awaited: int = 0
        """Answers that have to come before ``say`` is called again."""
        self._greeted: bool = False
        self._asked: bool = False

    def say(self) -> bytes:
        """What to send next; empty when all has been said."""
        transfer = self.transfer
        if not self._greeted:
            self._greeted = True
            greeting = [transfer.login] if transfer.login else []
            if self.db != transfer.db:
                greeting.append(b"*2\r\n$6\r\nSELECT\r\n$%d\r\n%d\r\n" % (len(str(transfer.db)), transfer.db))
            if greeting:
                self.awaited = len(greeting)
                return b"".join(greeting)
        if self._asked or transfer.refusal:
            return b""
        assert not transfer.packing
        self._asked = True
        self.db = transfer.db
        self.awaited = len(transfer.requests)
        return b"".join(transfer.requests)

    def answered(self, line: bytes) -> None:
        """The target has answered this, without the line's end."""
        self.awaited -= 1
        if self._asked:
            self.transfer.answered(line)
        elif line.startswith(b"-"):
            self.transfer.refused(line[1:])
        if self.transfer.refusal:
            self.db = UNKNOWN  # who knows what was refused


@mypyc_attr(allow_interpreted_subclasses=True)
class MigrateTransport:
    """Carries transfers. This one only keeps them, for whoever looks into ``under_way``."""

    def __init__(self) -> None:
        self.under_way: list[MigrateTransfer] = []
        self.finished: list[MigrateTransfer] = []
        """Their outcome is there; the machine settles them when the batch is done."""

    def carry(self, transfer: MigrateTransfer) -> None:
        """Begin; with the outcome in it the transfer goes to ``finished``, in a later batch."""
        self.under_way.append(transfer)

    def deliver(self, transfer: MigrateTransfer) -> None:
        """Carry it while the whole node stands still: the outcome is there when this returns."""
        lost(transfer)

    def left(self, client: Client) -> None:
        """``client`` has gone: what it wanted carried is not wanted any more, unless it is on its way."""

    def give_up(self) -> None:
        """This node is a replica now, and none of its keys its own: nothing is to be carried any more."""


def lost(transfer: MigrateTransfer) -> None:
    """There is nobody to carry it."""
    transfer.failure = CANNOT_CONNECT
