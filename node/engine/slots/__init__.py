"""Slots and keys on their way between nodes, as the engine sees them."""
