"""Which searches look into sorted sets: those in C (``search.h``) beside compiled modules, else ``plain_search.py``."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gossamer.node.store.plain_search import count_less, count_up_to, place_of
else:
    try:
        from gossamer.node.store.native import count_less, count_up_to, place_of
    except ImportError:
        from gossamer.node.store.plain_search import count_less, count_up_to, place_of

__all__ = ["count_less", "count_up_to", "place_of"]
