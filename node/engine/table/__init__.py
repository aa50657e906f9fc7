"""The command table: what is known of each command, and where its keys stand."""
