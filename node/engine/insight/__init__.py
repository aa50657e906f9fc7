"""What the node tells of itself: counters, SLOWLOG, LATENCY."""
