"""Who cuts whole requests from the input: ``native.c`` beside compiled modules, else ``plain.py``, which says how."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gossamer.node.resp.plain import one, several
else:
    try:
        from gossamer.node.resp.native import one, several
    except ImportError:
        from gossamer.node.resp.plain import one, several

__all__ = ["one", "several"]
