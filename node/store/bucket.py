"""Which buckets and searches sorted sets stand on: in C (``zbucket.h``) beside compiled modules, else their twins."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gossamer.node.store.plain_bucket import Bucket
    from gossamer.node.store.plain_search import count_less, count_up_to
else:
    try:
        from gossamer.node.store.native import Bucket, count_less, count_up_to
    except ImportError:
        from gossamer.node.store.plain_bucket import Bucket
        from gossamer.node.store.plain_search import count_less, count_up_to

__all__ = ["Bucket", "count_less", "count_up_to"]
