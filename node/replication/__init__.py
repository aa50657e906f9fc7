"""Both halves of PSYNC as pure state: what a primary streams, what a replica makes of it, and the history they share."""
