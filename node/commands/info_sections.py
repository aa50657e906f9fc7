"""The sections of INFO that tell of the node itself, field by field as Redis 7.0.15 has them (server.c).

What this node knows is told; what it does not have (forks, defragmentation, Lua, an allocator's insides) is zero. The
fields ``gossamer_version`` and ``gossamer_build`` are ours.
"""

from typing import Final

from gossamer.cluster.text import text_of
from gossamer.node.commands.connection import REDIS_VERSION
from gossamer.node.engine.data.tally import STARTUP
from gossamer.node.engine.server import Server
from gossamer.node.engine.state import LOADING
from gossamer.node.replication.replication import replication_of
from gossamer.node.saving.aof import OFF, Aof
from gossamer.node.saving.loading import Loading
from gossamer.node.saving.saves import saves_of

GOSSAMER_VERSION: Final = "0.1.0"


def server_section(server: Server) -> list[str]:
    facts = server.edge.process()
    config = server.config
    uptime = (server.now - server.started_ms) // 1000
    return [
        f"redis_version:{text_of(REDIS_VERSION)}",
        "redis_git_sha1:00000000",
        "redis_git_dirty:0",
        "redis_build_id:0",
        f"gossamer_version:{GOSSAMER_VERSION}",
        f"gossamer_build:{facts.build}",
        f"redis_mode:{'cluster' if server.clustered else 'standalone'}",
        f"os:{facts.os}",
        "arch_bits:64",
        "monotonic_clock:POSIX clock_gettime",
        f"multiplexing_api:{facts.multiplexing}",
        "atomicvar_api:none",
        f"gcc_version:{facts.compiler}",
        f"process_id:{facts.pid}",
        f"process_supervised:{facts.supervised}",
        f"run_id:{facts.run_id}",
        f"tcp_port:{config.integer('port')}",
        f"server_time_usec:{server.edge.unix_microseconds()}",
        f"uptime_in_seconds:{uptime}",
        f"uptime_in_days:{uptime // 86400}",
        f"hz:{config.integer('hz')}",
        f"configured_hz:{config.integer('hz')}",
        f"lru_clock:{server.now_s & 0xFFFFFF}",
        f"executable:{facts.executable}",
        f"config_file:{facts.config_file}",
        "io_threads_active:0",
        *departing(server),
    ]


def departing(server: Server) -> list[str]:
    ending = replication_of(server).shutdown
    return [f"shutdown_in_milliseconds:{max(0, ending.until - server.now)}"] if ending.under_way else []


def clients_section(server: Server) -> list[str]:
    clients = server.clients.all()
    links = 0 if server.cluster is None else len(server.cluster.links())
    return [
        f"connected_clients:{len(clients) - len(replication_of(server).replicas.attached())}",
        f"cluster_connections:{links}",
        f"maxclients:{server.limits.max_clients}",
        f"client_recent_max_input_buffer:{max([client.unread() for client in clients], default=0)}",
        f"client_recent_max_output_buffer:{max([client.out_bytes + client.unsent for client in clients], default=0)}",
        f"blocked_clients:{len(server.waiting)}",
        f"tracking_clients:{len(server.tracking.on)}",
        f"clients_in_timeout_table:{server.waiting.with_deadline()}",
        f"total_blocking_keys:{len(server.waiting.by_key)}",
        "total_blocking_keys_on_nokey:0",
    ]


def memory_section(server: Server) -> list[str]:
    """``used_memory`` is what the data takes (``data/tally.py``), ``rss`` what the system counts for the process."""
    config = server.config
    resident = server.edge.resident_memory()
    server.count_buffers()
    tally = server.keyspace.tally
    used = tally.used()
    total = server.edge.process().total_memory
    limit = config.integer("maxmemory")
    return [
        f"used_memory:{used}",
        f"used_memory_human:{human(used)}",
        f"used_memory_rss:{resident}",
        f"used_memory_rss_human:{human(resident)}",
        f"used_memory_peak:{tally.peak}",
        f"used_memory_peak_human:{human(tally.peak)}",
        f"used_memory_peak_perc:{used * 100 / tally.peak:.2f}%",
        f"used_memory_overhead:{used - tally.held}",
        f"used_memory_startup:{STARTUP}",
        f"used_memory_dataset:{tally.held}",
        f"used_memory_dataset_perc:{tally.held * 100 / max(used - STARTUP, 1):.2f}%",
        f"allocator_allocated:{used}",
        f"allocator_active:{resident}",
        f"allocator_resident:{resident}",
        f"total_system_memory:{total}",
        f"total_system_memory_human:{human(total)}",
        "used_memory_lua:0",
        "used_memory_vm_eval:0",
        "used_memory_lua_human:0B",
        "used_memory_scripts_eval:0",
        "number_of_cached_scripts:0",
        "number_of_functions:0",
        "number_of_libraries:0",
        "used_memory_vm_functions:0",
        "used_memory_vm_total:0",
        "used_memory_vm_total_human:0B",
        "used_memory_functions:0",
        "used_memory_scripts:0",
        "used_memory_scripts_human:0B",
        f"maxmemory:{limit}",
        f"maxmemory_human:{human(limit)}",
        f"maxmemory_policy:{config.text('maxmemory-policy')}",
        "allocator_frag_ratio:1.00",
        "allocator_frag_bytes:0",
        "allocator_rss_ratio:1.00",
        "allocator_rss_bytes:0",
        "rss_overhead_ratio:1.00",
        "rss_overhead_bytes:0",
        f"mem_fragmentation_ratio:{resident / used:.2f}",
        f"mem_fragmentation_bytes:{resident - used}",
        f"mem_not_counted_for_evict:{server.replication.buffers()[1] + server.saves.buffered()}",
        *replication_memory(server),
        f"mem_clients_normal:{server.client_memory.measure()}",
        "mem_cluster_links:0",
        f"mem_aof_buffer:{server.saves.buffered()}",
        "mem_allocator:python",
        "active_defrag_running:0",
        f"lazyfree_pending_objects:{server.lazyfree.count()}",
        f"lazyfreed_objects:{server.stats.lazyfreed_objects}",
    ]


