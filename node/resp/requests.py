"""Who parses and encodes requests: ``native.c`` beside compiled modules, else its twin (``plain.py``)."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gossamer.node.resp.plain import append_encoded, encoded, parse_request, parse_requests
else:
    try:
        from gossamer.node.resp.native import append_encoded, encoded, parse_request, parse_requests
    except ImportError:
        from gossamer.node.resp.plain import append_encoded, encoded, parse_request, parse_requests

__all__ = ["append_encoded", "encoded", "parse_request", "parse_requests"]
