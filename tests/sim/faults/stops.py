"""Processes stop: frozen for a while, or dead and started again with what the disk holds, elsewhere, or without a
disk.
"""

from functools import partial

from tests.sim.faults.fault import Fault
from tests.sim.process import Process
from tests.sim.world import Host


class Freezes(Fault):
    """SIGSTOP and SIGCONT: the kernel still accepts and buffers."""

    def strike(self) -> None:
        host = self.some_host()
        if host is None or host.running.frozen:
            return
        self.world.note("frozen", host.name)
        host.running.freeze()
        self.world.timeline.after(self.a_while_us(), partial(self._thaw, host, host.running))

    def _thaw(self, host: Host, process: Process) -> None:
        if process.alive and process.frozen:
            self.world.note("thawed", host.name)
            process.thaw()

    def heal(self) -> None:
        for host in self.world.running():
            self._thaw(host, host.running)


class Crashes(Fault):
    """The process is killed, or the machine loses power; it comes back with its disk."""

    lost = False

    def strike(self) -> None:
        host = self.some_host()
        if host is None:
            return
        silently = self.rng.random() < 0.3
        self.world.note("loses power" if silently else "killed", host.name)
        self.world.kill(host, silently)
        self.world.timeline.after(self.a_while_us(), partial(self._return, host))

    def _return(self, host: Host) -> None:
        if not host.up:
            self.world.restart(host, self.lost)

    def heal(self) -> None:
        for host in self.world.hosts.values():
            if not host.up:
                self.world.restart(host)


class LostDisks(Crashes):
    """It comes back as somebody else at the same address."""

    costs = frozenset({"members", "slots"})
    lost = True


class Moves(Crashes):
    """It comes back at another address; the first host never moves, so that somebody is found where he was."""

    def _return(self, host: Host) -> None:
        if not host.up:
            stays = host is next(iter(self.world.hosts.values()))
            self.world.restart(host, ip="" if stays else self.world.new_address())
