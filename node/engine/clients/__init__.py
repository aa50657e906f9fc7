"""Who is connected: what a client is, what it may, what it waits for, what is told to all."""
