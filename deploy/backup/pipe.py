"""One connection with many commands under way: while a batch of replies is awaited, the next batch is there already.

Replies to RESTORE are short, so neither end can be stuck because the other does not read.
"""

from collections import deque
from typing import Final

from gossamer.deploy.backup.entry import Entry
from gossamer.deploy.blocking_client import Answer, BlockingClient, Refused, encode
from gossamer.deploy.cluster.survey import DIAL_S, Access
from gossamer.deploy.user_error import UserError

BATCH: Final = 256
BATCH_BYTES: Final = 1 << 20
ANSWER_S: Final = 60.0
"""A large value takes its time."""

ASKING: Final = encode(["ASKING"])


class Pipe:
    """To the node at ``host`` and ``port``. OSError out of any method: the connection is of no use any more, and
    ``abandon`` tells what it leaves behind."""

    def __init__(self, host: str, port: int, access: Access) -> None:
        self.host = host
        self.port = port
        self.address = f"{host}:{port}"
        try:
            self.client = BlockingClient(host, port, DIAL_S, access.password, access.user)
        except Refused as error:
            raise UserError(f"{self.address} does not accept this user and password: {error}") from None
        self.client.patience(ANSWER_S)
        self._db = 0
        self._commands: list[bytes] = []
        self._size = 0
        self._batch: list[Entry | None] = []
        """What ``_commands`` are about; None for those that prepare the next one."""
        self._under_way: deque[list[Entry | None]] = deque()

    def put(self, entry: Entry, asking: bool) -> None:
        """To be sent soon. ``asking``: for a slot that the node is importing."""
        if entry.db != self._db:
            self._db = entry.db
            self._add(None, encode(["SELECT", entry.db]))
        if asking:
            self._add(None, ASKING)
        self._add(entry, entry.command)

    def _add(self, entry: Entry | None, command: bytes) -> None:
        self._batch.append(entry)
        self._commands.append(command)
        self._size += len(command)

    @property
    def full(self) -> bool:
        """Is it time for ``send``?"""
        return len(self._batch) >= BATCH or self._size >= BATCH_BYTES

    @property
    def empty(self) -> bool:
        """Is nothing under way, nor about to be?"""
        return not self._batch and not self._under_way

    def send(self) -> None:
        """What is there, if anything is."""
        if self._batch:
            self._under_way.append(self._batch)
            commands = b"".join(self._commands)
            self._batch, self._commands, self._size = [], [], 0
            self.client.send(commands)

    @property
    def awaited(self) -> int:
        """Batches whose replies have not been received."""
        return len(self._under_way)

    def receive(self) -> list[tuple[Entry, Answer]]:
        """The replies to the first batch. It stays under way until all of them are there."""
        answers = [(entry, self.client.receive()) for entry in self._under_way[0]]
        self._under_way.popleft()
        for entry, answer in answers:
            if entry is None and isinstance(answer, Refused):
                raise UserError(f"{self.address}: {answer}")
        return [(entry, answer) for entry, answer in answers if entry is not None]

    def abandon(self) -> list[Entry]:
        """Close the connection; what has got no reply."""
        self.client.close()
        sent = [entry for batch in self._under_way for entry in batch if entry is not None]
        for entry in sent:
            entry.maybe_there = True
        waiting = [entry for entry in self._batch if entry is not None]
        self._batch, self._commands = [], []
        self._under_way.clear()
        return sent + waiting
