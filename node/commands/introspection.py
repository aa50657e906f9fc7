"""COMMAND and its subcommands: the command table shown to clients (redis.io, COMMAND; shapes as in Redis 7.0.15).

Everything comes from the declarations (``node/engine/table/command.py``) and from the facts in ``node/commands/docs``.
Optional fields are left out where they are empty; sets and maps become arrays in RESP2, which is the writer's affair.
"""

from typing import Final

from gossamer.cluster.text import bytes_of, text_of
from gossamer.node.commands.docs import facts
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import (
    CONNECTION,
    LOADING,
    NO_MANDATORY_KEYS,
    STALE,
    Command,
    command,
    distinct,
    lookup,
)
from gossamer.node.engine.table.keyspec import KeySpec
from gossamer.node.glob import glob_match
from gossamer.node.resp.errors import SYNTAX, Refusal
from gossamer.node.resp.reply import Reply, SetReply, Status, StatusSet

INVALID_COMMAND = b"ERR Invalid command specified"
INVALID_ARGUMENTS = b"ERR Invalid arguments specified for command"
INVALID_COUNT = b"ERR Invalid number of arguments specified for command"
NO_KEY_ARGUMENTS = b"ERR The command has no key arguments"

HELP = """\
COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
(no subcommand)
    Return details about all Redis commands.
COUNT
    Return the total number of commands in this Redis server.
LIST
    Return a list of all commands in this Redis server.
INFO [<command-name> ...]
    Return details about multiple Redis commands.
    If no command names are given, documentation details for all
    commands are returned.
DOCS [<command-name> ...]
    Return documentation details about multiple Redis commands.
    If no command names are given, documentation details for all
    commands are returned.
GETKEYS <full-command>
    Return the keys from a full Redis command.
GETKEYSANDFLAGS <full-command>
    Return the keys and the access flags from a full Redis command.
HELP
    Print this help.
"""


@command("COMMAND", arity=-1, flags=LOADING | STALE, acl=CONNECTION)
def command_(c: Call, argv: list[bytes]) -> Reply:
    return [described(cmd) for cmd in distinct(c.server.table)]


@command("COMMAND|COUNT", arity=2, flags=LOADING | STALE, acl=CONNECTION)
def command_count(c: Call, _: bytes) -> Reply:
    return len(distinct(c.server.table))


@command("COMMAND|INFO", arity=-2, flags=LOADING | STALE, acl=CONNECTION)
def command_info(c: Call, argv: list[bytes]) -> Reply:
    if len(argv) == 2:
        return [described(cmd) for cmd in distinct(c.server.table)]
    out: list[Reply] = []
    for name in argv[2:]:
        cmd = named(c.server.table, name)
        out.append(None if cmd is None else described(cmd))
    return out


@command("COMMAND|DOCS", arity=-2, flags=LOADING | STALE, acl=CONNECTION)
def command_docs(c: Call, argv: list[bytes]) -> Reply:
    if len(argv) == 2:
        return {cmd.name: documented(cmd) for cmd in distinct(c.server.table)}
    out: dict[str, Reply] = {}
    for name in argv[2:]:
        cmd = named(c.server.table, name)
        if cmd is not None:
            out[cmd.name] = documented(cmd)
    return out


@command("COMMAND|LIST", arity=-2, flags=LOADING | STALE, acl=CONNECTION)
def command_list(c: Call, argv: list[bytes]) -> Reply:
    if len(argv) == 2:
        return [cmd.name for cmd in everything(c.server.table)]
    if len(argv) != 5 or argv[2].lower() != b"filterby":
        raise Refusal(SYNTAX)
    kind = argv[3].lower()
    if kind == b"module":
        return []
    if kind == b"aclcat":
        category = text_of(argv[4].lower())
        return [cmd.name for cmd in everything(c.server.table) if category in cmd.categories()]
    if kind == b"pattern":
        return [cmd.name for cmd in everything(c.server.table) if glob_match(argv[4], bytes_of(cmd.name), True)]
    raise Refusal(SYNTAX)


@command("COMMAND|GETKEYS", arity=-3, flags=LOADING | STALE, acl=CONNECTION)
def command_getkeys(c: Call, argv: list[bytes]) -> Reply:
    return [key for key, _ in keys_and_access(c.server.table, argv[2:])]


@command("COMMAND|GETKEYSANDFLAGS", arity=-3, flags=LOADING | STALE, acl=CONNECTION)
def command_getkeysandflags(c: Call, argv: list[bytes]) -> Reply:
    return [[key, StatusSet(list(access))] for key, access in keys_and_access(c.server.table, argv[2:])]


@command("COMMAND|HELP", arity=2, flags=LOADING | STALE, acl=CONNECTION)
def command_help(c: Call, _: bytes) -> Reply:
    return [Status(bytes_of(line)) for line in HELP.splitlines()]


# --- finding commands and keys


def named(table: dict[bytes, Command], name: bytes) -> Command | None:
    """The command ``get`` or subcommand ``config|get`` in any case."""
    parts = name.lower().split(b"|")
    cmd = table.get(parts[0])
    if cmd is None or len(parts) == 1:
        return cmd
    return cmd.subcommands.get(parts[1]) if len(parts) == 2 else None


