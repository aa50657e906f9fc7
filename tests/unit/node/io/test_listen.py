"""Listening sockets: addresses that may be missing, must not be missing, or are taken."""

import socket
from pathlib import Path

import pytest

from gossamer.node.io.listen import ListenError, listen_tcp, listen_unix
from tests.integration.ports import reserve

ELSEWHERE = "192.0.2.1"
"""TEST-NET-1 (RFC 5737): no machine has it."""


def test_no_port_and_no_address_mean_no_sockets() -> None:
    assert listen_tcp(("127.0.0.1",), 0, 5) == ([], [])
    assert listen_tcp((), 6379, 5) == ([], [])


def test_an_optional_address_may_be_missing_another_may_not() -> None:
    port = reserve()
    sockets, warnings = listen_tcp((f"-{ELSEWHERE}", "127.0.0.1"), port.port, 5)
    where = f"{ELSEWHERE}:{port.port}"
    text = f"Could not create server TCP listening socket {where}: bind: Cannot assign requested address"
    assert warnings == [text]
    assert [sock.getsockname() for sock in sockets] == [("127.0.0.1", port.port)]
    for sock in sockets:
        sock.close()
    with pytest.raises(ListenError) as refused:
        listen_tcp(("127.0.0.1", ELSEWHERE), port.port, 5)
    assert str(refused.value) == text
    # and what had been opened is closed again
    again, _ = listen_tcp(("127.0.0.1",), port.port, 5)
    again[0].close()
    port.release()


def test_a_taken_port_is_an_error_even_for_an_optional_address() -> None:
    port = reserve()
    with (
        socket.create_server(("127.0.0.1", port.port)),
        pytest.raises(ListenError, match="bind: Address already in use"),
    ):
        listen_tcp(("-127.0.0.1",), port.port, 5)
    port.release()


def test_the_default_addresses_are_all_of_both_families() -> None:
    port = reserve()
    sockets, _ = listen_tcp(("*", "-::*"), port.port, 5)
    assert sockets[0].getsockname() == ("0.0.0.0", port.port)
    assert {sock.family for sock in sockets[1:]} <= {socket.AF_INET6}
    for sock in sockets:
        sock.close()
    port.release()


def test_a_name_that_is_none() -> None:
    with pytest.raises(ListenError, match=r"no host:7000: "):
        listen_tcp(("no host",), 7000, 5)


def test_a_unix_socket_takes_the_place_of_what_was_left_there(tmp_path: Path) -> None:
    path = tmp_path / "sock"
    listen_unix(str(path), 0o600, 5).close()
    with listen_unix(str(path), 0o640, 5) as sock:
        assert path.stat().st_mode & 0o777 == 0o640
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            sock.accept()[0].close()
    with pytest.raises(ListenError, match="Failed opening Unix socket: bind: No such file or directory"):
        listen_unix(str(tmp_path / "nowhere" / "sock"), 0, 5)
