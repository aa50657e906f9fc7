"""HyperLogLog: about how many distinct elements were added, in a string of at most 12 KB. Bytes are Redis' own."""
