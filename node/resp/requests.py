"""Who parses and encodes requests, and reads plain numbers: ``native.c``, or its twin (``plain.py``)."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gossamer.node.resp.plain import append_encoded, encoded, parse_request, parse_requests, plain_double
else:
    try:
        from gossamer.node.resp.native import append_encoded, encoded, parse_request, parse_requests, plain_double
    except ImportError:
        from gossamer.node.resp.plain import append_encoded, encoded, parse_request, parse_requests, plain_double

__all__ = ["append_encoded", "encoded", "parse_request", "parse_requests", "plain_double"]
