"""One durable write for several promises: what whoever performs effects may leave out.

Of several Saves that wait, only the last has to be written, in the place of the first: it holds all that the earlier
ones promised, and everything that depended on one of them still stands behind it.
"""

from typing import TypeVar

from gossip.effects import Save

E = TypeVar("E")


def merge_saves(waiting: list[E]) -> list[E]:
    """``waiting`` with at most one Save in it; whatever else stands there keeps its order."""
    saves = [at for at, effect in enumerate(waiting) if isinstance(effect, Save)]
    if len(saves) < 2:
        return waiting
    first, last = saves[0], waiting[saves[-1]]
    return [last if at == first else e for at, e in enumerate(waiting) if at == first or not isinstance(e, Save)]