def replication_memory(server: Server) -> list[str]:
    """What replicas have not read yet, and the backlog, which holds what waits for the end of a full sync as well."""
    replication = replication_of(server)
    backlog = replication.history.backlog
    held = 0 if backlog is None else backlog.held
    unread = sum(replica.unread for replica in replication.replicas.attached())
    return [
        f"mem_replication_backlog:{held}",
        f"mem_total_replication_buffers:{held + unread}",
        f"mem_clients_slaves:{unread}",
    ]


def human(size: int) -> str:
    """``1536`` as ``1.50K``."""
    if size < 1024:
        return f"{size}B"
    value = float(size)
    for unit in "KMGTP":
        value /= 1024
        if value < 1024:
            return f"{value:.2f}{unit}"
    return f"{size}B"


def persistence_section(server: Server) -> list[str]:
    """What is saved, and what is loaded. A snapshot for replicas counts as a save in the background, as in Redis.

    A snapshot of the primary is loaded beside the data that is served meanwhile, as Redis 7.2 does with ``swapdb``. To
    it that is ``async_loading`` if the data is an earlier state of what comes, and ``loading`` if the primary has
    another history, as at the first sync of a replica: clients that look at this (ioredis) had better wait.
    """
    replication = replication_of(server)
    primary_link = replication.primary_link
    loading = primary_link is not None and primary_link.loading
    replacing = primary_link is not None and primary_link.replacing
    saves = saves_of(server)
    current, aof, rewrites, now_s = saves.current, saves.aof, saves.rewrites, server.now_s
    syncs, rewriting = replication.replicas.syncs.walking, rewrites.current
    return [
        f"loading:{int(replacing or server.conditions & LOADING != 0)}",
        f"async_loading:{int(loading and not replacing)}",
        "current_cow_peak:0",
        "current_cow_size:0",
        "current_cow_size_age:0",
        "current_fork_perc:0.00",
        f"current_save_keys_processed:{0 if current is None else current.written}",
        f"current_save_keys_total:{0 if current is None else current.keys}",
        f"rdb_changes_since_last_save:{saves.changes}",
        f"rdb_bgsave_in_progress:{int(saves.in_progress or syncs)}",
        f"rdb_last_save_time:{saves.last_save_s}",
        f"rdb_last_bgsave_status:{'ok' if saves.ok else 'err'}",
        f"rdb_last_bgsave_time_sec:{saves.took_s}",
        f"rdb_current_bgsave_time_sec:{-1 if current is None else now_s - current.began_ms // 1000}",
        f"rdb_saves:{saves.saves}",
        "rdb_last_cow_size:0",
        f"rdb_last_load_keys_expired:{saves.loaded_expired}",
        f"rdb_last_load_keys_loaded:{saves.loaded_keys}",
        f"aof_enabled:{int(aof.state != OFF)}",
        f"aof_rewrite_in_progress:{int(rewrites.in_progress)}",
        f"aof_rewrite_scheduled:{int(rewrites.is_scheduled)}",
        f"aof_last_rewrite_time_sec:{rewrites.took_s}",
        f"aof_current_rewrite_time_sec:{-1 if rewriting is None else now_s - rewriting.began_ms // 1000}",
        f"aof_last_bgrewrite_status:{'ok' if rewrites.ok else 'err'}",
        f"aof_rewrites:{rewrites.done}",
        f"aof_rewrites_consecutive_failures:{rewrites.failures}",
        f"aof_last_write_status:{'err' if aof.sink.failure else 'ok'}",
        "aof_last_cow_size:0",
        "module_fork_in_progress:0",
        "module_fork_last_cow_size:0",
        *aof_lines(aof),
        *loading_lines(server, saves.loading),
    ]


