"""A command's record: what dispatch, the arity check, key extraction, ACL categories and COMMAND INFO are read from.

A handler is declared with ``@command`` above it; the record goes into ``DECLARED`` and the handler stays a plain
function. All servers of a process share these records and none changes them: names are the server's (``table.py``),
and so is what it counts (``usage.py``).
A handler of fixed arity takes its arguments one by one, ``handler(c, key, value)``; one of variable arity takes the
whole request, ``handler(c, argv)``, the command's name in ``argv[0]``. A subcommand is declared as ``"CONFIG|GET"``.
Categories that follow from flags are derived here and nowhere else. What COMMAND DOCS tells is data beside the commands
(``node/commands/docs``): no request needs it.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from gossamer.cluster.text import bytes_of
from gossamer.node.engine.table.keyspec import NO_KEYS, KeySpec
from gossamer.node.resp.reply import Reply

WRITE: Final = 1 << 0
READONLY: Final = 1 << 1
DENYOOM: Final = 1 << 2
ADMIN: Final = 1 << 3
PUBSUB: Final = 1 << 4
NOSCRIPT: Final = 1 << 5
BLOCKING: Final = 1 << 6
LOADING: Final = 1 << 7
STALE: Final = 1 << 8
SKIP_MONITOR: Final = 1 << 9
SKIP_SLOWLOG: Final = 1 << 10
ASKING: Final = 1 << 11
FAST: Final = 1 << 12
NO_AUTH: Final = 1 << 13
MAY_REPLICATE: Final = 1 << 14
"""Writes at times, though it is no write by its flags: PFCOUNT; not shown to clients."""
ALLOW_BUSY: Final = 1 << 15
NO_ASYNC_LOADING: Final = 1 << 16
NO_MULTI: Final = 1 << 17
MOVABLE_KEYS: Final = 1 << 18
PROTECTED: Final = 1 << 19
"""Runs only if ``enable-debug-command`` or its like says so; not shown to clients."""
UNQUEUED: Final = 1 << 20
"""Runs at once inside MULTI: EXEC, DISCARD, WATCH and their like; not shown to clients."""

NO_MANDATORY_KEYS: Final = 1 << 21
"""Takes keys, but a request without any is whole: EVAL."""

FLAG_NAMES: Final[dict[int, str]] = {
    WRITE: "write",
    READONLY: "readonly",
    DENYOOM: "denyoom",
    ADMIN: "admin",
    PUBSUB: "pubsub",
    NOSCRIPT: "noscript",
    BLOCKING: "blocking",
    LOADING: "loading",
    STALE: "stale",
    SKIP_MONITOR: "skip_monitor",
    SKIP_SLOWLOG: "skip_slowlog",
    ASKING: "asking",
    FAST: "fast",
    NO_AUTH: "no_auth",
    NO_MANDATORY_KEYS: "no_mandatory_keys",
    NO_ASYNC_LOADING: "no_async_loading",
    NO_MULTI: "no_multi",
    MOVABLE_KEYS: "movablekeys",
    ALLOW_BUSY: "allow_busy",
}
"""The flags that clients see, in the order in which COMMAND INFO of Redis 7.0 names them."""

# fmt: off
CATEGORIES: Final = (
    "keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap", "hyperloglog", "geo",
    "stream", "pubsub", "admin", "fast", "slow", "blocking", "dangerous", "connection", "transaction", "scripting",
)
# fmt: on
"""The ACL categories, in the order in which COMMAND INFO and ACL CAT of Redis 7.0 name them."""

KEYSPACE: Final = "keyspace"
STRING: Final = "string"
SET: Final = "set"
BITMAP: Final = "bitmap"
LIST: Final = "list"
SORTED_SET: Final = "sortedset"
HYPERLOGLOG: Final = "hyperloglog"
GEO: Final = "geo"
STREAM: Final = "stream"
HASH: Final = "hash"
CONNECTION: Final = "connection"
TRANSACTION: Final = "transaction"
DANGEROUS: Final = "dangerous"
SCRIPTING: Final = "scripting"
SLOW: Final = "slow"

Handler = Callable[..., Reply]
"""Takes a ``Call``, which this floor does not know, and as many arguments as its arity says; ``declare`` sees to that.
"""
H = TypeVar("H", bound=Handler)


class Command:
    """One command or subcommand: ``get``, ``config|get``. ``number``: counted from 0 in the order of declaration."""

    def __init__(
        self,
        name: str,
        handler: Handler,
        arity: int,
        flags: int,
        keys: tuple[KeySpec, ...],
        acl: tuple[str, ...],
        number: int,
    ) -> None:
        self.number: int = number
        self.name: str = name
        self.handler: Handler = handler
        self.arity: int = arity
        self.flags: int = flags | MOVABLE_KEYS if movable(keys) else flags
        self.keys: tuple[KeySpec, ...] = keys
        self.acl: tuple[str, ...] = acl
        self.subcommands: dict[bytes, Command] = {}
        first, last, step = legacy_range(keys)
        self.first_key: int = first
        self.last_key: int = last
        self.key_step: int = step
        self.simple_keys: bool = not keys or (len(keys) == 1 and keys[0].plain)
        """True if ``first_key, last_key, key_step`` tell all keys."""
        self.reads: bool = bool(flags & READONLY)
        self.guarded: bool = bool(flags & (PROTECTED | UNQUEUED))
        """Dispatch has to look at it whatever the state of the client and the node."""
        self.runs_queue: bool = name == "exec"
        """It stands for what is queued: the gates ask about that."""

    def keys_of(self, argv: list[bytes]) -> list[bytes]:
        """The keys that ``argv`` names, in order of appearance; may raise Refusal if they cannot be told."""
        out: list[bytes] = []
        for spec in self.keys:
            out += [argv[at] for at in spec.positions(argv)]
        return out

    def flag_names(self) -> list[str]:
        """The flags a client sees, in the server's order."""
        return [name for flag, name in FLAG_NAMES.items() if self.flags & flag]

    def categories(self) -> list[str]:
        """ACL categories without the ``@``, in the server's order: those declared and those that follow from flags."""
        flags = self.flags
        held = set(self.acl)
        for flag, category in ((WRITE, "write"), (ADMIN, "admin"), (ADMIN, DANGEROUS), (PUBSUB, "pubsub")):
            if flags & flag:
                held.add(category)
        if flags & READONLY and SCRIPTING not in held:
            held.add("read")
        if flags & BLOCKING:
            held.add("blocking")
        held.add("fast" if flags & FAST else SLOW)
        return [category for category in CATEGORIES if category in held]


