"""How nodes come to agree on a cluster, as a state machine: no I/O; clock and randomness are arguments."""
