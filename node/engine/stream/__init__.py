"""What is told of writes and to whom, and what of it is acknowledged."""
