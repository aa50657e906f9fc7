"""INFO replication: the node's role, its replicas or its primary, and its history (server.c of Redis 7.0)."""

from gossamer.node.engine.server import Server
from gossamer.node.replication.primary_link import PrimaryLink
from gossamer.node.replication.replica_link import ReplicaLink
from gossamer.node.replication.replication import Replication, replication_of


def replication_section(server: Server) -> list[str]:
    replication = replication_of(server)
    primary_link = replication.primary_link
    out = ["role:master" if primary_link is None else "role:slave"]
    if primary_link is not None:
        out += primary_lines(server, primary_link, replication.offset)
    return out + replica_lines(server, replication) + history_lines(server, replication)


def primary_lines(server: Server, primary_link: PrimaryLink, offset: int) -> list[str]:
    config = server.config
    up = primary_link.connected
    syncing = primary_link.syncing
    out = [
        f"master_host:{primary_link.ip}",
        f"master_port:{primary_link.port}",
        f"master_link_status:{'up' if up else 'down'}",
        f"master_last_io_seconds_ago:{max(0, server.now - primary_link.heard_ms) // 1000 if up else -1}",
        f"master_sync_in_progress:{int(syncing)}",
        f"slave_read_repl_offset:{offset}",
        f"slave_repl_offset:{offset}",
    ]
    if syncing:
        out += [
            "master_sync_total_bytes:0",
            f"master_sync_read_bytes:{primary_link.loaded_bytes}",
            f"master_sync_left_bytes:{-primary_link.loaded_bytes}",
            "master_sync_perc:0.00",
            f"master_sync_last_io_seconds_ago:{max(0, server.now - primary_link.heard_ms) // 1000}",
        ]
    if not up:
        out.append(f"master_link_down_since_seconds:{max(0, server.now - primary_link.down_since_ms) // 1000}")
    return [
        *out,
        f"slave_priority:{config.integer('replica-priority')}",
        f"slave_read_only:{int(config.flag('replica-read-only'))}",
        f"replica_announced:{int(config.flag('replica-announced'))}",
    ]


def replica_lines(server: Server, replication: Replication) -> list[str]:
    replicas = replication.replicas.attached()
    out = [f"connected_slaves:{len(replicas)}"]
    if server.config.integer("min-replicas-to-write") and server.config.integer("min-replicas-max-lag"):
        out.append(f"min_slaves_good_slaves:{replication.replicas.good_replicas(server.now)}")
    return out + [replica_line(server, number, replica) for number, replica in enumerate(replicas)]


def replica_line(server: Server, number: int, replica: ReplicaLink) -> str:
    state = replica.state_name
    lag = replica.lag_s(server.now) if replica.online else 0
    return f"slave{number}:ip={replica.host},port={replica.port},state={state},offset={replica.acked},lag={lag}"


def history_lines(server: Server, replication: Replication) -> list[str]:
    history = replication.history
    backlog = history.backlog
    return [
        f"master_failover_state:{replication.failover.state}",
        f"master_replid:{history.replid}",
        f"master_replid2:{history.replid2}",
        f"master_repl_offset:{replication.offset}",
        f"second_repl_offset:{history.second_offset}",
        f"repl_backlog_active:{int(backlog is not None)}",
        f"repl_backlog_size:{server.config.integer('repl-backlog-size')}",
        f"repl_backlog_first_byte_offset:{0 if backlog is None else backlog.first}",
        f"repl_backlog_histlen:{0 if backlog is None else backlog.held}",
    ]
