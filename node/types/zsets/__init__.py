"""Sorted sets: ``zset.py`` is the value, ``packed.py`` its small form, ``large.py`` its large one."""
