"""Which cells hold all places of a shape: the one around its middle and up to eight neighbours (geohash_helper.c).

Their order is the order in which places are found, and what clients see if they ask for no other.
"""

from typing import Final

from gossamer.node.types.geo.cells import LATITUDE_MAX, LATITUDE_MIN, PLACE_STEP, Area, Cell, area_of, cell_at
from gossamer.node.types.geo.shapes import Shape

HALF_EQUATOR: Final = 20037726.37
"""Metres of Web Mercator from the middle of the map to its edge."""

AROUND: Final = ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1))
"""East and north of the cell in the middle, in the order in which they are looked at."""


def cover(shape: Shape) -> list[Cell]:
    """The cells that may have places of ``shape``, none twice."""
    step = step_for(shape.reach, shape.latitude)
    middle = cell_around(shape, step)
    if step > 1 and too_small(middle, shape.bounds):
        step -= 1
        middle = cell_around(shape, step)
    area, bounds = area_of(middle), shape.bounds
    cells = [middle]
    last = middle
    for east, north in AROUND[1:]:
        if step >= 2 and (
            (north < 0 and area.south < bounds.south)
            or (north > 0 and area.north > bounds.north)
            or (east < 0 and area.west < bounds.west)
            or (east > 0 and area.east > bounds.east)
        ):
            continue
        cell = middle.beside(east, north)
        if last is middle or cell.bits != last.bits:  # of the four cells of step 1, opposite neighbours are the same
            cells.append(cell)
            last = cell
    return cells


def cell_around(shape: Shape, step: int) -> Cell:
    latitude = min(max(shape.latitude, LATITUDE_MIN), LATITUDE_MAX)
    return cell_at(shape.longitude, latitude, step)


def step_for(reach: float, latitude: float) -> int:
    """How small cells may be so that the middle one and its neighbours are likely to cover ``reach`` metres."""
    if reach == 0:
        return PLACE_STEP
    step = -1
    while reach < HALF_EQUATOR:
        reach *= 2
        step += 1
    if abs(latitude) > 66:  # meridians are nearer to each other there
        step -= 1 if abs(latitude) <= 80 else 2
    return min(max(step, 1), PLACE_STEP)


def too_small(middle: Cell, bounds: Area) -> bool:
    """Do the neighbours of ``middle`` end before ``bounds``?"""
    return (
        area_of(middle.beside(0, 1)).north < bounds.north
        or area_of(middle.beside(0, -1)).south > bounds.south
        or area_of(middle.beside(1, 0)).east < bounds.east
        or area_of(middle.beside(-1, 0)).west > bounds.west
    )
