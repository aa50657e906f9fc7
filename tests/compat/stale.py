"""Keys whose time is over but which are still there: both servers keep them, for nobody deletes them unasked."""

import contextlib
from collections.abc import Iterator

from tests.compat.pair import Pair


@contextlib.contextmanager
def without_active_expiry(pair: Pair) -> Iterator[None]:
    """In here only a look at a key deletes it. ``SET key value PXAT 1`` makes one whose time is over at once."""
    pair.tell_redis("DEBUG", "SET-ACTIVE-EXPIRE", "0")
    try:
        yield
    finally:
        pair.tell_redis("DEBUG", "SET-ACTIVE-EXPIRE", "1")
