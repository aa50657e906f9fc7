"""MIGRATE: keys move to another server (redis.io, "MIGRATE"; cluster.c of Redis 7.0).

Checks in the order a client sees them: options, timeout and database, whether any of the keys is here, and only then
the target. The keys are dumped as what they are at this moment, large ones in steps; how they travel, and who waits
meanwhile, is told in ``gossamer.node.engine.slots.migrate``. Payloads carry the version that every server from Redis
7.0 on restores.

Redis stops everything until the target has answered. Here others are served meanwhile, but for a MIGRATE within a
transaction, which stops everything too.
"""

from typing import Final

from gossamer.cluster.text import text_of
from gossamer.node.commands.connection import REDACTED
from gossamer.node.commands.numbers import integer
from gossamer.node.engine.clients.client import IN_MULTI
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.serving.migrating import migrate_at_once, start_migrate
from gossamer.node.engine.slots.migrate import MigrateTransfer, Packing
from gossamer.node.engine.table.command import DANGEROUS, KEYSPACE, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, DELETE, RW, KeySpec
from gossamer.node.persist.dump import Dump
from gossamer.node.resp.errors import MIGRATE_EMPTY_KEY, SYNTAX, Refusal
from gossamer.node.resp.reply import NO_REPLY, Reply, Status
from gossamer.node.resp.requests import encoded
from gossamer.node.types.kind import Value

NO_KEY_HERE: Final = Status(b"NOKEY")
DEFAULT_TIMEOUT_MS: Final = 1000
FIRST_OPTION: Final = 6
ONE_KEY: Final = 3
PORTS: Final = 0xFFFF
PAYLOAD: Final = 3
"""Which word of RESTORE it is."""


def keys_at(argv: list[bytes]) -> int:
    """Where the keys behind the word KEYS begin; 0 without that word. Passwords may be that word too."""
    at = FIRST_OPTION
    while at < len(argv):
        word = argv[at].upper()
        if word == b"KEYS":
            return at + 1
        at += 2 if word == b"AUTH" else 3 if word == b"AUTH2" else 1
    return 0


class KeyAlone(KeySpec):
    """The third argument, which is no key if it is empty and others follow behind KEYS."""

    def positions(self, argv: list[bytes]) -> list[int]:
        return [] if keys_at(argv) else [ONE_KEY]


class KeysBehind(KeySpec):
    """What follows KEYS, if the third argument is empty; else the request is wrong, and names no keys."""

    def positions(self, argv: list[bytes]) -> list[int]:
        first = keys_at(argv)
        return list(range(first, len(argv))) if first and not argv[ONE_KEY] else []


MOVED: Final = (RW, ACCESS, DELETE)
KEYS: Final[tuple[KeySpec, ...]] = (
    KeyAlone(MOVED, index=ONE_KEY),
    KeysBehind(MOVED, index=-2, last=-1, keyword=b"KEYS", incomplete=True),
)


@command("MIGRATE", arity=-6, flags=WRITE, keys=KEYS, acl=(KEYSPACE, DANGEROUS))
def migrate(c: Call, argv: list[bytes]) -> Reply:
    words = list(argv)
    hide_passwords(argv)
    options = MigrateOptions(words)
    timeout_ms = integer(argv[5])
    db = integer(argv[4])
    transfer = MigrateTransfer(c.client, c.db, options.copy)
    transfer.host = text_of(argv[1])
    transfer.port = leading_number(argv[2])
    transfer.db = db
    transfer.timeout_s = (timeout_ms if timeout_ms > 0 else DEFAULT_TIMEOUT_MS) / 1000
    if options.login:
        transfer.login = encoded(options.login)
    for key in dict.fromkeys(options.keys):
        value = c.value(key)
        if value is not None:
            pack(c, transfer, key, value, options.replace)
    if not transfer.keys:
        return NO_KEY_HERE
    if c.client.modes & IN_MULTI:
        return migrate_at_once(c, transfer)
    start_migrate(c.server, transfer)
    return NO_REPLY


def hide_passwords(argv: list[bytes]) -> None:
    """Take names and passwords out of the request, also of one that will be refused."""
    at = FIRST_OPTION
    while at < len(argv):
        word = argv[at].upper()
        if word == b"KEYS":
            return
        hidden = 1 if word == b"AUTH" else 2 if word == b"AUTH2" else 0
        for secret in range(at + 1, min(at + 1 + hidden, len(argv))):
            argv[secret] = REDACTED
        at += 1 + hidden


def pack(c: Call, transfer: MigrateTransfer, key: bytes, value: Value, replace: bool) -> None:
    """Add ``key`` to what is carried."""
    at = c.expire_time(key)
    left_ms = 0 if at < 0 else max(1, at - c.now)
    name = b"RESTORE-ASKING" if c.server.clustered else b"RESTORE"
    packing = DumpPacking(
        len(transfer.keys), [name, key, b"%d" % left_ms, b"", *([b"REPLACE"] if replace else [])], value
    )
    transfer.keys.append(key)
    transfer.values.append(value)
    request = packing.step()
    transfer.requests.append(request)
    if not request:
        transfer.packing.append(packing)


class DumpPacking(Packing):
    """``words``: of the request, with room for the payload of ``value``."""

    def __init__(self, index: int, words: list[bytes], value: Value) -> None:
        super().__init__(index)
        self.words: list[bytes] = words
        self.dump: Dump = Dump(value)
        self.pieces: list[bytes] = []

    def step(self) -> bytes:
        self.pieces.append(self.dump.next())
        if not self.dump.done:
            return b""
        self.words[PAYLOAD] = b"".join(self.pieces)
        return encoded(self.words)


class MigrateOptions:
    """The words behind the timeout."""

    def __init__(self, argv: list[bytes]) -> None:
        self.copy: bool = False
        self.replace: bool = False
        self.login: list[bytes] = []
        self.keys: list[bytes] = [argv[ONE_KEY]]
        at = FIRST_OPTION
        while at < len(argv):
            word = argv[at].upper()
            after = len(argv) - at - 1
            if word == b"COPY":
                self.copy = True
            elif word == b"REPLACE":
                self.replace = True
            elif word == b"AUTH" and after >= 1:
                self.login = [b"AUTH", argv[at + 1]]
                at += 1
            elif word == b"AUTH2" and after >= 2:
                self.login = [b"AUTH", argv[at + 1], argv[at + 2]]
                at += 2
            elif word == b"KEYS":
                if argv[ONE_KEY]:
                    raise Refusal(MIGRATE_EMPTY_KEY)
                self.keys = argv[at + 1 :]
                return
            else:
                raise Refusal(SYNTAX)
            at += 1


DIGITS: Final = 16
"""The last so many digits say what a number is modulo 65536; Python reads none of some thousand."""


def leading_number(text: bytes) -> int:
    """A port as C reads it: what follows the number is not looked at, none is 0, it wraps at 65536; -1 if negative."""
    digits = text.strip()
    if digits.startswith(b"-"):
        return -1
    end = 0
    while end < len(digits) and digits[end : end + 1].isdigit():
        end += 1
    return int(digits[:end][-DIGITS:]) & PORTS if end else 0