def legacy_range(keys: tuple[KeySpec, ...]) -> tuple[int, int, int]:
    """First key, last key, step as COMMAND INFO tells them; zeros if no spec gives them.

    A single plain spec tells them itself; of several, the plain ones of step 1 that follow each other are joined.
    """
    if len(keys) == 1 and keys[0].plain:
        return keys[0].index, keys[0].end(), keys[0].step
    first, last = 0, 0
    for spec in keys:
        if spec.plain and follows(spec, last):
            first = first or spec.index
            last = spec.end()
    return first, last, 1 if first else 0


def movable(keys: tuple[KeySpec, ...]) -> bool:
    """True if ``legacy_range`` does not tell all keys: a client must ask COMMAND GETKEYS."""
    if any(spec.incomplete or not spec.plain for spec in keys):
        return True
    last = 0
    for spec in keys if len(keys) > 1 else ():
        if not follows(spec, last):
            return True
        last = spec.end()
    return False


def follows(spec: KeySpec, last: int) -> bool:
    """Does ``spec`` continue, key by key, a range that ended at ``last`` (0: none so far)?"""
    return spec.step == 1 and last in (0, spec.index - 1)


QueuedCommand = tuple[Command, list[bytes]]
"""What a request stands for: itself, or each request that is queued for EXEC."""

DECLARED: Final[dict[bytes, Command]] = {}
"""Every command by its name in lower and upper case; importing ``gossamer.node.commands`` fills it, nothing else."""

NUMBERED: Final[list[Command]] = []
"""The same and all subcommands, each once, by their numbers."""


def distinct(table: dict[bytes, Command]) -> list[Command]:
    """Each command of a table or of a container's ``subcommands`` once, in the order of declaration."""
    return [cmd for word, cmd in table.items() if word == word.lower()]


def command(
    name: str,
    *,
    arity: int,
    flags: int = 0,
    keys: tuple[KeySpec, ...] = NO_KEYS,
    acl: tuple[str, ...] | str = (),
) -> Callable[[H], H]:
    """Declare the function below as the handler of ``name``. The parent of a subcommand must be declared before."""
    categories = (acl,) if isinstance(acl, str) else acl

    def declare(handler: H) -> H:
        number = len(NUMBERED)
        record = Command(name.lower(), handler, arity, flags, keys, categories, number)
        NUMBERED.append(record)
        parent, _, sub = name.lower().partition("|")
        home = DECLARED[bytes_of(parent)].subcommands if sub else DECLARED
        word = bytes_of(sub or parent)
        assert word not in home, f"{name} is declared twice"
        home[word] = record
        home[word.upper()] = record
        return handler

    return declare


def lookup(table: dict[bytes, Command], argv: list[bytes]) -> Command | None:
    """The command or subcommand of ``table`` that ``argv`` calls; the container itself if there is no such subcommand.

    The table has names in lower and in upper case; other spellings are folded here.
    """
    found = table.get(argv[0])
    if found is None:
        found = table.get(argv[0].lower())
        if found is None:
            return None
    if found.subcommands and len(argv) > 1:
        return found.subcommands.get(argv[1].lower(), found)
    return found
