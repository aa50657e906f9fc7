"""A node's part in its cluster, as a process has it: nodes.conf, the gossip made from it, and the bus.

Order of the start as redis-server: own nodes.conf, believe it or begin one, then listen for peers. What a new node says
of itself is on disk before anybody can hear it.

A node that cannot save (a broken disk) does not end, as Redis would, to be started again and end again: it
says nothing to its peers and closes connections instead of answering them, since it could not keep what it says, and
tries every second. To the others it is a node that has failed; when it can save again it comes back.
"""

import contextlib
import os
import threading
import time
from random import Random
from typing import Final

import trio

from gossamer.cluster import nodesconf
from gossamer.cluster.nodesconf import NodesConfError
from gossamer.cluster.topology import Flag, Node, Topology
from gossamer.gossip.config import GossipConfig
from gossamer.gossip.core import Gossip
from gossamer.gossip.effects import Save
from gossamer.gossip.events import ConfigChanged
from gossamer.gossip.saving import one_for_all
from gossamer.node.config import Config
from gossamer.node.io.bus import Bus, now_ms
from gossamer.node.io.listen import ListenError, listen_tcp
from gossamer.node.io.log import Log
from gossamer.node.io.nodes_conf import ConfInUse, ConfTorn, NodesConf
from gossamer.node.machine import Machine

BUS_PORT_OFFSET: Final = 10000
SETTLE_S: Final = 1.0
"""How long after a change nodes.conf itself may be behind."""
QUICK_S: Final = 0.003
"""A disk that took no longer the last time is waited for: a thread's way there and back takes as long."""

ANNOUNCED: Final = (
    "port", "cluster-announce-ip", "cluster-announce-port", "cluster-announce-bus-port", "cluster-announce-hostname",
    "cluster-announce-human-nodename", "cluster-node-timeout", "cluster-require-full-coverage",
    "cluster-replica-no-failover", "cluster-replica-validity-factor", "repl-ping-replica-period",
    "cluster-allow-replica-migration", "cluster-migration-barrier", "cluster-manual-failover-timeout",
    "cluster-fast-failover", "write-ack-replicas",
)  # fmt: skip
"""Directives that make up the GossipConfig."""


class CannotJoin(Exception):
    """The node cannot be part of a cluster; ``str()`` is the line for the log."""


class Membership:
    """Made before the Machine, which needs ``gossip``; ``join`` ties it to the Machine. Raises CannotJoin."""

    def __init__(self, config: Config, log: Log) -> None:
        self._config = config
        self._log = log
        self._bus_port = bus_port(config)
        self._conf = own_nodes_conf(config.text("cluster-config-file"))
        self._tell_remarks()
        settings = gossip_config(config, self._bus_port)
        topology = self._remember()
        self.gossip = Gossip(topology or fresh(settings), settings, Random(), now_ms())
        self._writing = threading.Lock()
        self._newest = topology
        self._noted = trio.Event()
        self._synced = 0
        """How often nodes.conf has been synced: who waited meanwhile to do so need not any more."""
        self._took_s = 0.0
        """How long that took, the last time."""
        self.unsaved = False
        """nodes.conf could not be written when that was last tried."""
        if topology is None:
            self._begin()

    def join(self, machine: Machine) -> Bus:
        """The bus of ``machine``, which has ``gossip``; CONFIG SET is told to it from now on."""
        config = self._config
        bus = Bus(
            machine,
            self._save,
            lambda: not self.unsaved,
            self._log.write,
            connect_timeout_s=lambda: config.integer("cluster-node-timeout") / 1000,
            sendbuf_limit=lambda: config.integer("cluster-link-sendbuf-limit"),
            source=lambda: config.text("bind-source-addr"),
        )

        def changed() -> None:
            machine.handle(ConfigChanged(gossip_config(config, self._bus_port)), now_ms())
            bus.poke()

        config.on_change(ANNOUNCED, changed)
        return bus

    def save_at_once(self, machine: Machine) -> bool:
        """Before clients are answered: what they are promised is saved, as Redis sees to before it sleeps.

        False: it is not, and they must not be answered.
        """
        saves = [effect for effect in machine.outbox if isinstance(effect, Save)]
        if saves:
            machine.outbox = [effect for effect in machine.outbox if not isinstance(effect, Save)]
            save = one_for_all(saves)
            self._newest = save.topology
            self._noted.set()
            with self._writing:
                return self._write(save.synced)
        return True

    def listen(self) -> list[trio.SocketListener]:
        """Where peers come in. Raises ListenError with the last line for the log."""
        config = self._config
        try:
            sockets, warnings = listen_tcp(config.words("bind"), self._bus_port, config.integer("tcp-backlog"))
        except ListenError as error:
            self._log.write("warning", f"Warning: {error}")
            raise ListenError(f"Failed listening on port {self._bus_port} (cluster), aborting.", str(error)) from None
        for warning in warnings:
            self._log.write("warning", f"Warning: {warning}")
        return [trio.SocketListener(trio.socket.from_stdlib_socket(sock)) for sock in sockets]

    def close(self, machine: Machine) -> None:
        """Save what was still to be saved, and let go of nodes.conf."""
        self.save_at_once(machine)
        if self._newest is not None:
            with contextlib.suppress(OSError):  # what matters is noted
                self._conf.write(nodesconf.dump(self._newest))
        self._conf.close()

    async def settle(self) -> None:
        """Keep nodes.conf itself up to date, until cancelled."""
        trouble = ""
        if self._conf.behind:
            self._noted.set()
        while True:
            await self._noted.wait()
            await trio.sleep(SETTLE_S)
            self._noted = trio.Event()
            assert self._newest is not None
            try:
                await trio.to_thread.run_sync(self._conf.replacing(nodesconf.dump(self._newest)))
            except OSError as error:
                self._noted.set()
                if str(error) != trouble:
                    trouble = str(error)
                    self._log.write("warning", f"{self._conf.path} falls behind its notes: {trouble}")
            else:
                trouble = ""
            self._tell_remarks()

    def _tell_remarks(self) -> None:
        while self._conf.remarks:
            self._log.write("warning", self._conf.remarks.pop(0))

    def _remember(self) -> Topology | None:
        text = self._conf.read()
        if not text:
            return None
        try:
            topology = nodesconf.load(text)
        except NodesConfError as error:
            self._log.write("warning", f"{self._conf.path}: {error}")
            raise CannotJoin("Unrecoverable error: corrupted cluster config file.") from None
        self._log.write("notice", f"Node configuration loaded, I'm {topology.me}")
        return topology

    def _begin(self) -> None:
        topology = self.gossip.snapshot()
        self._log.write("notice", f"No cluster configuration found, I'm {topology.me}")
        try:
            self._conf.note(nodesconf.dump(topology), synced=True)
        except OSError as error:
            raise CannotJoin(f"Fatal: can't write cluster config file {self._conf.path}: {error.strerror}") from None

    async def _save(self, save: Save) -> None:
        """The same while clients are served: they do not wait for a slow disk."""
        self._newest = save.topology
        self._noted.set()
        if save.synced and self._took_s > QUICK_S:
            await trio.to_thread.run_sync(self._sync_in_thread, self._synced)
        else:
            with self._writing:
                self._write(save.synced)

    def _sync_in_thread(self, synced: int) -> None:
        with self._writing:
            if synced == self._synced:
                self._write(synced=True)

    def _write(self, synced: bool) -> bool:
        """The newest there is, also if an older one was to be saved; False if that cannot be done."""
        assert self._newest is not None
        text = nodesconf.dump(self._newest)
        try:
            began = time.monotonic()
            self._conf.note(text, synced)
            if synced:
                self._took_s = time.monotonic() - began
                self._synced += 1
        except OSError as error:
            if not self.unsaved:
                trouble = f"Can't update cluster config file {self._conf.path}: {error.strerror}"
                self._log.write("warning", f"{trouble}. Until it can, this node says nothing to its peers.")
            self.unsaved = True
            return False
        if self.unsaved:
            self._log.write("notice", f"Cluster config file {self._conf.path} is up to date again")
        self.unsaved = False
        return True


