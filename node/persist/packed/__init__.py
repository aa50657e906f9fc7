"""Containers that hold many elements in one string of RDB. Each is decoded and encoded whole."""
