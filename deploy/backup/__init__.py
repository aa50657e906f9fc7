"""Data of running servers as files in a folder, and back: ``gossamer backup``, ``restore`` and ``import``."""
