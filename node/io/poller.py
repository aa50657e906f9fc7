"""Readiness of many sockets behind one descriptor: epoll on Linux, kqueue elsewhere, with the same verbs.

The descriptor itself (``fileno``) is readable when any socket is ready, so a framework can wait on that one alone.
"""

import sys

if sys.platform == "linux":
    from gossamer.node.io.epoll import Poller
else:
    from gossamer.node.io.kqueue import Poller

__all__ = ["Poller"]
