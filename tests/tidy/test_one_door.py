"""Connections are made in one place: there names, source addresses, time limits and TLS are seen to, once for all.

So it is with names that are looked up and with addresses that are listened on: bad ones are an ordinary failure there.
"""

import ast
from collections.abc import Iterator
from typing import Final

import pytest

from tests.tidy.floors import lines_outside, modules

DOOR = "gossamer.node.io.dial"
DIALLERS = ("open_tcp_stream", "open_ssl_over_tcp_stream", "open_unix_socket", "create_connection", "connect_ex")


def dials(tree: ast.AST) -> Iterator[int]:
    """Lines that call one of ``DIALLERS``, by whatever name it was imported from, or ``connect`` of anything."""
    for item in ast.walk(tree):
        if isinstance(item, ast.ImportFrom) and any(alias.name in DIALLERS for alias in item.names):
            yield item.lineno
        elif isinstance(item, ast.Call):
            function = item.func
            name = function.attr if isinstance(function, ast.Attribute) else ""
            if name in DIALLERS or name == "connect":
                yield item.lineno


LOOKUPS: Final = ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr", "getfqdn")
LISTENERS: Final = ("create_server", "open_tcp_listeners", "serve_tcp", "start_server", "bind")
ALLOWED: Final[dict[str, str]] = {
    "gossamer.node.io.address": "the one lookup that blocks, which takes any text for a name",
    "gossamer.node.io.lookup": "what trio asks for the names that it dials",
    "gossamer.node.io.listen": "whatever a node listens on",
    "gossamer.deploy.ports": "tries whether a port is free",
    "gossamer.deploy.servers": "tries whether a port is free",
}
"""Modules that ask for addresses or take them, with the reason."""
SOCKET_MODULES: Final = ("socket", "trio.socket", "trio", "asyncio")


def asks_or_listens(tree: ast.AST) -> Iterator[int]:
    """Lines that call one of ``LOOKUPS`` or ``LISTENERS``, or import it from where sockets are made.

    A ``bind`` of two arguments, as of the gossip's peers, is another's: an address is one.
    """
    for item in ast.walk(tree):
        if isinstance(item, ast.ImportFrom):
            known = item.module in SOCKET_MODULES
            if known and any(alias.name in (*LOOKUPS, *LISTENERS) for alias in item.names):
                yield item.lineno
        elif isinstance(item, ast.Call) and isinstance(item.func, ast.Attribute):
            name = item.func.attr
            if name in (*LOOKUPS, *LISTENERS) and not (name == "bind" and len(item.args) != 1):
                yield item.lineno


def test_nothing_dials_but_the_door() -> None:
    assert lines_outside(DOOR, dials) == [], f"dial and dial_blocking of {DOOR} do this"


@pytest.mark.parametrize(
    "source",
    [
        "await trio.open_tcp_stream(host, port)",
        "socket.create_connection(place)",
        "from socket import create_connection as knock",
        "sock.connect(place)",
        "self.sock.connect_ex(place)",
    ],
)
def test_a_dial_is_seen(source: str) -> None:
    assert list(dials(ast.parse(f"async def f():\n    {source}")))


def test_nothing_looks_up_or_listens_but_those_that_may() -> None:
    found = {name for name, path in modules() if any(asks_or_listens(ast.parse(path.read_text(), str(path))))}
    assert found - ALLOWED.keys() == set(), "look_up of node/io/address.py and listen_tcp of node/io/listen.py do this"
    assert ALLOWED.keys() - found == set(), "they do not do it any more"


@pytest.mark.parametrize(
    "source",
    [
        "socket.getaddrinfo(host, port)",
        "await trio.socket.getaddrinfo(host, port)",
        "socket.gethostbyname(host)",
        "from socket import getaddrinfo as ask",
        "sock.bind((host, port))",
        "self.sock.bind(path)",
        "socket.create_server(('', 1))",
        "await trio.open_tcp_listeners(1)",
    ],
)
def test_a_lookup_and_a_listener_are_seen(source: str) -> None:
    assert list(asks_or_listens(ast.parse(f"async def f():\n    {source}")))


def test_what_only_sounds_like_it_is_none() -> None:
    for source in ("self._peers.bind(link, sender)", "look_up(host)", "clients.listen(sock)"):
        assert not list(asks_or_listens(ast.parse(source)))
