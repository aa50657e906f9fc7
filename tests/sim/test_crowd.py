"""A crowd of nodes: quiet when nothing happens, and quick to agree on a death."""

import pytest

from gossip.effects import Send
from gossip.packet import encode
from tests.sim.crowd import Crowd, length

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


def test_a_calm_crowd_says_little() -> None:
    crowd = Crowd(60, TIMEOUT_MS)
    crowd.run(TIMEOUT_MS)
    before = crowd.sent
    crowd.run(5000)
    assert (crowd.sent - before) / 60 / 5 < 2 * 59 / (TIMEOUT_MS / 2000) + 2, "messages a second from each node"


def test_the_length_of_a_message_is_that_of_its_bytes() -> None:
    crowd = Crowd(20, TIMEOUT_MS)
    gossip = crowd.members[0].gossip
    gossip._voice.ping(gossip._peers.others()[3], crowd.now)
    gossip._voice.ask_for_votes(must_ack=False)
    sent = [effect.packet for effect in gossip._out.take(gossip.snapshot()) if isinstance(effect, Send)]
    assert len(sent) == 2
    assert [length(packet) for packet in sent] == [len(encode(packet)) for packet in sent]
