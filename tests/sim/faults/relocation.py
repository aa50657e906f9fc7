"""All nodes stop at once and start again, each at an address that is new or was another's: only their names stay."""

from functools import partial

from tests.sim.faults.fault import Fault
from tests.sim.world import Host


class Relocation(Fault):
    """It strikes only when the disk of every node has the name of every other: what was never known is not found."""

    named = True

    def strike(self) -> None:
        world, rng = self.world, self.rng
        hosts = list(world.hosts.values())
        if not all(self._knows_all(host) for host in hosts):
            return
        used = [host.ip for host in hosts]
        addresses = [world.new_address() if rng.random() < 0.3 else ip for ip in used]
        rng.shuffle(addresses)
        world.note("everybody stops and moves")
        for host, ip in zip(hosts, addresses, strict=True):
            if host.up:
                world.kill(host, silently=rng.random() < 0.3)
            host.ip = ip
            world.timeline.after(rng.randrange(500_000), partial(self._return, host))

    def _knows_all(self, host: Host) -> bool:
        remembered = host.disk.topology.nodes if host.disk.topology else {}
        return all(h is host or (h.id in remembered and remembered[h.id].hostname) for h in self.world.hosts.values())

    def _return(self, host: Host) -> None:
        if not host.up:
            self.world.restart(host)

    def heal(self) -> None:
        for host in self.world.hosts.values():
            self._return(host)
