"""The places that a search has found, in the order in which they are told."""

from typing import Final

from gossamer.node.commands.geo.arguments import degrees, distance_text
from gossamer.node.commands.geo.query import FARTHEST_FIRST, UNORDERED, Query
from gossamer.node.resp.reply import Reply
from gossamer.node.types.geo.cells import place_of
from gossamer.node.types.geo.cover import cover
from gossamer.node.types.geo.shapes import OUTSIDE, Shape
from gossamer.node.types.limits import EncodingLimits
from gossamer.node.types.zsets.bounds import ScoreRange
from gossamer.node.types.zsets.zset import ZSet

PIECE: Final = 256
"""Members that are looked at before it is asked whether there are enough."""
LONG_MIN: Final = -(1 << 63)


class Found:
    """Lists of equal length: members, their scores, where they are, how far that is in metres."""

    def __init__(self) -> None:
        self.members: list[bytes] = []
        self.scores: list[float] = []
        self.places: list[tuple[float, float]] = []
        self.distances: list[float] = []

    def add(self, shape: Shape, members: list[bytes], scores: list[float], limit: int) -> None:
        """Those of ``members`` that are within ``shape``, until there are ``limit`` in all (0: all)."""
        for index in range(len(members)):
            longitude, latitude = place_of(scores[index])
            distance = shape.distance(longitude, latitude)
            if distance != OUTSIDE:
                self.members.append(members[index])
                self.scores.append(scores[index])
                self.places.append((longitude, latitude))
                self.distances.append(distance)
                if limit and len(self.members) >= limit:
                    return


def search(zset: ZSet, query: Query) -> Found:
    """All places that ``query`` asks for, as they stand in the cells that cover its shape."""
    found = Found()
    shape = query.shape()
    limit = query.count if query.any else 0
    for cell in cover(shape):
        at, stop = zset.slice_by_score(ScoreRange(cell.low(), cell.high(), False, True))
        while at < stop:
            end = min(at + PIECE, stop)
            found.add(shape, zset.members(at, end), zset.scores(at, end), limit)
            if limit and len(found.members) >= limit:
                return found
            at = end
    return found


def chosen(found: Found, query: Query) -> list[int]:
    """Which of the places are told, in their order."""
    order = list(range(len(found.members)))
    if query.order != UNORDERED:
        order = sorted(order, key=found.distances.__getitem__, reverse=query.order == FARTHEST_FIRST)
    return order[: query.count] if query.count else order


def told(found: Found, query: Query) -> list[Reply]:
    """The reply of a search that stores nothing."""
    out: list[Reply] = []
    plain = not (query.with_distance or query.with_score or query.with_place)
    for index in chosen(found, query):
        if plain:
            out.append(found.members[index])
            continue
        item: list[Reply] = [found.members[index]]
        if query.with_distance:
            item.append(distance_text(found.distances[index] / query.unit))
        if query.with_score:
            item.append(whole(found.scores[index]))
        if query.with_place:
            longitude, latitude = found.places[index]
            item.append([degrees(longitude), degrees(latitude)])
        out.append(item)
    return out


def whole(score: float) -> int:
    """What x86-64 makes of a double as a signed number of 64 bits."""
    return int(score) if LONG_MIN <= score < -LONG_MIN else LONG_MIN


def as_zset(found: Found, query: Query, limits: EncodingLimits) -> ZSet:
    """What a search stores."""
    zset = ZSet()
    for index in chosen(found, query):
        score = found.distances[index] / query.unit if query.by_distance else found.scores[index]
        zset.add(found.members[index], score, limits)
    return zset
