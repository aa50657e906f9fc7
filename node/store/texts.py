"""Which functions take lists of byte strings apart and together: those in C (``texts.h``) beside compiled modules, else
their twins (``plain_texts.py``, ``plain_listpack.py``), which say what each promises.

``read_strings`` and ``put_strings`` have no twin: where they are None, who would call them goes from string to string.
``read_strings`` reads so many strings of an RDB from a place on, or as many of them as are whole and plain, and says
where they end; ``put_strings`` appends strings as they stand in an RDB.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    read_strings: Callable[[bytes, int, int], tuple[list[bytes], int]] | None
    put_strings: Callable[[bytearray, list[bytes], bool], None] | None
    from gossamer.node.store.plain_listpack import from_listpack, listpack_length, listpack_size, to_listpack
    from gossamer.node.store.plain_texts import (
        from_pack,
        from_run,
        from_scored,
        repack,
        to_item,
        to_pack,
        to_run,
        to_scored,
    )
else:
    try:
        from gossamer.node.store.native import (
            from_listpack,
            from_pack,
            from_run,
            from_scored,
            listpack_length,
            listpack_size,
            put_strings,
            read_strings,
            repack,
            to_item,
            to_listpack,
            to_pack,
            to_run,
            to_scored,
        )
    except ImportError:
        from gossamer.node.store.plain_listpack import from_listpack, listpack_length, listpack_size, to_listpack
        from gossamer.node.store.plain_texts import (
            from_pack,
            from_run,
            from_scored,
            repack,
            to_item,
            to_pack,
            to_run,
            to_scored,
        )

        read_strings = put_strings = None

__all__ = [
    "from_listpack",
    "from_pack",
    "from_run",
    "from_scored",
    "listpack_length",
    "listpack_size",
    "put_strings",
    "read_strings",
    "repack",
    "to_item",
    "to_listpack",
    "to_pack",
    "to_run",
    "to_scored",
]
