"""The append-only file: its manifest as text, and its bytes as commands."""
