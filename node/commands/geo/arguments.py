"""Places, sizes and units as clients write them, and distances and degrees as they are shown."""

from gossamer.node.resp.doubles import read_double
from gossamer.node.resp.errors import (
    BOX_NEGATIVE,
    GEO_UNIT,
    NOT_A_FLOAT,
    NUMERIC_HEIGHT,
    NUMERIC_RADIUS,
    NUMERIC_WIDTH,
    RADIUS_NEGATIVE,
    Refusal,
)
from gossamer.node.resp.reply import Double
from gossamer.node.types.geo.cells import LATITUDE_MAX, LATITUDE_MIN, LONGITUDE_MAX, LONGITUDE_MIN


def number(text: bytes, refusal: bytes = NOT_A_FLOAT) -> float:
    value = read_double(text)
    if value is None:
        raise Refusal(refusal)
    return value


def place(argv: list[bytes], at: int) -> tuple[float, float]:
    """The longitude at ``argv[at]`` and the latitude behind it."""
    longitude, latitude = number(argv[at]), number(argv[at + 1])
    if not (LONGITUDE_MIN <= longitude <= LONGITUDE_MAX and LATITUDE_MIN <= latitude <= LATITUDE_MAX):
        raise Refusal(b"ERR invalid longitude,latitude pair %f,%f" % (longitude, latitude))
    return longitude, latitude


def unit(word: bytes) -> float:
    """Metres in a unit."""
    name = word.lower()
    if name == b"m":
        return 1.0
    if name == b"km":
        return 1000.0
    if name == b"ft":
        return 0.3048
    if name == b"mi":
        return 1609.34
    raise Refusal(GEO_UNIT)


def radius(argv: list[bytes], at: int) -> tuple[float, float]:
    """The radius at ``argv[at]``, and the metres of its unit behind it."""
    size = number(argv[at], NUMERIC_RADIUS)
    if size < 0:
        raise Refusal(RADIUS_NEGATIVE)
    return size, unit(argv[at + 1])


def box(argv: list[bytes], at: int) -> tuple[float, float, float]:
    """The width and the height at ``argv[at]``, and the metres of their unit."""
    width, height = number(argv[at], NUMERIC_WIDTH), number(argv[at + 1], NUMERIC_HEIGHT)
    if width < 0 or height < 0:
        raise Refusal(BOX_NEGATIVE)
    return width, height, unit(argv[at + 2])


def distance_text(distance: float) -> bytes:
    """With four decimals, halves to even."""
    return b"%d.%04d" % divmod(round(distance * 10_000), 10_000)


def degrees(value: float) -> Double:
    """With 17 decimals, without the zeros at the end."""
    text = (b"%.17f" % value).rstrip(b"0").rstrip(b".")
    return Double(b"0" if text == b"-0" else text)
