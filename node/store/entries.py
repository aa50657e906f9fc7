"""Which functions make ids and entries of streams: those in C (``stream_entry.h``) beside compiled modules, else their
twins (``plain_entries.py``), which say what each promises."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gossamer.node.store.plain_entries import id_after, id_text, pack_entry
else:
    try:
        from gossamer.node.store.native import id_after, id_text, pack_entry
    except ImportError:
        from gossamer.node.store.plain_entries import id_after, id_text, pack_entry

__all__ = ["id_after", "id_text", "pack_entry"]
