"""What the simulated network makes of a connection behind a cut."""

from random import Random

from attrs import define, field

from tests.sim.network import End, Network
from tests.sim.timeline import Timeline

PORT = 17000


@define(eq=False)
class Host:
    name: str
    ip: str
    cport: int = PORT
    alive: bool = True
    ends: list[End] = field(factory=list)
    heard: list[bytes | None] = field(factory=list)
    """None is the end of the stream."""

    def accepted(self, end: End, peer_ip: str) -> None:
        self.ends.append(end)

    def link_up(self, end: End, peer_ip: str) -> None:
        self.ends.append(end)

    def receive(self, end: End, data: bytes) -> None:
        self.heard.append(data)

    def link_down(self, end: End, refused: bool) -> None:
        self.heard.append(None)


def cut_off() -> tuple[Timeline, Network, Host, Host]:
    """One host has dialled the other, and what it says no longer comes through."""
    timeline = Timeline()
    network = Network(timeline, Random(1))
    one, other = Host("one", "10.0.0.1"), Host("other", "10.0.0.2")
    network.listen(other)
    network.dial(one, 1, other.ip, PORT)
    timeline.run_until(1_000_000)
    network.cut("one", "other")
    return timeline, network, one, other


def test_what_was_said_and_closed_behind_a_cut_arrives_when_it_is_healed() -> None:
    timeline, network, one, other = cut_off()
    network.send(one.ends[0], b"farewell")
    network.close(one.ends[0])
    timeline.run_until(2_000_000)
    assert other.heard == []
    network.heal("one", "other")
    timeline.run_until(3_000_000)
    assert other.heard == [b"farewell", None]


def test_what_was_said_on_a_connection_that_breaks_behind_a_cut_is_lost() -> None:
    timeline, network, one, other = cut_off()
    network.send(one.ends[0], b"farewell")
    network.break_links("one", "other")
    network.heal("one", "other")
    timeline.run_until(2_000_000)
    assert other.heard == [None]
