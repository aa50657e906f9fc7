"""Each key is a collection: what was put in is there until somebody takes it, and is taken once.

Every element is put in once, so what must hold can be told without a search. Somebody who reads finds each element
whose putting-in was acknowledged before, and none whose taking-out was. An operation whose outcome is unknown may have
happened at any time from its beginning on, or never: one that takes may have taken any element.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from tests.sim.operations import DONE, UNKNOWN, Operation


def never(_: Operation) -> bool:
    return False


def lost_elements(
    operations: Sequence[Operation], final: Sequence[str], may_be_lost: Callable[[Operation], bool] = never
) -> list[Operation]:
    """Acknowledged additions of what is not in ``final`` although nobody can have taken it.

    Of two that are missing where one may have been taken, that is the one that may not be lost, or else the older one.
    """
    kept = {*final, *(o.value for o in operations if o.takes and o.outcome == DONE)}
    missing = [o for o in operations if o.writes and o.outcome == DONE and o.value not in kept]
    return sorted(missing, key=lambda o: (may_be_lost(o), o.ended_us))[len(unknown_takers(operations)) :]


def unknown_takers(operations: Iterable[Operation]) -> list[Operation]:
    """Who may have taken an element without a word."""
    return [o for o in operations if o.takes and o.outcome == UNKNOWN]


def strange_elements(operations: Sequence[Operation], final: Sequence[str]) -> list[str]:
    """Why these operations on one key, which have ended, cannot have left ``final``; empty if they can."""
    put = {o.value: o for o in operations if o.writes and o.outcome in (DONE, UNKNOWN)}
    found = [f"{element} is there twice" for element in twice(final)]
    found += [f"{element} is there, and nobody put it in" for element in final if element not in put]
    left = set(final)
    taken: dict[str, Operation] = {}
    for o in operations:
        if not o.takes or o.outcome != DONE or o.value is None:
            continue
        if o.value not in put:
            found.append(f"{o} took what nobody put in")
        elif o.ended_us < put[o.value].began_us:
            found.append(f"{o} took what was put in later")
        if o.value in taken:
            found.append(f"{o} took what {taken[o.value]} had taken")
        if o.value in left:
            found.append(f"{o} took what is still there")
        taken[o.value] = o
    sure = [o for o in operations if o.writes and o.outcome == DONE]
    for o in operations:
        if o.reads and o.outcome == DONE:
            most = sum(taker.began_us < o.ended_us for taker in unknown_takers(operations))
            found += strange_finds(o, sure, taken, most)
    return found


def strange_finds(read: Operation, sure: Sequence[Operation], taken: Mapping[str, Operation], most: int) -> list[str]:
    """What is wrong with what ``read`` found.

    ``sure``: acknowledged additions; ``taken``: who took an element; ``most``: so many more may have been taken.
    """
    elements = (read.value or "").split()
    found = [f"{read} found {element} twice" for element in twice(elements)]
    found += [f"{read} found {e}, taken before" for e in elements if e in taken and taken[e].ended_us < read.began_us]
    there = set(elements)
    missing = [
        o
        for o in sure
        if o.ended_us < read.began_us and o.value not in there
        if (taker := taken.get(o.value or "")) is None or taker.began_us > read.ended_us
    ]
    if len(missing) > most:
        found.append(f"{read} did not find what {missing[-1]} had put in")
    return found


def twice(elements: Iterable[str]) -> list[str]:
    return sorted(element for element, count in Counter(elements).items() if count > 1)
