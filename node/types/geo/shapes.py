"""What places are looked for in: a circle, a box of great circles, a polygon. Sizes are metres, places degrees.

``longitude`` and ``latitude`` are the middle, from which distances are told. ``reach``: no place within is farther away
than this. ``bounds`` are the outermost degrees, beyond -180 and 180 where a shape crosses the date line.
"""

from math import atan2, cos, sin, sqrt
from typing import Final

from mypy_extensions import mypyc_attr

from gossamer.node.types.geo.cells import Area
from gossamer.node.types.geo.distance import (
    EARTH_RADIUS,
    between,
    between_latitudes,
    cosine,
    degrees,
    radians,
)

OUTSIDE: Final = -1.0


@mypyc_attr(allow_interpreted_subclasses=True)
class Shape:
    def __init__(self, longitude: float, latitude: float, reach: float, bounds: Area) -> None:
        self.longitude: float = longitude
        self.latitude: float = latitude
        self.reach: float = reach
        self.bounds: Area = bounds

    def distance(self, longitude: float, latitude: float) -> float:
        """From the middle to a place; ``OUTSIDE`` if the place is not within."""
        raise NotImplementedError


def bounds_around(longitude: float, latitude: float, width: float, height: float) -> Area:
    """Of what reaches so far from a place; on the side of the pole, where a degree is shorter, in degrees of there."""
    up = degrees(height / EARTH_RADIUS)
    nearest_pole = latitude - up if latitude < 0 else latitude + up
    aside = degrees(width / EARTH_RADIUS / cosine(radians(nearest_pole)))
    return Area(longitude - aside, longitude + aside, latitude - up, latitude + up)


class Circle(Shape):
    def __init__(self, longitude: float, latitude: float, radius: float) -> None:
        super().__init__(longitude, latitude, radius, bounds_around(longitude, latitude, radius, radius))

    def distance(self, longitude: float, latitude: float) -> float:
        found = between(self.longitude, self.latitude, longitude, latitude)
        return OUTSIDE if found > self.reach else found


class Box(Shape):
    """``width`` is measured along the latitude of each place, ``height`` along its longitude."""

    def __init__(self, longitude: float, latitude: float, width: float, height: float, unit: float) -> None:
        bounds = bounds_around(longitude, latitude, unit * (width / 2), unit * (height / 2))
        reach = sqrt((width / 2) * (width / 2) + (height / 2) * (height / 2)) * unit
        super().__init__(longitude, latitude, reach, bounds)
        self.width: float = width * unit
        self.height: float = height * unit

    def distance(self, longitude: float, latitude: float) -> float:
        if between_latitudes(latitude, self.latitude) > self.height / 2:
            return OUTSIDE
        if between(longitude, latitude, self.longitude, latitude) > self.width / 2:
            return OUTSIDE
        return between(self.longitude, self.latitude, longitude, latitude)


class Polygon(Shape):
    """``corners``: longitudes and latitudes. Its edges are straight lines on a map of degrees (Valkey 9)."""

    def __init__(self, corners: list[tuple[float, float]]) -> None:
        x = y = z = 0.0
        west = east = corners[0][0]
        south = north = corners[0][1]
        for longitude, latitude in corners:
            west, east = min(west, longitude), max(east, longitude)
            south, north = min(south, latitude), max(north, latitude)
            x += cos(radians(latitude)) * cos(radians(longitude))
            y += cos(radians(latitude)) * sin(radians(longitude))
            z += sin(radians(latitude))
        middle = degrees(atan2(y, x))
        height = degrees(atan2(z, sqrt(x * x + y * y)))
        reach = between(middle, height, west, north)
        for corner in ((east, north), (west, south), (east, south)):
            reach = max(reach, between(middle, height, corner[0], corner[1]))
        super().__init__(middle, height, reach, Area(west, east, south, north))
        self.corners: list[tuple[float, float]] = corners

    def distance(self, longitude: float, latitude: float) -> float:
        if not self.holds(longitude, latitude):
            return OUTSIDE
        return between(self.longitude, self.latitude, longitude, latitude)

    def holds(self, longitude: float, latitude: float) -> bool:
        """Does a ray from the place to the east cross an odd number of edges?"""
        inside = False
        last_x, last_y = self.corners[-1]
        for x, y in self.corners:
            if (y > latitude) != (last_y > latitude):
                inside ^= longitude < (last_x - x) * (latitude - y) / (last_y - y) + x
            last_x, last_y = x, y
        return inside
