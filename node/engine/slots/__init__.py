"""Slots and keys on their way between nodes, as the engine sees them, and what is freed in pieces."""
