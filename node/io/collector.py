"""The collector of cycles, which must not be felt: it looks at what is young, and never at the data.

Data and connections hold no cycles, so their references free them. Tasks and exceptions may, which are short-lived. So
what has outlived two collections is not looked at again: a collection of everything takes 0.3 s for a million values
that are lists or sets, in one piece.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

NEVER: Final = 1 << 30

THRESHOLDS: Final = (5_000, 4, NEVER)
"""Objects more than at the last collection; collections of the youngest before one of those that outlived it; of these
before one of everything. So a collection looks at 20,000 objects at most, for some milliseconds."""


def spare_what_lives_long() -> None:
    """To be called when the node is ready. What lives by now lives as long as the process."""
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)


@contextmanager
def at_rest() -> Iterator[None]:
    """While data comes, millions of objects that all stay: looking at them takes a seventh of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
