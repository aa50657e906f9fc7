"""Data beyond memory: values that nobody has used for long are put away on the disk, and come back when asked for."""
