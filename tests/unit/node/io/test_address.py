"""Whatever people call an address, that nobody is there is one ordinary failure."""

import errno
import socket

import pytest
import trio
from trio.testing import MockClock

from gossamer.node.io import address
from gossamer.node.io.address import Unreachable
from gossamer.node.io.dial import dial, dial_blocking
from gossamer.node.io.listen import ListenError, listen_tcp, listen_unix
from gossamer.node.io.lookup import Lookup
from tests.integration.ports import reserve

NO_NAMES = (
    "", "redis-0..svc", ".", "..", "x" * 64, "x" * 64 + ".svc", "x" * 300, "a\0b", "\0", "a b", "a\tb", "a\n",
    "Köln..svc", "\udcff", "\ud800", "ä" * 70, "::zz", "fe80::1%nothing", "1.2.3", "127.0.0.1:6379", "-",
    "%s%n", "1" * 5000,
)  # fmt: skip
"""Texts that stand for no host: ``1.2.3`` is 1.2.0.3 to a resolver, and is left out where the system says so."""
NO_PORTS = (0, -1, 65536, 1 << 31, 1 << 63, -(1 << 64))


@pytest.fixture
def no_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts that could be names are told to be none at once, as by a name server that answers."""
    ask = socket.getaddrinfo

    def answer(host: str | bytes | None, *more: object, **others: object) -> object:
        text = host.decode() if isinstance(host, bytes) else host
        if text is not None and text.replace("-", "a").replace(".", "").isalnum() and not text[0].isdigit():
            text.encode("idna")
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return ask(host, *more, **others)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", answer)


@pytest.mark.usefixtures("no_name_server")
@pytest.mark.parametrize("name", [name for name in NO_NAMES if name != "1.2.3"], ids=ascii)
def test_a_text_that_is_no_name_is_somebody_who_is_not_there(name: str) -> None:
    for attempt in (
        lambda: dial_blocking(name, 6379, "", 1.0),
        lambda: address.look_up(name),
        lambda: trio.run(dial, name, 6379, "", 1.0),
    ):
        with pytest.raises(Unreachable) as failure:
            attempt()
        assert failure.value.unknown
        assert str(failure.value)
        str(failure.value).encode()  # fit for a log
    assert address.addresses(name) == ()
    assert trio.run(Lookup().addresses, name) == ()
    with pytest.raises(ListenError, match="Could not create server TCP listening socket"):
        listen_tcp((name,), 6379, 5)


@pytest.mark.usefixtures("no_name_server")
@pytest.mark.parametrize("source", ["redis-0..svc", "a\0b", "x" * 64, "192.0.2.1"], ids=ascii)
def test_a_source_address_that_is_none_is_no_connection(source: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(Unreachable):
            trio.run(dial, "127.0.0.1", port, source, 1.0)
        with pytest.raises(Unreachable):
            dial_blocking("127.0.0.1", port, source, 1.0)


def test_a_connection_is_made_from_the_source_and_probes_a_silent_peer_whoever_dials() -> None:
    async def dialled(port: int) -> socket.socket:
        stream = await dial("127.0.0.1", port, "127.0.0.2", 5.0, 30)
        return socket.socket(fileno=stream.socket.detach())

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for sock in (trio.run(dialled, port), dial_blocking("127.0.0.1", port, "127.0.0.2", 5.0, 30)):
            with sock:
                assert sock.getsockname()[0] == "127.0.0.2"
                assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
                assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("port", NO_PORTS)
def test_a_number_that_is_no_port_is_somebody_who_is_not_there(port: int) -> None:
    for attempt in (
        lambda: dial_blocking("127.0.0.1", port, "", 1.0),
        lambda: address.look_up("127.0.0.1", port),
        lambda: trio.run(dial, "127.0.0.1", port),
    ):
        with pytest.raises(Unreachable, match=f"{port} is no port"):
            attempt()


@pytest.mark.parametrize("path", ["a\0b", "x" * 200, "/nowhere/at/all", "\ud800"], ids=ascii)
def test_a_path_that_is_none_is_no_unix_socket(path: str) -> None:
    with pytest.raises(ListenError, match="Failed opening Unix socket"):
        listen_unix(path, 0, 5)


def test_a_host_that_refuses_is_told_from_one_that_is_unknown_or_silent() -> None:
    port = reserve().port
    for attempt in (lambda: dial_blocking("127.0.0.1", port, "", 1.0), lambda: trio.run(dial, "127.0.0.1", port)):
        with pytest.raises(Unreachable, match="Connection refused") as failure:
            attempt()
        assert failure.value.refused
        assert failure.value.errno == errno.ECONNREFUSED
        assert not failure.value.unknown
        assert not failure.value.late


def test_a_dial_takes_no_longer_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*args: object, **options: object) -> None:
        await trio.sleep_forever()

    monkeypatch.setattr(trio, "open_tcp_stream", never)

    async def main() -> float:
        with pytest.raises(Unreachable, match="it took too long") as failure:
            await dial("192.0.2.1", 6379, "", 7.0)
        assert failure.value.late
        return trio.current_time()

    began = trio.run(main, clock=MockClock(autojump_threshold=0))
    assert began >= 7.0


def test_an_error_that_is_no_failure_of_the_network_is_not_taken_for_one() -> None:
    with pytest.raises(ExceptionGroup), address.one_failure("x"):
        raise ExceptionGroup("both", [OSError("gone"), KeyError("a fault of ours")])
    with pytest.raises(KeyError), address.one_failure("x"):
        raise KeyError("a fault of ours")
