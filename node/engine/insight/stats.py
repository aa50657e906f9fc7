"""Counters of a node, named as INFO names them. CONFIG RESETSTAT puts most of them back to zero."""

from gossamer.node.engine.insight.rates import Rate


class Stats:
    def __init__(self) -> None:
        self.ops: Rate = Rate()
        self.input: Rate = Rate()
        self.output: Rate = Rate()
        self.reset()

    def reset(self) -> None:
        """CONFIG RESETSTAT: count from zero."""
        self.total_connections_received: int = 0
        self.total_commands_processed: int = 0
        self.total_net_input_bytes: int = 0
        self.total_net_output_bytes: int = 0
        self.rejected_connections: int = 0
        self.expired_keys: int = 0
        self.expired_fields: int = 0
        """Of hashes."""
        self.evicted_keys: int = 0
        self.evicted_clients: int = 0
        self.lazyfreed_objects: int = 0
        """Keys and values that were freed lazily: see ``lazyfree.py``."""
        self.total_eviction_exceeded_us: int = 0
        self.expired_stale_perc: float = 0.0
        self.expired_time_cap_reached_count: int = 0
        self.expire_cycle_us: int = 0
        self.keyspace_hits: int = 0
        self.keyspace_misses: int = 0
        self.total_error_replies: int = 0
        self.total_reads_processed: int = 0
        self.total_writes_processed: int = 0
        self.client_query_buffer_limit_disconnections: int = 0
        self.client_output_buffer_limit_disconnections: int = 0
        self.full_syncs: int = 0
        """Of replicas by this node; ``refused_partial_syncs`` are those that became full ones."""
        self.partial_syncs: int = 0
        self.refused_partial_syncs: int = 0
        self.total_forks: int = 0
        """Saves and rewrites that were begun in the background: Redis forks for each."""
        self.unexpected_errors: int = 0
        """Exceptions that cost a client or a link: see ``unexpected.py``."""
        self.errors: dict[bytes, int] = {}
        """Error replies by their code: ``errorstat_ERR``."""

    def sample(self, now_ms: int) -> None:
        """For the ``instantaneous`` fields: see ``Rate.sample``."""
        self.ops.sample(now_ms, self.total_commands_processed)
        self.input.sample(now_ms, self.total_net_input_bytes)
        self.output.sample(now_ms, self.total_net_output_bytes)

    def count_error(self, text: bytes) -> None:
        self.total_error_replies += 1
        code = text.split(b" ", 1)[0]
        if len(self.errors) < 128 or code in self.errors:
            self.errors[code] = self.errors.get(code, 0) + 1
