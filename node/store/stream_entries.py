"""Who encodes entries of a stream for a client: ``stream_entries.h`` beside compiled modules; without it
``encode_entries`` is None, and whoever would call it goes from entry to entry.

``encode_entries(data, at, fields, *master, *first, *last, most)``: up to ``most`` live entries from ``first`` on, none
behind ``last``, as RESP, from ``at`` on in the data of a node; how many these are; and where the entry behind them
begins, -1 if that is behind ``last``. Ids are two numbers each. ValueError if an entry is damaged.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    encode_entries: (
        Callable[[bytes, int, list[bytes], int, int, int, int, int, int, int], tuple[bytes, int, int]] | None
    )
else:
    try:
        from gossamer.node.store.native import encode_entries
    except ImportError:
        encode_entries = None

__all__ = ["encode_entries"]
