"""Geohashes: a cell of the earth's surface is a number whose bits halve longitude and latitude in turn.

``step`` is how many times each is halved. A place is the cell of ``PLACE_STEP``, whose 52 bits a double holds exactly:
so it is the score of a sorted set, and all places in a cell are a range of scores. Latitudes end where Web Mercator
does (EPSG:3857). Operations stand in Redis' order (geohash.c), so that all servers find the same numbers.
"""

from typing import Final

LONGITUDE_MAX: Final = 180.0
LONGITUDE_MIN: Final = -180.0
LATITUDE_MAX: Final = 85.05112878
LATITUDE_MIN: Final = -85.05112878
PLACE_STEP: Final = 26

LONGITUDE_BITS: Final = 0xAAAAAAAAAAAAAAAA
LATITUDE_BITS: Final = 0x5555555555555555

TWO_TO_63: Final = 9223372036854775808.0
TWO_TO_64: Final = 18446744073709551616.0


class Cell:
    """A cell by its bits."""

    def __init__(self, bits: int, step: int) -> None:
        self.bits: int = bits
        self.step: int = step

    def beside(self, east: int, north: int) -> "Cell":
        """The neighbour so many cells to the east and to the north, round the earth."""
        mask = (1 << 2 * self.step) - 1
        x, y = self.bits & LONGITUDE_BITS, self.bits & LATITUDE_BITS
        if east:
            x = moved(x, east, LATITUDE_BITS & mask)
        if north:
            y = moved(y, north, LONGITUDE_BITS & mask)
        return Cell(x & LONGITUDE_BITS & mask | y & LATITUDE_BITS & mask, self.step)

    def low(self) -> float:
        """The lowest score of a place in it."""
        return float(self.bits << 2 * (PLACE_STEP - self.step))

    def high(self) -> float:
        """The lowest score above all of these."""
        return float(self.bits + 1 << 2 * (PLACE_STEP - self.step))


def moved(part: int, by: int, others: int) -> int:
    """``part``, every second bit of a cell, one more or less; ``others`` are the bits between, which carry."""
    return part + others + 1 if by > 0 else (part | others) - others - 1


class Area:
    """Between which degrees a cell lies."""

    def __init__(self, west: float, east: float, south: float, north: float) -> None:
        self.west: float = west
        self.east: float = east
        self.south: float = south
        self.north: float = north


def cell_at(longitude: float, latitude: float, step: int, south: float = LATITUDE_MIN) -> Cell:
    """The cell of ``step`` around a place; ``south``: the latitude where the halving begins, its opposite the other."""
    parts = 1 << step
    y = (latitude - south) / (-south - south) * parts
    x = (longitude - LONGITUDE_MIN) / (LONGITUDE_MAX - LONGITUDE_MIN) * parts
    return Cell(spread(int(x)) << 1 | spread(int(y)), step)


def area_of(cell: Cell) -> Area:
    parts = float(1 << cell.step)
    x, y = gathered(cell.bits >> 1), gathered(cell.bits)
    wide, high = LONGITUDE_MAX - LONGITUDE_MIN, LATITUDE_MAX - LATITUDE_MIN
    return Area(
        LONGITUDE_MIN + x / parts * wide,
        LONGITUDE_MIN + (x + 1) / parts * wide,
        LATITUDE_MIN + y / parts * high,
        LATITUDE_MIN + (y + 1) / parts * high,
    )


def score_of(longitude: float, latitude: float) -> int:
    """The score of a place within the limits above."""
    return cell_at(longitude, latitude, PLACE_STEP).bits


def place_of(score: float) -> tuple[float, float]:
    """Longitude and latitude of the middle of the cell that ``score`` names, whatever score it is."""
    area = area_of(Cell(bits_of(score), PLACE_STEP))
    longitude, latitude = (area.west + area.east) / 2, (area.south + area.north) / 2
    return min(max(longitude, LONGITUDE_MIN), LONGITUDE_MAX), min(max(latitude, LATITUDE_MIN), LATITUDE_MAX)


def bits_of(score: float) -> int:
    """What x86-64 makes of a double as an unsigned number of 64 bits."""
    if 0.0 <= score < TWO_TO_64:
        return int(score)
    if -TWO_TO_63 <= score < 0.0:
        return int(score) & 0xFFFFFFFFFFFFFFFF
    return 0 if score > 0.0 else 1 << 63


def spread(number: int) -> int:
    """32 bits with a zero before each."""
    number = (number | number << 16) & 0x0000FFFF0000FFFF
    number = (number | number << 8) & 0x00FF00FF00FF00FF
    number = (number | number << 4) & 0x0F0F0F0F0F0F0F0F
    number = (number | number << 2) & 0x3333333333333333
    return (number | number << 1) & 0x5555555555555555


def gathered(number: int) -> int:
    """Every second of 64 bits, the lowest one first."""
    number &= 0x5555555555555555
    number = (number | number >> 1) & 0x3333333333333333
    number = (number | number >> 2) & 0x0F0F0F0F0F0F0F0F
    number = (number | number >> 4) & 0x00FF00FF00FF00FF
    number = (number | number >> 8) & 0x0000FFFF0000FFFF
    return (number | number >> 16) & 0x00000000FFFFFFFF


ALPHABET: Final = b"0123456789bcdefghjkmnpqrstuvwxyz"


def geohash_text(longitude: float, latitude: float) -> bytes:
    """The geohash of a place as geohash.org writes it, in 11 characters; the last one stands for bits that are not
    known."""
    bits = cell_at(longitude, latitude, PLACE_STEP, -90.0).bits
    return bytes([ALPHABET[bits >> shift & 31] for shift in range(47, 1, -5)]) + b"0"
