"""CONFIG: reading and changing the configuration of the running node (redis.io, "CONFIG ..."). See ``node/config``."""

from typing import Final

from gossamer.cluster.text import bytes_of, text_of
from gossamer.node.commands.connection import REDACTED
from gossamer.node.config import ConfigSetError
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.serving.gates import is_local
from gossamer.node.engine.state import LOADING as STILL_LOADING
from gossamer.node.engine.table.command import ADMIN, LOADING, NOSCRIPT, STALE, command
from gossamer.node.resp.errors import LOADING_DATA, NO_CONFIG_FILE, SYNTAX, Refusal, one_line
from gossamer.node.resp.reply import OK, Reply, Status

OPERATOR: Final = ADMIN | NOSCRIPT | LOADING | STALE


@command("CONFIG", arity=-2)
def config(c: Call, argv: list[bytes]) -> Reply:
    raise AssertionError("dispatch answers a container itself")


@command("CONFIG|GET", arity=-3, flags=OPERATOR)
def config_get(c: Call, argv: list[bytes]) -> Reply:
    found = c.server.config.get([text_of(word) for word in argv[2:]])
    return {bytes_of(name): bytes_of(value) for name, value in found.items()}


@command("CONFIG|SET", arity=-4, flags=OPERATOR)
def config_set(c: Call, argv: list[bytes]) -> Reply:
    settings = c.server.config
    pairs: list[tuple[str, str]] = []
    for at in range(2, len(argv) - 1, 2):
        name = text_of(argv[at])
        pairs.append((name, text_of(argv[at + 1])))
        if settings.is_sensitive(name):
            argv[at + 1] = REDACTED
    if len(argv) % 2:
        argv[-1] = REDACTED  # a password of two words, perhaps
        raise Refusal(SYNTAX)
    if c.server.conditions & STILL_LOADING and any(settings.is_denied_while_loading(name) for name, _ in pairs):
        raise Refusal(LOADING_DATA)
    try:
        settings.set(pairs, local=is_local(c.client))
    except ConfigSetError as error:
        raise Refusal(one_line(b"ERR " + bytes_of(error.text))) from None
    harmless = settings.ineffective_untold()
    if harmless:
        c.server.edge.log("warning", f"Taken by CONFIG SET, but without effect here: {', '.join(harmless)}")
    return OK


@command("CONFIG|RESETSTAT", arity=2, flags=OPERATOR)
def config_resetstat(c: Call, _: bytes) -> Reply:
    c.server.stats.reset()
    c.server.usages.reset()
    return OK


@command("CONFIG|REWRITE", arity=2, flags=OPERATOR)
def config_rewrite(c: Call, _: bytes) -> Reply:
    edge = c.server.edge
    try:
        text = edge.read_config_file()
        if text is None:
            raise Refusal(NO_CONFIG_FILE)
        edge.write_config_file(c.server.config.rewrite(text))
    except OSError as error:
        edge.log("warning", f"CONFIG REWRITE failed: {error.strerror}")
        raise Refusal(one_line(b"ERR Rewriting config file: " + bytes_of(error.strerror or ""))) from None
    edge.log("notice", "CONFIG REWRITE executed with success.")
    return OK


HELP = """\
CONFIG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
GET <pattern>
    The directives that match <pattern>, with their values.
SET <directive> <value>
    Change <directive>; several pairs are changed together or not at all.
RESETSTAT
    Start the counters of INFO again.
REWRITE
    Write what is in force into the configuration file.
HELP
    Print this help."""


@command("CONFIG|HELP", arity=2, flags=LOADING | STALE)
def config_help(c: Call, _: bytes) -> Reply:
    return [Status(bytes_of(line)) for line in HELP.splitlines()]
