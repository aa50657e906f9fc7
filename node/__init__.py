"""One process that serves a part of the cluster."""

import cluster as cluster  # settles which build runs, before any hot module is imported
