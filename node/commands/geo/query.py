"""What GEORADIUS, GEOSEARCH and their kin ask for (geo.c). Options may come in any order, and the last one counts."""

from typing import Final

from gossamer.node.commands.geo.arguments import box, place, radius
from gossamer.node.commands.numbers import integer, integer_or_none
from gossamer.node.resp.errors import (
    ANY_WITHOUT_COUNT,
    COUNT_POSITIVE,
    GEO_MEMBER,
    POLYGON_CORNERS,
    POLYGON_NUMBER,
    SYNTAX,
    Refusal,
    c_string,
    one_line,
)
from gossamer.node.types.geo.cells import place_of
from gossamer.node.types.geo.shapes import Box, Circle, Polygon, Shape
from gossamer.node.types.zsets.zset import ZSet

# which request it is
RADIUS: Final = 1
"""GEORADIUS and GEORADIUSBYMEMBER, which say where and how far before their options."""
STORING: Final = 2
"""It may have a STORE option, or is GEOSEARCHSTORE."""

# where places are looked for
FROM_MEMBER: Final = 1
FROM_PLACE: Final = 2
IN_CIRCLE: Final = 4
IN_BOX: Final = 8
IN_POLYGON: Final = 16

INT_MAX: Final = 2**31 - 1

UNORDERED: Final = 0
NEAREST_FIRST: Final = 1
FARTHEST_FIRST: Final = 2


class Query:
    """``kind``: flags of the request. ``target``: the key that the places are stored at. ``zset``: the places, None if
    there are none; the request is refused for what is wrong with it all the same."""

    def __init__(self, kind: int, zset: ZSet | None, target: bytes | None = None) -> None:
        self.kind: int = kind
        self.zset: ZSet | None = zset
        self.target: bytes | None = target
        self.where: int = 0
        self.longitude: float = 0.0
        self.latitude: float = 0.0
        self.width: float = 0.0
        """Or the radius."""
        self.height: float = 0.0
        self.unit: float = 1.0
        self.corners: list[tuple[float, float]] = []
        self.order: int = UNORDERED
        self.count: int = 0
        """At most so many places; 0: all."""
        self.any: bool = False
        """Any of them will do."""
        self.with_place: bool = False
        self.with_distance: bool = False
        self.with_score: bool = False
        self.by_distance: bool = False
        """The scores that are stored are distances."""

    def shape(self) -> Shape:
        if self.where & IN_POLYGON:
            return Polygon(self.corners)
        if self.where & IN_BOX:
            return Box(self.longitude, self.latitude, self.width, self.height, self.unit)
        return Circle(self.longitude, self.latitude, self.width * self.unit)

    # --- reading

    def around_place(self, argv: list[bytes], at: int) -> None:
        self.longitude, self.latitude = place(argv, at)
        self.where |= FROM_PLACE

    def around_member(self, member: bytes) -> None:
        self.where |= FROM_MEMBER
        if self.zset is not None:
            score = self.zset.score(member)
            if score is None:
                raise Refusal(GEO_MEMBER)
            self.longitude, self.latitude = place_of(score)

    def in_circle(self, argv: list[bytes], at: int) -> None:
        self.width, self.unit = radius(argv, at)
        self.where |= IN_CIRCLE

    def read(self, argv: list[bytes], at: int) -> None:
        """The options from ``argv[at]`` on."""
        while at < len(argv):
            word = argv[at].upper()
            left = len(argv) - at - 1
            used = self._plain(word)
            if used == 0:
                used = self._with_values(word, argv, at + 1, left)
            if used == 0 and not self.kind & RADIUS:
                used = self._area(word, argv, at + 1, left)
            if used == 0:
                raise Refusal(SYNTAX)
            at += used
        self._check(argv[0])

    def _plain(self, word: bytes) -> int:
        """An option of one word; how many words it has."""
        if word == b"WITHDIST":
            self.with_distance = True
        elif word == b"WITHHASH":
            self.with_score = True
        elif word == b"WITHCOORD":
            self.with_place = True
        elif word == b"ANY":
            self.any = True
        elif word == b"ASC":
            self.order = NEAREST_FIRST
        elif word == b"DESC":
            self.order = FARTHEST_FIRST
        elif word == b"STOREDIST" and self.kind == STORING:
            self.by_distance = True
        else:
            return 0
        return 1

    def _with_values(self, word: bytes, argv: list[bytes], at: int, left: int) -> int:
        if word == b"COUNT" and left >= 1:
            self.count = integer(argv[at])
            if self.count <= 0:
                raise Refusal(COUNT_POSITIVE)
            return 2
        if word in (b"STORE", b"STOREDIST") and left >= 1 and self.kind == RADIUS | STORING:
            self.target = argv[at]
            self.by_distance = word == b"STOREDIST"
            return 2
        return 0

    def _area(self, word: bytes, argv: list[bytes], at: int, left: int) -> int:
        """Where GEOSEARCH is to look; what excludes what it has named before is a syntax error."""
        where = self.where
        if word == b"FROMMEMBER" and left >= 1 and not where & (FROM_PLACE | IN_POLYGON):
            self.around_member(argv[at])
            return 2
        if word == b"FROMLONLAT" and left >= 2 and not where & (FROM_MEMBER | IN_POLYGON):
            self.around_place(argv, at)
            return 3
        if word == b"BYRADIUS" and left >= 2 and not where & (IN_BOX | IN_POLYGON):
            self.in_circle(argv, at)
            return 3
        if word == b"BYBOX" and left >= 3 and not where & (IN_CIRCLE | IN_POLYGON):
            self.width, self.height, self.unit = box(argv, at)
            self.where |= IN_BOX
            return 4
        if word == b"BYPOLYGON" and left >= 1 and not where & ~IN_POLYGON:
            return self._polygon(argv, at, left)
        return 0

    def _polygon(self, argv: list[bytes], at: int, left: int) -> int:
        count = integer_or_none(argv[at])
        if count is None or not -INT_MAX - 1 <= count <= INT_MAX:
            raise Refusal(POLYGON_NUMBER)
        if count < 3 or left < 1 + 2 * count:
            raise Refusal(POLYGON_CORNERS)
        self.corners = [place(argv, corner) for corner in range(at + 1, at + 1 + 2 * count, 2)]
        self.where |= IN_POLYGON
        return 2 + 2 * count

    def _check(self, name: bytes) -> None:
        """Do the options go together? ``name``: of the command, as the client wrote it."""
        if self.target is not None and (self.with_distance or self.with_score or self.with_place):
            option = b"STORE option in GEORADIUS" if self.kind & RADIUS else b"GEOSEARCHSTORE"
            raise Refusal(b"ERR %s is not compatible with WITHDIST, WITHHASH and WITHCOORD options" % option)
        if not self.kind & RADIUS:
            shown = c_string(name)
            if not self.where & (FROM_MEMBER | FROM_PLACE | IN_POLYGON):
                text = b"ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for %s"
                raise Refusal(one_line(text % shown))
            if not self.where & (IN_CIRCLE | IN_BOX | IN_POLYGON):
                raise Refusal(one_line(b"ERR exactly one of BYRADIUS and BYBOX can be specified for %s" % shown))
        if self.any and not self.count:
            raise Refusal(ANY_WITHOUT_COUNT)
        if self.count and self.order == UNORDERED and not self.any:
            self.order = NEAREST_FIRST
