"""Sets: the integers of a small one, packs of members, buckets of packs for a large one, and ``Set`` before them."""
