"""Which buckets, shards and searches sorted sets stand on: in C beside compiled modules, else their twins."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gossamer.node.store.plain_bucket import Bucket
    from gossamer.node.store.plain_search import count_less, count_up_to
    from gossamer.node.store.plain_shards import give_score, shard_of
    from gossamer.node.store.plain_zorder import order_add, order_index, order_leave, order_pop
else:
    try:
        from gossamer.node.store.native import (
            Bucket,
            count_less,
            count_up_to,
            give_score,
            order_add,
            order_index,
            order_leave,
            order_pop,
            shard_of,
        )
    except ImportError:
        from gossamer.node.store.plain_bucket import Bucket
        from gossamer.node.store.plain_search import count_less, count_up_to
        from gossamer.node.store.plain_shards import give_score, shard_of
        from gossamer.node.store.plain_zorder import order_add, order_index, order_leave, order_pop

__all__ = [
    "Bucket",
    "count_less",
    "count_up_to",
    "give_score",
    "order_add",
    "order_index",
    "order_leave",
    "order_pop",
    "shard_of",
]
