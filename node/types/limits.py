"""Up to which size a value keeps its small form: what OBJECT ENCODING and the RDB show of it hangs on that."""

from typing import Final


class EncodingLimits:
    """One node's, by the directives of the same names; the values are Redis' defaults.

    Sizes of elements and nodes are in bytes. ``list_max_listpack_size``: elements of a node, or, if negative, one of
    -1 to -5 for nodes of 4, 8, 16, 32 and 64 KB.
    """

    def __init__(self) -> None:
        self.hash_max_listpack_entries: int = 512
        self.hash_max_listpack_value: int = 64
        self.list_max_listpack_size: int = -2
        self.set_max_intset_entries: int = 512
        self.set_max_listpack_entries: int = 128
        self.set_max_listpack_value: int = 64
        self.zset_max_listpack_entries: int = 128
        self.zset_max_listpack_value: int = 64
        self.hll_sparse_max_bytes: int = 3000
        self.stream_node_max_bytes: int = 4096
        self.stream_node_max_entries: int = 100


DEFAULTS: Final = EncodingLimits()
"""For values that no node owns. Nobody changes it."""
