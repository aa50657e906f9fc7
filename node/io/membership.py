"""A node's part in its cluster, as a process has it: nodes.conf, the gossip made from it, and the bus.

Order of the start as redis-server: own nodes.conf, believe it or begin one, then listen for peers. What a new node says
of itself is on disk before anybody can hear it.
"""

import os
from random import Random
from typing import Final

import trio

from gossamer.cluster import nodesconf
from gossamer.cluster.nodesconf import NodesConfError
from gossamer.cluster.topology import Flag, Node, Topology
from gossamer.gossip.config import GossipConfig
from gossamer.gossip.core import Gossip
from gossamer.gossip.events import ConfigChanged
from gossamer.node.config import Config, ConfigError
from gossamer.node.io.bus import Bus, now_ms
from gossamer.node.io.conf_writer import ConfWriter
from gossamer.node.io.listen import ListenError, listen_tcp
from gossamer.node.io.log import Log
from gossamer.node.io.nodes_conf import ConfInUse, ConfTorn, NodesConf
from gossamer.node.machine import Machine

BUS_PORT_OFFSET: Final = 10000
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
    """Made before the Machine, which needs ``gossip``; ``join`` ties it to the Machine. CannotJoin, ConfigError."""

    def __init__(self, config: Config, log: Log) -> None:
        self._config = config
        self._log = log
        self._bus_port = bus_port(config)
        self._conf = own_nodes_conf(config)
        self.writer = ConfWriter(self._conf, log)
        settings = gossip_config(config, self._bus_port)
        topology = self.writer.newest = self._remember()
        self.gossip = Gossip(topology or fresh(settings), settings, Random(), now_ms())
        self._bus: Bus | None = None
        if topology is None:
            self._begin()

    def join(self, machine: Machine) -> Bus:
        """The bus of ``machine``, which has ``gossip``; CONFIG SET is told to it from now on."""
        config = self._config
        bus = self._bus = Bus(
            machine,
            self.writer,
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

    def save_at_once(self) -> bool:
        """Before clients are answered: what they are promised is saved, as Redis sees to before it sleeps.

        False: it is not, and they must not be answered.
        """
        assert self._bus is not None
        return self._bus.pump.save_at_once(self.writer.keep)

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

    def close(self) -> None:
        """Save what was still to be saved, and let go of nodes.conf."""
        if self._bus is not None:
            self.save_at_once()
        self.writer.close()

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


def own_nodes_conf(config: Config) -> NodesConf:
    """CannotJoin; ConfigError if a line of the configuration names what cannot be opened."""
    path = config.text("cluster-config-file")
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
        reason = f"Can't open {error.filename or path} in order to acquire a lock: {error.strerror}"
        line = config.line_of("cluster-config-file")
        raise (CannotJoin(reason) if line is None else ConfigError(reason, line)) from None


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
