"""The directives that say up to which size a value keeps its small form: ``hash-max-listpack-entries`` and its like."""

from typing import Final

from gossamer.node.config import Config
from gossamer.node.types.limits import EncodingLimits

NAMES: Final = (
    "hash-max-listpack-entries",
    "hash-max-listpack-value",
    "list-max-listpack-size",
    "set-max-intset-entries",
    "set-max-listpack-entries",
    "set-max-listpack-value",
    "zset-max-listpack-entries",
    "zset-max-listpack-value",
    "hll-sparse-max-bytes",
    "stream-node-max-bytes",
    "stream-node-max-entries",
)


class Encodings(EncodingLimits):
    """The limits as ``config`` has them now. A value that is over a new limit changes its form with its next change."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config: Config = config
        config.obey(NAMES, self.read)

    def read(self) -> str | None:
        """Put the directives into force."""
        number = self.config.integer
        self.hash_max_listpack_entries = number("hash-max-listpack-entries")
        self.hash_max_listpack_value = number("hash-max-listpack-value")
        self.list_max_listpack_size = number("list-max-listpack-size")
        self.set_max_intset_entries = number("set-max-intset-entries")
        self.set_max_listpack_entries = number("set-max-listpack-entries")
        self.set_max_listpack_value = number("set-max-listpack-value")
        self.zset_max_listpack_entries = number("zset-max-listpack-entries")
        self.zset_max_listpack_value = number("zset-max-listpack-value")
        self.hll_sparse_max_bytes = number("hll-sparse-max-bytes")
        self.stream_node_max_bytes = number("stream-node-max-bytes")
        self.stream_node_max_entries = number("stream-node-max-entries")
        return None