def own_nodes_conf(path: str) -> NodesConf:
    try:
        return NodesConf(path)
    except ConfInUse:
        raise CannotJoin(
            f"Sorry, the cluster configuration file {path} is already used by a different Redis Cluster node. "
            "Please make sure that different nodes use different cluster configuration files."
        ) from None
    except ConfTorn:
        raise CannotJoin(
            f"{path} was cut short while it was written in place, and no note of it is left beside it. Put a copy of "
            "it there, or remove it: then this node begins anew under another id."
        ) from None
    except OSError as error:
        raise CannotJoin(f"Can't open {error.filename or path} in order to acquire a lock: {error.strerror}") from None


def bus_port(config: Config) -> int:
    port = config.integer("cluster-port") or config.integer("port") + BUS_PORT_OFFSET
    if port > 65535:
        raise CannotJoin(
            "Redis port number too high. Cluster communication port is 10,000 port numbers higher than your Redis "
            "port. Your Redis port number must be 55535 or less."
        )
    return port


def gossip_config(config: Config, listening: int) -> GossipConfig:
    """What the node announces and how patient it is; ``listening`` is its bus port."""
    return GossipConfig(
        port=config.integer("cluster-announce-port") or config.integer("port"),
        cport=config.integer("cluster-announce-bus-port") or listening,
        announce_ip=config.text("cluster-announce-ip"),
        hostname=config.text("cluster-announce-hostname"),
        human_name=config.text("cluster-announce-human-nodename"),
        node_timeout_ms=config.integer("cluster-node-timeout"),
        require_full_coverage=config.flag("cluster-require-full-coverage"),
        replica_no_failover=config.flag("cluster-replica-no-failover"),
        replica_validity_factor=config.integer("cluster-replica-validity-factor"),
        repl_ping_period_s=config.integer("repl-ping-replica-period"),
        allow_replica_migration=config.flag("cluster-allow-replica-migration"),
        migration_barrier=config.integer("cluster-migration-barrier"),
        manual_failover_ms=config.integer("cluster-manual-failover-timeout"),
        fast_failover=config.flag("cluster-fast-failover"),
        write_ack_replicas=config.integer("write-ack-replicas"),
    )


def fresh(settings: GossipConfig) -> Topology:
    """A cluster of one new node."""
    me = Node(os.urandom(20).hex(), "", settings.port, settings.cport, flags=Flag.MYSELF | Flag.MASTER)
    return Topology(me.id, {me.id: me})
