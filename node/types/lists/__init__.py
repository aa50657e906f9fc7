"""Lists: elements as they are sent, packed into one run of bytes each, or into a chain of such runs."""
