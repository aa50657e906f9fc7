"""Connections that the node dials for its data: who speaks on them, and when they end. No sockets."""