def everything(table: dict[bytes, Command]) -> list[Command]:
    """All commands, each followed by its subcommands."""
    out: list[Command] = []
    for cmd in distinct(table):
        out.append(cmd)
        out += distinct(cmd.subcommands)
    return out


def keys_and_access(table: dict[bytes, Command], argv: list[bytes]) -> list[tuple[bytes, tuple[str, ...]]]:
    """The keys of the request ``argv`` with the access flags of each. The order of the checks is the server's."""
    cmd = lookup(table, argv)
    if cmd is None or (cmd.subcommands and len(argv) > 1):
        raise Refusal(INVALID_COMMAND)
    specs = [spec for spec in cmd.keys if not spec.not_key]
    if not specs:
        raise Refusal(NO_KEY_ARGUMENTS)
    if (cmd.arity > 0 and cmd.arity != len(argv)) or len(argv) < -cmd.arity:
        raise Refusal(INVALID_COUNT)
    out: list[tuple[bytes, tuple[str, ...]]] = []
    try:
        for spec in specs:
            access = spec.access(argv)
            out += [(argv[at], access) for at in spec.positions(argv)]
    except Refusal:
        out = []
    if not out and not cmd.flags & NO_MANDATORY_KEYS:
        raise Refusal(INVALID_ARGUMENTS)
    return out


# --- COMMAND INFO


def described(cmd: Command) -> Reply:
    """The ten elements of COMMAND INFO. Subcommands are an array, but none of them an empty set, as in Redis 7.0."""
    subcommands: list[Reply] = [described(sub) for sub in distinct(cmd.subcommands)]
    return [
        cmd.name,
        cmd.arity,
        StatusSet(cmd.flag_names()),
        cmd.first_key,
        cmd.last_key,
        cmd.key_step,
        StatusSet([f"@{category}" for category in cmd.categories()]),
        SetReply(facts(cmd.name).tips),
        SetReply([described_spec(spec) for spec in cmd.keys]),
        subcommands or SetReply([]),
    ]


def described_spec(spec: KeySpec) -> Reply:
    out: dict[str, Reply] = {"notes": spec.note} if spec.note else {}
    out["flags"] = StatusSet(spec.shown_flags())
    if spec.unknown:
        out["begin_search"] = {"type": "unknown", "spec": {}}
        out["find_keys"] = {"type": "unknown", "spec": {}}
        return out
    if spec.keyword is None:
        out["begin_search"] = {"type": "index", "spec": {"index": spec.index}}
    else:
        out["begin_search"] = {"type": "keyword", "spec": {"keyword": spec.keyword, "startfrom": spec.index}}
    if spec.count_at >= 0:
        counted = {"keynumidx": spec.count_at, "firstkey": spec.first_at, "keystep": spec.step}
        out["find_keys"] = {"type": "keynum", "spec": counted}
    else:
        span = {"lastkey": spec.last, "keystep": spec.step, "limit": spec.limit}
        out["find_keys"] = {"type": "range", "spec": span}
    return out


# --- COMMAND DOCS


def documented(cmd: Command) -> Reply:
    known = facts(cmd.name)
    out: dict[str, Reply] = {"summary": known.summary, "since": known.since, "group": known.group}
    if known.complexity:
        out["complexity"] = known.complexity
    if known.doc_flags:
        out["doc_flags"] = StatusSet(known.doc_flags)
    if known.deprecated_since:
        out["deprecated_since"] = known.deprecated_since
    if known.replaced_by:
        out["replaced_by"] = known.replaced_by
    if known.history:
        out["history"] = SetReply(known.history)
    if known.arguments:
        out["arguments"] = [documented_argument(argument) for argument in known.arguments]
    if cmd.subcommands:
        out["subcommands"] = {sub.name: documented(sub) for sub in distinct(cmd.subcommands)}
    return out


# fmt: off
ARGUMENT_FIELDS: Final = (
    "name", "type", "key_spec_index", "token", "since", "deprecated_since", "flags", "arguments",
)
# fmt: on
ARGUMENT_FLAGS: Final = ("optional", "multiple", "multiple_token")
"""In the order in which Redis tells them."""


def documented_argument(argument: object) -> Reply:
    """An argument's map, with its flags as a set of simple strings and its own arguments likewise.

    From 7.2 on clients show an argument by ``display_text``.
    """
    assert isinstance(argument, dict)
    assert set(argument) <= set(ARGUMENT_FIELDS)
    out: dict[str, Reply] = {}
    for field in ARGUMENT_FIELDS:
        value = argument.get(field)
        if value is None:
            continue
        if field == "flags":
            out[field] = StatusSet([flag for flag in ARGUMENT_FLAGS if flag in value])
        elif field == "arguments":
            out[field] = [documented_argument(inner) for inner in value]
        else:
            out[field] = value
        if field == "type" and value not in ("oneof", "block"):
            out["display_text"] = argument["name"]
    return out
