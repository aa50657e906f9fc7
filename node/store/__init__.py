"""The table of keys: in C where the build has a compiler, in Python elsewhere, behind one interface."""
