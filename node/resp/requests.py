"""Who cuts requests from the input and puts them together: ``native.c`` beside compiled modules, else its twin."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gossamer.node.resp.plain import encoded, one, several
else:
    try:
        from gossamer.node.resp.native import encoded, one, several
    except ImportError:
        from gossamer.node.resp.plain import encoded, one, several

__all__ = ["encoded", "one", "several"]
