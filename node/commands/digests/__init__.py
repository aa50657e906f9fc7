"""What DEBUG DIGEST mixes of a value: one module a type."""
