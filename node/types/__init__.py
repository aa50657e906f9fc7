"""Structures that know no commands, one file a data type; none yet: strings are ``bytes`` and ``bytearray``."""
