"""Hashes: fields and their values, and when fields expire."""
