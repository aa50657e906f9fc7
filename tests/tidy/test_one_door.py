"""Connections are made in one place: there names, source addresses, time limits and TLS are seen to, once for all."""

import ast
from collections.abc import Iterator

import pytest

from tests.tidy.floors import lines_outside

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
