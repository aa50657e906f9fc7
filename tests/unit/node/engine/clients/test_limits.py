"""Who is refused or put off: the number of clients, protected mode, unread output, silence."""

import pytest

from gossamer.node.engine.clients.client import MONITORING, NOT_TO_PAUSE, SUBSCRIBED, Client
from gossamer.node.engine.clients.limits import (
    PROTECTED_MODE,
    TOO_MANY_CLIENTS,
    OutputLimit,
    idle_too_long,
    over_output_limit,
    refuse_connection,
)
from gossamer.node.engine.server import Server
from gossamer.node.machine import Machine

LIMITS = [OutputLimit(1000, 0, 0), OutputLimit(5000, 0, 0), OutputLimit(0, 100, 2)]


@pytest.fixture
def client() -> Client:
    server = Server()
    server.begin_batch(1_000_000)
    return Machine(server).accept("10.0.0.1:1", "10.0.0.2:2")


def test_output_at_the_hard_limit_is_too_much(client: Client) -> None:
    client.send(b"x" * 400)
    client.unsent = 599
    assert not over_output_limit(client, LIMITS, 0)
    client.unsent = 600
    assert over_output_limit(client, LIMITS, 0)


def test_the_soft_limit_is_broken_by_staying_above_it(client: Client) -> None:
    client.modes |= SUBSCRIBED
    client.unsent = 100
    assert [over_output_limit(client, LIMITS, now) for now in (10_000, 11_000, 12_000, 12_001)] == [False] * 3 + [True]


def test_the_soft_limit_forgives_who_gets_below_it(client: Client) -> None:
    client.modes |= SUBSCRIBED
    client.unsent = 100
    over_output_limit(client, LIMITS, 10_000)
    client.unsent = 99
    assert not over_output_limit(client, LIMITS, 11_000)
    client.unsent = 100
    assert not over_output_limit(client, LIMITS, 12_500)


@pytest.mark.parametrize("mode", [MONITORING, NOT_TO_PAUSE])
def test_monitors_have_the_limit_of_replicas(client: Client, mode: int) -> None:
    client.modes |= mode
    client.unsent = 4999
    assert not over_output_limit(client, LIMITS, 0)
    client.unsent = 5000
    assert over_output_limit(client, LIMITS, 0)


def test_silence_is_too_long_only_beyond_the_timeout(client: Client) -> None:
    assert not idle_too_long(client, 5, 1_005_999)
    assert idle_too_long(client, 5, 1_006_000)
    assert not idle_too_long(client, 0, 9_000_000)


@pytest.mark.parametrize("mode", [MONITORING, NOT_TO_PAUSE, SUBSCRIBED])
def test_those_who_listen_may_be_silent(client: Client, mode: int) -> None:
    client.modes |= mode
    assert not idle_too_long(client, 5, 9_000_000)


def test_connections_are_refused_by_number_first_then_by_origin() -> None:
    assert refuse_connection(9, 10, True, True, True) is None
    assert refuse_connection(9, 10, True, False, False) is None
    assert refuse_connection(9, 10, False, True, False) is None
    assert refuse_connection(9, 10, True, True, False) == PROTECTED_MODE
    assert refuse_connection(10, 10, True, True, False) == TOO_MANY_CLIENTS


def test_a_silent_client_is_ended_by_the_tick() -> None:
    server = Server()
    machine = Machine(server)
    server.begin_batch(1_000_000)
    session = machine.accept("10.0.0.1:1", "10.0.0.2:2")
    server.config.set([("timeout", "5")])
    machine.tick(1_005_999)
    assert not session.killed
    machine.tick(1_006_000)
    assert session.killed
