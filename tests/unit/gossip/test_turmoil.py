"""Whatever is cut, killed and told to take over: one vote an epoch, one winner an epoch, and in the end one view."""

from random import Random

import pytest

from gossamer.gossip.effects import Effect, Lead, Save, Send
from gossamer.gossip.events import Failover, Replicated
from gossamer.gossip.packet import MessageType
from tests.unit.gossip.mesh import TIMEOUT_MS, Mesh, agree

PRIMARIES, REPLICAS = "abc", "def"
ALL = PRIMARIES + REPLICAS


def pairs() -> Mesh:
    mesh = Mesh(*PRIMARIES, seed=7)
    for number, name in enumerate(PRIMARIES):
        mesh.own(name, number * 5461, number * 5461 + 5460 + (name == "c"))
    for name in REPLICAS:
        mesh.start(name)
    mesh.meet("a", *ALL[1:])
    mesh.run(2000)
    for primary, replica in zip(PRIMARIES, REPLICAS, strict=True):
        mesh.replicate(primary, replica)
    assert agree(mesh, *ALL)
    return mesh


class Turmoil:
    """Breaks things by chance, never more than two nodes at a time, and keeps what everybody has done."""

    def __init__(self, mesh: Mesh, rng: Random) -> None:
        self.mesh = mesh
        self.rng = rng
        self.past: list[list[Effect]] = []
        self.names: list[str] = []

    def step(self) -> None:
        mesh, name = self.mesh, self.rng.choice(ALL)
        host = mesh[name]
        broken = [h for h in mesh.hosts.values() if h.cut or not h.alive]
        if host.cut:
            mesh.heal(name)
        elif not host.alive:
            self.restart(name)
        elif self.rng.random() < 0.3:
            mesh.execute(name, Failover(self.rng.choice(("asking", "force"))))
        elif len(broken) < 2:
            mesh.cut(name) if self.rng.random() < 0.5 else mesh.kill(name)
        self.pass_time(self.rng.randrange(TIMEOUT_MS * 3))

    def restart(self, name: str) -> None:
        host = self.mesh[name]
        self.past.append(list(host.done))
        self.names.append(name)
        assert host.saved is not None
        self.mesh.start(name, host.saved, ip=host.ip)

    def pass_time(self, ms: int) -> None:
        """All replicas stay in step: replication is not what is tried here."""
        for _ in range(1 + ms // 500):
            for name in ALL:
                self.mesh.tell(name, Replicated(100, self.mesh.now))
            self.mesh.run(500)

    def heal(self) -> None:
        for name in ALL:
            self.mesh.heal(name)
            if not self.mesh[name].alive:
                self.restart(name)
        self.pass_time(TIMEOUT_MS * 12)

    def lives(self) -> list[tuple[str, list[Effect]]]:
        """What each node did, a life at a time."""
        return [*zip(self.names, self.past, strict=True), *((name, list(self.mesh[name].done)) for name in ALL)]


@pytest.mark.parametrize("seed", range(12))
def test_one_vote_and_one_winner_an_epoch_and_peace_in_the_end(seed: int) -> None:
    mesh = pairs()
    turmoil = Turmoil(mesh, Random(seed))
    for _ in range(15):
        turmoil.step()
    turmoil.heal()
    votes: set[tuple[str, int]] = set()
    epochs_led: dict[int, str] = {}
    for name, done in turmoil.lives():
        for before, effect in zip([None, *done], done, strict=False):
            if isinstance(effect, Send) and effect.packet.kind is MessageType.FAILOVER_AUTH_ACK:
                assert (name, effect.packet.current_epoch) not in votes
                votes.add((name, effect.packet.current_epoch))
            if isinstance(effect, Lead):
                assert isinstance(before, Save)
                epoch = before.topology.myself.config_epoch
                assert epochs_led.setdefault(epoch, name) == name
    assert votes
    assert epochs_led
    assert agree(mesh, *ALL), [(h.name, h.view.myself.flags) for h in mesh.hosts.values()]
    owners = {host.id for host in mesh.hosts.values() if host.id in mesh["a"].view.owners}
    assert len(owners) == 3
    assert all(mesh[name].view.ok for name in ALL)
