"""Clients wait while the values that their requests need are read, and all others are served.

Which values a request needs its keys tell, before it runs. Commands that only ask about a key, or replace what it
holds, need none. What a request turns out to need beside these (SORT's patterns) is read while it runs, and so is what
has left the memory again before a request that has waited could run: nobody waits twice.
"""

from collections.abc import Callable
from typing import Final

from gossamer.node.engine.clients.client import Client
from gossamer.node.engine.clients.waiting import SPILLED, Wait, Waiting
from gossamer.node.engine.data.database import Database
from gossamer.node.engine.data.spilled import Unreadable
from gossamer.node.engine.table.command import Command, QueuedCommand
from gossamer.node.engine.table.keyspec import OW, RM
from gossamer.node.resp.errors import Refusal
from gossamer.node.store.spilled import NOWHERE, Spilled
from gossamer.node.vm.vault import Vault

LOOK_AWAY: Final = frozenset(
    {
        "copy", "dump", "exists", "expire", "expireat", "expiretime", "memory|usage", "move", "msetnx",
        "object|encoding", "object|freq", "object|idletime", "object|refcount", "persist", "pexpire", "pexpireat",
        "pexpiretime", "pttl", "rename", "renamenx", "touch", "ttl", "type", "watch",
    }
)  # fmt: skip
"""Commands that do not look into values."""


class SpillWait(Wait):
    """For ``left`` values that are being read."""

    def __init__(self, client: Client) -> None:
        super().__init__(client, SPILLED)
        self.left: int = 0


class Fetch:
    """One value that is being read, for all who wait for it."""

    def __init__(self, stub: Spilled) -> None:
        self.stub: Spilled = stub
        self.wanted: list[tuple[Database, bytes]] = []
        """Where it stands: COPY gives two keys one stub."""
        self.waits: list[SpillWait] = []
        self.payload: bytes = b""
        """What was read; empty if that has failed."""


class Fetches:
    """``on_work`` is called when something was read."""

    def __init__(self, vault: Vault, waiting: Waiting, on_work: Callable[[], None]) -> None:
        self.vault: Vault = vault
        self.waiting: Waiting = waiting
        self.on_work: Callable[[], None] = on_work
        self.under_way: dict[int, Fetch] = {}
        """By place."""
        self.read: list[Fetch] = []
        self.done: int = 0
        """How many values have come back so."""

    def begin(self, client: Client, commands: list[QueuedCommand], now: int) -> bool:
        """Does ``client`` wait for values that the ``commands`` of its request need?"""
        again = self.waiting.retried
        if again is not None and again.client is client and again.reason is SPILLED:
            return False
        db = client.db
        wait: SpillWait | None = None
        for key in dict.fromkeys([key for cmd, argv in commands for key in needed(cmd, argv)]):
            value = db.get(db.part_of(key), key)
            if not isinstance(value, Spilled) or value.place == NOWHERE or db.is_expired(key, now):
                continue
            if wait is None:
                wait = SpillWait(client)
                self.waiting.begin(wait)
            self._fetch(value, db, key, wait)
        return wait is not None

    def _fetch(self, stub: Spilled, db: Database, key: bytes, wait: SpillWait) -> None:
        wait.left += 1
        fetch = self.under_way.get(stub.place)
        if fetch is not None:
            fetch.waits.append(wait)
            fetch.wanted.append((db, key))
            return
        fetch = self.under_way[stub.place] = Fetch(stub)
        fetch.waits.append(wait)
        fetch.wanted.append((db, key))
        self.vault.store.read_soon(stub.place, self._teller(fetch))

    def _teller(self, fetch: Fetch) -> Callable[[bytes, str], None]:
        def tell(payload: bytes, reason: str) -> None:
            fetch.payload = payload
            self.read.append(fetch)
            self.on_work()

        return tell

    def settle(self) -> None:
        """What was read comes back into memory, and the requests that have waited for it run. If it could not be read,
        they meet that anew, and tell their clients."""
        while self.read:
            fetch = self.read.pop()
            del self.under_way[fetch.stub.place]
            if fetch.payload:
                self._bring_back(fetch)
            for wait in fetch.waits:
                wait.left -= 1
                if not wait.left and not wait.finished:
                    self.waiting.retry(wait)

    def _bring_back(self, fetch: Fetch) -> None:
        for db, key in fetch.wanted:
            part = db.part_of(key)
            if db.get(part, key) is not fetch.stub:
                continue
            try:
                value = self.vault.value(fetch.payload)
            except Unreadable:
                return
            db.use(part, key)
            db.exchange(part, key, fetch.stub, value)
            self.done += 1


def needed(cmd: Command, argv: list[bytes]) -> list[bytes]:
    """The keys of whose values the request makes use."""
    if not cmd.keys or cmd.name in LOOK_AWAY:
        return []
    found: list[bytes] = []
    try:
        for spec in cmd.keys:
            access = spec.access(argv)
            if OW not in access and RM not in access:
                found += [argv[at] for at in spec.positions(argv)]
    except Refusal:
        return []  # the request itself will be told
    return found
