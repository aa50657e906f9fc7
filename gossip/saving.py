"""One write for several Saves: what whoever performs effects may leave out.

Of several that wait, only the last has to be written, in the place of the first: it holds all that was in the earlier
ones, and everything that depended on one of them still stands behind it. It is synced if one of them is.
"""

from typing import TypeVar

from gossamer.gossip.effects import Save

E = TypeVar("E")


def merge_saves(waiting: list[E]) -> list[E | Save]:
    """``waiting`` with at most one Save in it; whatever else stands there keeps its order."""
    saves = [at for at, effect in enumerate(waiting) if isinstance(effect, Save)]
    if len(saves) < 2:
        return list(waiting)
    first, last = saves[0], one_for_all([effect for effect in waiting if isinstance(effect, Save)])
    return [last if at == first else e for at, e in enumerate(waiting) if at == first or not isinstance(e, Save)]


def one_for_all(saves: list[Save]) -> Save:
    """What has to be written when all of these wait, in this order."""
    return Save(saves[-1].topology, any(save.synced for save in saves))
