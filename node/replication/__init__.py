"""Both halves of PSYNC, without sockets: what a primary streams, what a replica makes of it, the history they share."""