def aof_lines(aof: Aof) -> list[str]:
    """Of the append-only file, while there is one."""
    if aof.state == OFF:
        return []
    return [
        f"aof_current_size:{aof.size}",
        f"aof_base_size:{aof.base_size}",
        "aof_pending_rewrite:0",
        f"aof_buffer_length:{len(aof.sink.pending)}",
        f"aof_pending_bio_fsync:{int(aof.sink.file.syncing)}",
        f"aof_delayed_fsync:{aof.sink.delayed}",
        f"aof_unsound:{int(aof.sink.unsound)}",
    ]


def loading_lines(server: Server, loading: Loading | None) -> list[str]:
    """Of the file that the node begins with, as long as it is being read."""
    if loading is None:
        return []
    seconds = max(1, (server.now - loading.began_ms) // 1000)
    left = max(0, loading.size - loading.read)
    return [
        f"loading_start_time:{loading.began_ms // 1000}",
        f"loading_total_bytes:{loading.size}",
        "loading_rdb_used_mem:0",
        f"loading_loaded_bytes:{loading.read}",
        f"loading_loaded_perc:{100 * loading.read / max(1, loading.size):.2f}",
        f"loading_eta_seconds:{left * seconds // loading.read if loading.read else 1}",
    ]


def stats_section(server: Server) -> list[str]:
    stats = server.stats
    return [
        f"total_connections_received:{stats.total_connections_received}",
        f"total_commands_processed:{stats.total_commands_processed}",
        f"instantaneous_ops_per_sec:{int(stats.ops.per_second())}",
        f"total_net_input_bytes:{stats.total_net_input_bytes}",
        f"total_net_output_bytes:{stats.total_net_output_bytes}",
        "total_net_repl_input_bytes:0",
        "total_net_repl_output_bytes:0",
        f"instantaneous_input_kbps:{stats.input.per_second() / 1024:.2f}",
        f"instantaneous_output_kbps:{stats.output.per_second() / 1024:.2f}",
        "instantaneous_input_repl_kbps:0.00",
        "instantaneous_output_repl_kbps:0.00",
        f"rejected_connections:{stats.rejected_connections}",
        f"sync_full:{stats.full_syncs}",
        f"sync_partial_ok:{stats.partial_syncs}",
        f"sync_partial_err:{stats.refused_partial_syncs}",
        f"expired_keys:{stats.expired_keys}",
        f"expired_stale_perc:{stats.expired_stale_perc:.2f}",
        f"expired_time_cap_reached_count:{stats.expired_time_cap_reached_count}",
        f"expire_cycle_cpu_milliseconds:{stats.expire_cycle_us // 1000}",
        f"evicted_keys:{stats.evicted_keys}",
        f"evicted_clients:{stats.evicted_clients}",
        f"total_eviction_exceeded_time:{(stats.total_eviction_exceeded_us + server.memory.exceeded_us()) // 1000}",
        f"current_eviction_exceeded_time:{server.memory.exceeded_us() // 1000}",
        f"keyspace_hits:{stats.keyspace_hits}",
        f"keyspace_misses:{stats.keyspace_misses}",
        "pubsub_channels:0",
        "pubsub_patterns:0",
        "pubsubshard_channels:0",
        "latest_fork_usec:0",
        f"total_forks:{server.stats.total_forks}",
        "migrate_cached_sockets:0",
        f"slave_expires_tracked_keys:{len(server.expiry.own)}",
        "active_defrag_hits:0",
        "active_defrag_misses:0",
        "active_defrag_key_hits:0",
        "active_defrag_key_misses:0",
        "total_active_defrag_time:0",
        "current_active_defrag_time:0",
        f"tracking_total_keys:{server.tracking.table.keys}",
        f"tracking_total_items:{server.tracking.table.items}",
        f"tracking_total_prefixes:{len(server.tracking.prefixes)}",
        "unexpected_error_replies:0",
        f"total_error_replies:{stats.total_error_replies}",
        f"unexpected_errors:{stats.unexpected_errors}",
        "dump_payload_sanitizations:0",
        f"total_reads_processed:{stats.total_reads_processed}",
        f"total_writes_processed:{stats.total_writes_processed}",
        "io_threaded_reads_processed:0",
        "io_threaded_writes_processed:0",
        "reply_buffer_shrinks:0",
        "reply_buffer_expands:0",
    ]


def cpu_section(server: Server) -> list[str]:
    system, user, children_system, children_user = server.edge.cpu_seconds()
    return [
        f"used_cpu_sys:{system:.6f}",
        f"used_cpu_user:{user:.6f}",
        f"used_cpu_sys_children:{children_system:.6f}",
        f"used_cpu_user_children:{children_user:.6f}",
        f"used_cpu_sys_main_thread:{system:.6f}",
        f"used_cpu_user_main_thread:{user:.6f}",
    ]
