"""Gossamer: a Redis-Cluster-compatible store. The one name that an installation brings to where others have theirs.

In the repository the packages beside this file are links to the folders at its top.
"""
