"""Who writes requests as RESP has them: C (``request.h``) beside compiled modules, else its twin."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gossamer.node.store.plain_request import encoded
else:
    try:
        from gossamer.node.store.native import encoded
    except ImportError:
        from gossamer.node.store.plain_request import encoded

__all__ = ["encoded"]
