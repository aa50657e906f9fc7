"""How many slots each primary should have, and which ones go where: arithmetic without a cluster.

No slot moves that could stay, and what moves goes in few ranges: a range is cut only where none fits whole, and what is
handed over preferably continues what the taker has.
"""

from collections.abc import Mapping, Sequence
from math import floor
from typing import TypeAlias

from gossamer.cluster.topology import NodeId

Range: TypeAlias = tuple[int, int]
Ranges: TypeAlias = Sequence[Range]
"""Closed ranges of slots, ascending, apart from each other."""

Transfer: TypeAlias = tuple[NodeId, NodeId, list[Range]]
"""From, to, which."""


def evened(have: Mapping[NodeId, int], weights: Mapping[NodeId, float]) -> dict[NodeId, int]:
    """All slots shared out by weight: each gets its exact share, rounded down or up. Rounded up are those that have the
    slot anyhow, then those that lose most by rounding."""
    total, weight = sum(have.values()), sum(weights.values())
    exact = {node: total * weights[node] / weight for node in have}
    wanted = {node: floor(share + 1e-9) for node, share in exact.items()}  # a share of 4096 may compute as 4095.999…
    lost = {node: exact[node] - wanted[node] for node in have}
    favour = sorted(have, key=lambda node: (lost[node] > 1e-6, have[node] > wanted[node], lost[node]), reverse=True)
    for node in favour[: total - sum(wanted.values())]:
        wanted[node] += 1
    return wanted


def filled(have: Mapping[NodeId, int], extra: int) -> dict[NodeId, int]:
    """``extra`` slots given to those who have the fewest, so that these end up alike; nobody gives any away."""
    wanted = dict(have)
    poorest = sorted(have, key=lambda node: have[node])
    for count, node in enumerate(poorest, 1):
        level = wanted[poorest[count]] if count < len(poorest) else None
        room = None if level is None else (level - wanted[node]) * count
        if room is None or room >= extra:
            each, rest = divmod(extra, count)
            for at, other in enumerate(poorest[:count]):
                wanted[other] += each + (at < rest)
            return wanted
        for other in poorest[:count]:
            wanted[other] += room // count
        extra -= room
    return wanted


def transfers(held: Mapping[NodeId, Ranges], wanted: Mapping[NodeId, int]) -> list[Transfer]:
    """From those who hold more than is ``wanted`` to those who hold less; the sums are equal."""
    left = {node: list(held.get(node, ())) for node in wanted}
    spare = {node: size(left[node]) - wanted[node] for node in wanted}
    givers = sorted((node for node in wanted if spare[node] > 0), key=lambda node: -spare[node])
    takers = sorted((node for node in wanted if spare[node] < 0), key=lambda node: spare[node])
    out: list[Transfer] = []
    for giver in givers:
        while spare[giver]:
            taker = next((t for t in takers if spare[t] == -spare[giver]), None)  # an even bargain needs no second one
            taker = taker or next(t for t in takers if spare[t])
            count = min(spare[giver], -spare[taker])
            given = _carve(left[giver], count, left[taker])
            left[taker] = merged([*left[taker], *given])
            spare[giver] -= count
            spare[taker] += count
            out.append((giver, taker, given))
    return out


def _carve(held: list[Range], count: int, other: Ranges) -> list[Range]:
    """Take ``count`` slots out of ``held``, in as few ranges as can be; beside ``other``'s if that costs none."""
    firsts = {first for first, _ in other}
    afters = {last + 1 for _, last in other}
    out: list[Range] = []
    while count:
        first, last = best = _best(held, count, firsts, afters)
        held.remove(best)
        if size([best]) <= count:
            given = best
        elif first in afters:
            given = (first, first + count - 1)
            held.append((first + count, last))
        else:
            given = (last - count + 1, last)
            held.append((first, last - count))
        count -= size([given])
        out.append(given)
    return sorted(out)


def _best(held: Ranges, count: int, firsts: set[int], afters: set[int]) -> Range:
    """The range to take, or to cut from: the largest, if none has enough; else preferably one that fits exactly, then
    one beside the taker's own."""
    enough = [piece for piece in held if size([piece]) >= count]

    def merit(piece: Range) -> tuple[bool, bool, int]:
        first, last = piece
        return size([piece]) == count, first in afters or last + 1 in firsts, size([piece])

    return max(enough, key=merit) if enough else max(held, key=lambda piece: size([piece]))


def merged(pieces: Ranges) -> list[Range]:
    """Ascending, neighbours joined."""
    out: list[Range] = []
    for first, last in sorted(pieces):
        if out and out[-1][1] + 1 == first:
            out[-1] = (out[-1][0], last)
        else:
            out.append((first, last))
    return out


def size(held: Ranges) -> int:
    return sum(last - first + 1 for first, last in held)
