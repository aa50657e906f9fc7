"""Slots that move between nodes as a whole, without sockets: the job, its two ends, and all the jobs of a node."""
