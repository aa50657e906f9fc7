"""Each key is a collection, a list or a set: what was put in is there until somebody takes it, and is taken once.

Every element is put in once, so what must hold can be told without a search. Somebody who reads finds each element
whose putting-in was acknowledged before, and none whose taking-out was. An operation whose outcome is unknown may have
happened at any time from its beginning on, or never: one that takes may have taken any element.
"""

from collections.abc import Iterable, Sequence

from tests.sim.operations import DONE, UNKNOWN, Operation


def lost_elements(operations: Iterable[Operation], final: Sequence[str]) -> list[Operation]:
    """Acknowledged additions of what is not in ``final`` although nobody can have taken it; the newest of them."""
    taken = {o.value for o in operations if o.takes and o.outcome == DONE}
    missing = [
        o for o in operations if o.writes and o.outcome == DONE and o.value not in taken and o.value not in final
    ]
    return sorted(missing, key=lambda o: o.ended_us)[takers_unknown(operations) :]


def takers_unknown(operations: Iterable[Operation], before_us: float = float("inf")) -> int:
    """How many may have taken an element without a word."""
    return sum(1 for o in operations if o.takes and o.outcome == UNKNOWN and o.began_us < before_us)


def strange_elements(operations: Sequence[Operation], final: Sequence[str]) -> list[str]:
    """Why these operations on one key, which have ended, cannot have left ``final``; empty if they can."""
    put = {o.value: o for o in operations if o.writes and o.outcome in (DONE, UNKNOWN)}
    found = [f"{element} is there twice" for element in sorted({e for e in final if final.count(e) > 1})]
    found += [f"{element} is there, and nobody put it in" for element in final if element not in put]
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
        if o.value in final:
            found.append(f"{o} took what is still there")
        taken[o.value] = o
    for o in operations:
        if o.reads and o.outcome == DONE:
            found += strange_finds(o, operations, taken)
    return found


def strange_finds(read: Operation, operations: Sequence[Operation], taken: dict[str, Operation]) -> list[str]:
    """What is wrong with what ``read`` found; ``taken``: who took an element."""
    elements = (read.value or "").split()
    found = [f"{read} found {e} twice" for e in sorted({e for e in elements if elements.count(e) > 1})]
    found += [f"{read} found {e}, taken before" for e in elements if e in taken and taken[e].ended_us < read.began_us]
    missing = [
        o
        for o in operations
        if o.writes and o.outcome == DONE and o.ended_us < read.began_us and o.value not in elements
        if o.value not in taken or taken[o.value].began_us > read.ended_us
    ]
    if len(missing) > takers_unknown(operations, read.ended_us):
        found.append(f"{read} did not find what {missing[-1]} had put in")
    return found
