"""A crowd of nodes: quiet when nothing happens, and quick to agree on a death."""

import pytest

from gossamer.gossip.effects import Send
from gossamer.gossip.packet import encode
from tests.sim.crowd import START, Crowd, length

pytestmark = pytest.mark.once  # nothing of it is compiled

TIMEOUT_MS = 15_000


def test_a_death_in_a_crowd_is_agreed_on_in_a_moment_and_without_a_flood() -> None:
    crowd = Crowd(120, TIMEOUT_MS)
    crowd.run(1000)
    before = crowd.sent
    victim = len(crowd.members) - 1
    crowd.kill(victim)
    crowd.run(500)
    assert crowd.failed_at(victim) == crowd.living == 119
    assert crowd.sent - before < 60 * crowd.living


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("deaths", [4, 10])
def test_primaries_that_die_at_once_are_all_replaced_at_once(deaths: int, seed: int) -> None:
    crowd = Crowd(60, TIMEOUT_MS, seed)
    crowd.run(1000)
    before = crowd.sent
    victims = crowd.kill_primaries(deaths)
    crowd.run(1000)
    assert crowd.unserved_at(victims) == 0
    assert crowd.sent - before < 400 * crowd.living
    epochs = [m.gossip.me.config_epoch for m in crowd.members if m.alive and m.gossip.me.is_primary]
    assert len(epochs) == len(set(epochs)) == 30


@pytest.mark.parametrize("seed", [1, 2])
def test_primaries_that_fall_silent_at_once_are_replaced_soon_after_they_are_found_to_have_failed(seed: int) -> None:
    crowd = Crowd(40, TIMEOUT_MS, seed, fast=False)
    crowd.run(1000)
    victims = crowd.kill_primaries(5, silent=True)
    crowd.run(TIMEOUT_MS)
    while any(crowd.failed_at(index) < crowd.living and crowd.unserved_at([index]) for index in victims):
        crowd.run(50)
        assert crowd.now < START + 1000 + TIMEOUT_MS + 3000, "not a ping interval later"
    crowd.run(1000)
    assert crowd.unserved_at(victims) == 0


def test_a_calm_crowd_says_little() -> None:
    crowd = Crowd(60, TIMEOUT_MS)
    crowd.run(TIMEOUT_MS)
    before = crowd.sent
    crowd.run(5000)
    assert (crowd.sent - before) / 60 / 5 < 2 * 59 / (TIMEOUT_MS / 2000) + 2, "messages a second from each node"


def test_the_length_of_a_message_is_that_of_its_bytes() -> None:
    crowd = Crowd(20, TIMEOUT_MS)
    gossip = crowd.members[0].gossip
    gossip._components.messages.ping(gossip._peers.others()[3], crowd.now)
    gossip._components.messages.request_votes(must_ack=False)
    sent = [effect.packet for effect in gossip._out.take(gossip.snapshot()) if isinstance(effect, Send)]
    assert len(sent) == 2
    assert [length(packet) for packet in sent] == [len(encode(packet)) for packet in sent]
