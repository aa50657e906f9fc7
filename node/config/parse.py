"""Start-up texts to a Config: redis.conf, standard input and command line options, in this order, the last word wins.

Syntax as redis-server 7.0: one directive a line, ``#`` comments, quoted words, case-insensitive names, ``include``.
Files are read by the caller: ``Reader`` is the only way out.
"""

import posixpath
from collections.abc import Callable, Sequence
from typing import Final

from attrs import frozen

from gossamer.node.config.config import Config
from gossamer.node.config.directives import BY_NAME, FILE_ONLY, FORGOTTEN
from gossamer.node.config.errors import COMMAND_LINE, BadValue, ConfigError, Line
from gossamer.node.config.promises import refused_line
from gossamer.node.config.words import quote, split

BAD_DIRECTIVE: Final = "Bad directive or wrong number of arguments"
MAX_INCLUDE_DEPTH: Final = 32

Reader = Callable[[str], list[tuple[str, str]]]
"""Path → (path, text). A path with ``* ? [`` is a pattern: every match in order, none is fine. Raises OSError."""


@frozen
class Options:
    """``redis-server``'s command line: a file, whether standard input follows, and the options as redis.conf text."""

    file: str | None
    stdin: bool
    text: str


def read_options(argv: Sequence[str]) -> Options:
    """Split the arguments that follow the program's name, as Redis 7.0.15 does.

    An option's name is the next word that starts with ``--`` once the previous option has a value, so that
    ``--requirepass --x`` sets the password ``--x``; only ``--save`` may be left without one, which means ``--save ""``.
    """
    first = 1 if argv and not argv[0].startswith("-") else 0
    file = argv[0] if first else None
    stdin = False
    has_value = True
    lines: list[str] = []
    last = len(argv) - 1
    for at in range(first, len(argv)):
        word = argv[at]
        if word == "-" and at in (0, last):
            stdin = True
        elif has_value and word.startswith("--"):
            lines.append(word[2:] + " ")
            has_value = len(split(word) or ()) != 1
            if word.lower() == "--save" and (at == last or argv[at + 1].startswith("--")):
                lines[-1] += '""'
                has_value = True
        else:
            if not lines:
                lines.append("")
            lines[-1] += quote(word) + " "
            has_value = True
    return Options(file, stdin, "\n".join(lines))


def load_all(config: Config, options: Options, read: Reader, stdin_text: str = "") -> None:
    """Everything a command line asks for, into ``config``; raises ConfigError with the message to print."""
    if options.file is not None:
        _include(config, options.file, read, 0)
    load_text(config, stdin_text, "-", read)
    load_text(config, options.text, COMMAND_LINE, read)
    if config.flag("cluster-enabled") and config.primary() is not None:
        raise ConfigError("replicaof directive not allowed in cluster mode")


def load_text(config: Config, text: str, source: str, read: Reader, depth: int = 0) -> None:
    """The directives of one text, into ``config``; ``source`` is its name in errors."""
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip(" \t\r\n")
        if not line or line.startswith("#"):
            continue
        words = split(line)
        if words is None:
            raise ConfigError("Unbalanced quotes in configuration line", Line(source, number, line, ()))
        if words:
            _load_line(config, Line(source, number, line, tuple(words)), read, depth)


def _load_line(config: Config, line: Line, read: Reader, depth: int) -> None:
    name = line.words[0].lower()
    args = line.words[1:]
    if name in BY_NAME:
        try:
            config.load(name, args)
        except BadValue as error:
            raise ConfigError(error.reason, line) from None
        config.keep_place(line)
    elif name == "include" and len(args) == 1:
        if depth == MAX_INCLUDE_DEPTH:
            raise ConfigError("Too many nested includes", line)
        _include(config, posixpath.join(config.text("dir"), args[0]), read, depth + 1, line)
    elif name in FILE_ONLY and FILE_ONLY[name][0] <= len(args) <= FILE_ONLY[name][1]:
        reason = refused_line(name, args)
        if reason is not None:
            raise ConfigError(reason, line)
        config.keep_line(line)
    elif name in FORGOTTEN and len(args) == 1:
        return
    elif "." in name:
        # Modules own dotted names, and no module can be loaded here, so nothing would ever ask for the value.
        raise ConfigError("Module config specified without value" if not args else BAD_DIRECTIVE, line)
    elif name == "sentinel" and args:
        raise ConfigError("sentinel directive while not in sentinel mode", line)
    else:
        raise ConfigError(BAD_DIRECTIVE, line)


def _include(config: Config, path: str, read: Reader, depth: int, line: Line | None = None) -> None:
    try:
        files = read(path)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ConfigError(f"Fatal error, can't open config file '{path}': {reason}", line) from None
    for name, text in files:
        load_text(config, text, name, read, depth)
