"""Files at rest, sealed: bytes in, chunks out that nobody can read or change without the key, and back."""
