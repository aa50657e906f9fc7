"""The commands that make a value again, as a rewritten append-only file would have them: one module a type."""
