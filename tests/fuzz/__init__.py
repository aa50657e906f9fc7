"""Damaged bytes whose checksum is right: RESTORE and a full sync take them or say why not, and stay sound.

    python -m tests.fuzz --seed 1 --count 200000

What was taken must be a proper value: it can be read, changed, dumped and restored again, and freed.
"""
