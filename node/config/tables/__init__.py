"""Every directive of Redis 7.2, by topic. Names, limits and defaults are those that 7.0.15 shows."""
