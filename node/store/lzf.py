"""Which LZF packs strings: the one in C (``lzf.h``) beside compiled modules, else its twin (``plain_lzf.py``)."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gossamer.node.store.plain_lzf import compress, decompress
else:
    try:
        from gossamer.node.store.native import compress, decompress
    except ImportError:
        from gossamer.node.store.plain_lzf import compress, decompress

__all__ = ["compress", "decompress"]
