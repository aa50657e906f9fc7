"""Who parses and encodes requests, and has plain numbers as text: ``native.c``, or its twin (``plain.py``)."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gossamer.node.resp.plain import (
        append_encoded,
        encoded,
        parse_request,
        parse_requests,
        plain_double,
        whole_text,
    )
else:
    try:
        from gossamer.node.resp.native import (
            append_encoded,
            encoded,
            parse_request,
            parse_requests,
            plain_double,
            whole_text,
        )
    except ImportError:
        from gossamer.node.resp.plain import (
            append_encoded,
            encoded,
            parse_request,
            parse_requests,
            plain_double,
            whole_text,
        )

__all__ = ["append_encoded", "encoded", "parse_request", "parse_requests", "plain_double", "whole_text"]
