"""Streams and their consumer groups: entries in packed nodes, pending entries in chunks."""
