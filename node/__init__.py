"""One process that serves a part of the cluster."""

from gossamer import cluster as cluster  # settles which build runs, before any hot module is imported
