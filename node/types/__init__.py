"""Structures that know no commands, a module or a folder a data type. Strings are ``bytes`` and ``bytearray``."""
