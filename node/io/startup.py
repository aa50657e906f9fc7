"""From a command line to a process that is ready to become a node: configuration read, limits raised.

Order as redis-server: the configuration is read where the process was started, then ``dir`` is entered, so that
relative paths of files (log, pid, sockets, nodes.conf) mean that directory. A configuration that cannot be obeyed is a
ConfigError.
"""

import glob
import os
import resource
import sys
from collections.abc import Sequence
from typing import Final

from attrs import frozen

from gossamer.node.config import Config, ConfigError, load_all, read_options
from gossamer.node.engine.server import named_commands
from gossamer.node.io import title
from gossamer.node.io.keys import NO_KEYS, Keys, configured_keys
from gossamer.node.io.log import Log, can_append

RESERVED_FILES: Final = 32
"""Descriptors that a node needs besides its clients' (CONFIG_MIN_RESERVED_FDS in Redis)."""

DEFAULT_PIDFILE: Final = "/var/run/redis.pid"
"""Of a node in the background that names none, as with redis-server."""


@frozen
class Start:
    """``config_file`` is absolute, empty if there is none. ``keys``: of the files that hold data."""

    config: Config
    config_file: str
    keys: Keys = NO_KEYS


def configure(argv: Sequence[str]) -> Start:
    """Read the configuration that ``argv`` asks for and enter its directory. Raises ConfigError."""
    options = read_options(argv)
    config = Config()
    load_all(config, options, read_files, sys.stdin.read() if options.stdin else "")
    config_file = os.path.abspath(options.file) if options.file else ""
    named_commands(config)  # complains now, while there is a terminal
    directory = config.text("dir")
    if directory:
        try:
            os.chdir(directory)
        except OSError as error:
            raise ConfigError(f"Can't chdir to '{directory}': {error.strerror}", config.line_of("dir")) from None
    config.load("dir", [os.getcwd()])
    reason = can_append(config.text("logfile"))
    if reason is not None:
        raise ConfigError(f"Can't open the log file: {reason}", config.line_of("logfile"))
    reason = title.fault(config, config_file)
    if reason is not None:
        raise ConfigError(f"proc-title-template: {reason}", config.line_of("proc-title-template"))
    return Start(config, config_file, configured_keys(config))


def read_files(path: str) -> list[tuple[str, str]]:
    """The file, or every file that matches the pattern: name and text of each."""
    paths = sorted(glob.glob(path)) if any(special in path for special in "*?[") else [path]
    found = []
    for name in paths:
        with open(name, encoding="utf-8", errors="surrogateescape", newline="") as file:
            found.append((name, file.read()))
    return found


def go_to_background() -> None:
    """``daemonize yes``: the parent ends here, the child goes on without a terminal. Before any thread has started."""
    sys.stdout.flush()
    if os.fork():
        os._exit(0)
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for fd in range(3):
        os.dup2(nowhere, fd)
    if nowhere > 2:
        os.close(nowhere)


def grant_files(needed: int) -> tuple[int, str]:
    """Raise the limit of open files to ``needed`` if it is lower; how many there may be now, and why not more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return needed, ""
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, max(needed, hard)))
        return needed, ""
    except OSError as error:
        reason = error.strerror or str(error)
    except ValueError as error:  # how Python says EPERM here
        reason = str(error)
    if hard > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return max(soft, hard), reason


def raise_open_files(config: Config, log: Log) -> None:
    """See to descriptors for ``maxclients``; where the system does not grant so many, ``maxclients`` is what fits."""
    wanted = config.integer("maxclients")
    needed = wanted + RESERVED_FILES
    granted, reason = grant_files(needed)
    if granted >= needed:
        return
    fit = granted - RESERVED_FILES
    if fit < 1:
        raise ConfigError(
            f"Your current 'ulimit -n' of {granted} is not enough for the server to start. Please increase your open "
            f"file limit to at least {needed}. Exiting."
        )
    config.load("maxclients", [str(fit)])
    log.write("warning", f"You requested maxclients of {wanted} requiring at least {needed} max file descriptors.")
    log.write("warning", f"Server can't set maximum open files to {needed} because of OS error: {reason}.")
    log.write(
        "warning",
        f"Current maximum open files is {granted}. maxclients has been reduced to {fit} to compensate for low ulimit. "
        "If you need higher maxclients increase 'ulimit -n'.",
    )


def enough_files(config: Config) -> str | None:
    """CONFIG SET maxclients: the reason why it cannot be so many, or None."""
    granted, _ = grant_files(config.integer("maxclients") + RESERVED_FILES)
    fit = granted - RESERVED_FILES
    if fit >= config.integer("maxclients"):
        return None
    return f"The operating system is not able to handle the specified number of clients, try with {fit}"


class PidFile:
    """Written when the node is up, removed when it ends. Failing to write it is no reason not to serve."""

    def __init__(self, path: str, log: Log) -> None:
        self._path = path
        self._log = log

    def write(self) -> None:
        if not self._path:
            return
        # The name must hold although CONFIG SET dir may take us elsewhere.
        self._path = os.path.abspath(self._path)
        try:
            with open(self._path, "w") as file:
                file.write(f"{os.getpid()}\n")
        except OSError as error:
            self._log.write("warning", f"Failed to write PID file: {error.strerror}")
            self._path = ""

    def remove(self) -> None:
        if not self._path:
            return
        self._log.write("notice", "Removing the pid file.")
        try:
            os.unlink(self._path)
        except OSError as error:
            self._log.write("warning", f"Cannot remove the pid file: {error.strerror}")


def pid_file(config: Config, log: Log) -> PidFile:
    path = config.text("pidfile")
    return PidFile(path or (DEFAULT_PIDFILE if config.flag("daemonize") else ""), log)
