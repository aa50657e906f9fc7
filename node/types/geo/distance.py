"""Distances on a sphere, in metres between places in degrees: the haversine formula, step by step as Redis takes it."""

from math import asin, cos, isfinite, nan, pi, sin, sqrt
from typing import Final

EARTH_RADIUS: Final = 6372797.560856
RADIAN: Final = pi / 180.0


def radians(degrees: float) -> float:
    return degrees * RADIAN


def degrees(angle: float) -> float:
    return angle / RADIAN


def cosine(angle: float) -> float:
    """As C has it: no number of an infinite angle."""
    return cos(angle) if isfinite(angle) else nan


def between_latitudes(one: float, other: float) -> float:
    """Along a meridian."""
    return EARTH_RADIUS * abs(radians(other) - radians(one))


def between(longitude: float, latitude: float, to_longitude: float, to_latitude: float) -> float:
    """Along a great circle."""
    v = sin((radians(to_longitude) - radians(longitude)) / 2)
    if v == 0.0:
        return between_latitudes(latitude, to_latitude)
    here, there = radians(latitude), radians(to_latitude)
    u = sin((there - here) / 2)
    a = u * u + cos(here) * cos(there) * v * v
    return 2.0 * EARTH_RADIUS * asin(sqrt(min(a, 1.0)))  # rounding may take opposite places too far apart
