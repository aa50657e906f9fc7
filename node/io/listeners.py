"""Where clients come in: what ``bind``, ``port`` and ``unixsocket`` name, and what CONFIG SET makes of it.

Opened before anything else is begun, so that a port in use is found while nothing has changed on disk; connections wait
in the kernel until ``let_in``.
"""

import contextlib
import os
import socket
from typing import Final

from gossamer.node.config import Config, ConfigError
from gossamer.node.io.clients import Clients
from gossamer.node.io.listen import ListenError, listen_tcp, listen_unix
from gossamer.node.io.log import Log

NOWHERE: Final = "Configured to not listen anywhere, exiting."


class Listeners:
    """Open from construction to ``close``. Raises ListenError with the last line for the log, ConfigError if it is a
    line of the configuration that names what cannot be."""

    def __init__(self, config: Config, log: Log) -> None:
        self._config = config
        self._log = log
        self._clients: Clients | None = None
        self._tcp: list[socket.socket] = []
        self._unix: socket.socket | None = None
        self._unix_path = ""
        self._open()

    def let_in(self, clients: Clients) -> None:
        """Let ``clients`` accept, and follow CONFIG SET from now on."""
        self._clients = clients
        for sock in self._tcp:
            clients.listen(sock)
        if self._unix is not None:
            clients.listen(self._unix)
        self._config.on_change(("port",), self._move_port)
        self._config.on_change(("bind",), self._move_address)

    def has_tcp(self) -> bool:
        return bool(self._tcp)

    def close(self) -> None:
        for sock in self._tcp:
            sock.close()
        if self._unix is not None:
            self._unix.close()

    def remove_unix_socket(self) -> None:
        if self._unix_path:
            self._log.write("notice", "Removing the unix socket file.")
            with contextlib.suppress(OSError):
                os.unlink(self._unix_path)

    def _open(self) -> None:
        config = self._config
        port, path = config.integer("port"), config.text("unixsocket")
        try:
            self._open_tcp()
        except ListenError as error:
            self._log.write("warning", f"Warning: {error}")
            if error.no_address:
                self._blame("bind", str(error))
            raise ListenError(f"Failed listening on port {port} (TCP), aborting.", str(error)) from None
        if path:
            try:
                self._unix = listen_unix(path, config.integer("unixsocketperm"), config.integer("tcp-backlog"))
            except ListenError as error:
                self._blame("unixsocket", str(error))
                raise
            self._unix_path = os.path.abspath(path)
        if not self._tcp and not path:
            self._blame("bind" if port else "port", NOWHERE)
            raise ListenError(NOWHERE)

    def _blame(self, name: str, reason: str) -> None:
        """ConfigError if a line of the configuration has set the directive."""
        line = self._config.line_of(name)
        if line is not None:
            raise ConfigError(reason, line) from None

    def _open_tcp(self) -> None:
        config = self._config
        self._tcp, warnings = listen_tcp(config.words("bind"), config.integer("port"), config.integer("tcp-backlog"))
        for warning in warnings:
            self._log.write("warning", f"Warning: {warning}")

    def _move(self) -> bool:
        """Close first: the old sockets may stand in the way. If it fails, Config asks again with the old values."""
        assert self._clients is not None
        for sock in self._tcp:
            self._clients.unlisten(sock)
        self._tcp = []
        try:
            self._open_tcp()
        except ListenError as error:
            self._log.write("warning", f"Warning: {error}")
            return False
        for sock in self._tcp:
            self._clients.listen(sock)
        return True

    def _move_port(self) -> str | None:
        return None if self._move() else "Unable to listen on this port. Check server logs."

    def _move_address(self) -> str | None:
        return None if self._move() else "Failed to bind to specified addresses."
