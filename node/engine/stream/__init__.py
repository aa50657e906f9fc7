"""The stream of writes: how it is made, and what of it is acknowledged."""
