"""Which functions make ids and entries of streams, and show entries to clients: those in C beside compiled modules
(``stream_entry.h``, ``stream_entries.h``), else their twins (``plain_stream_entries.py``), which say what each does.

``encode_entries`` has no twin: where it is None, whoever would call it goes from entry to entry.
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
    from gossamer.node.store.plain_stream_entries import id_after, id_text, pack_entry
else:
    try:
        from gossamer.node.store.native import encode_entries, id_after, id_text, pack_entry
    except ImportError:
        from gossamer.node.store.plain_stream_entries import id_after, id_text, pack_entry

        encode_entries = None

__all__ = ["encode_entries", "id_after", "id_text", "pack_entry"]
