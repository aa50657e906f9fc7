"""Cells, distances and shapes against what geometry says; what Redis says is compared in tests/compat."""

from math import inf, isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.types.geo.cells import (
    LATITUDE_MAX,
    LATITUDE_MIN,
    Cell,
    area_of,
    bits_of,
    cell_at,
    gathered,
    geohash_text,
    place_of,
    score_of,
    spread,
)
from gossamer.node.types.geo.cover import cover
from gossamer.node.types.geo.distance import EARTH_RADIUS, between
from gossamer.node.types.geo.shapes import OUTSIDE, Box, Circle, Polygon, Shape

LONGITUDES = st.floats(-179.99, 179.99)
LATITUDES = st.floats(-85, 85)


@given(st.integers(0, 2**32 - 1))
def test_gathering_undoes_spreading(number: int) -> None:
    assert gathered(spread(number)) == number
    assert bin(spread(number)).count("1") == bin(number).count("1")
    assert gathered(spread(number) >> 1) == 0


@given(LONGITUDES, LATITUDES)
def test_a_score_tells_its_place_to_within_a_metre(longitude: float, latitude: float) -> None:
    score = score_of(longitude, latitude)
    assert 0 <= score < 1 << 52
    x, y = place_of(score)
    assert isclose(x, longitude, abs_tol=6e-6)
    assert isclose(y, latitude, abs_tol=3e-6)
    assert score_of(x, y) == score


@given(LONGITUDES, LATITUDES, st.integers(1, 25))
def test_the_scores_of_a_cell_are_those_of_its_places(longitude: float, latitude: float, step: int) -> None:
    cell = cell_at(longitude, latitude, step)
    assert cell.low() <= score_of(longitude, latitude) < cell.high()


@pytest.mark.parametrize("score", [-inf, inf, -1.0, -1e300, 1e300, 2.0**52, 2.0**63, 2.0**64, 1e18])
def test_any_score_is_some_place(score: float) -> None:
    longitude, latitude = place_of(score)
    assert -180 <= longitude <= 180
    assert LATITUDE_MIN <= latitude <= LATITUDE_MAX
    assert 0 <= bits_of(score) < 1 << 64


@given(LONGITUDES, LATITUDES, st.integers(1, 26), st.integers(-1, 1), st.integers(-1, 1))
def test_going_to_a_neighbour_and_back(longitude: float, latitude: float, step: int, east: int, north: int) -> None:
    cell = cell_at(longitude, latitude, step)
    assert cell.beside(east, north).beside(-east, -north).bits == cell.bits


def test_the_neighbour_in_the_east_begins_where_the_cell_ends() -> None:
    cell = cell_at(13.4, 52.5, 12)
    assert isclose(area_of(cell.beside(1, 0)).west, area_of(cell).east)
    assert isclose(area_of(cell.beside(0, -1)).north, area_of(cell).south)
    rim = Cell(spread(3) << 1, 2)
    assert area_of(rim.beside(1, 0)).west == -180


def test_geohashes_are_those_of_others() -> None:
    """The example of Wikipedia's article, as far as its letters reach."""
    assert geohash_text(-5.6, 42.6)[:5] == b"ezs42"
    assert len(geohash_text(0, 0)) == 11


def test_distances_on_the_sphere() -> None:
    degree = EARTH_RADIUS * 3.141592653589793 / 180
    assert isclose(between(0, 0, 0, 1), degree)
    assert isclose(between(0, 0, 1, 0), degree)
    assert isclose(between(0, 0, 180, 0), 180 * degree)
    assert between(10, 20, 10, 20) == 0


PLACES = st.tuples(LONGITUDES, LATITUDES)
SHAPES: st.SearchStrategy[Shape] = st.one_of(
    st.tuples(st.floats(-170, 170), st.floats(-60, 60), st.floats(1, 1e6)).map(lambda drawn: Circle(*drawn)),
    st.tuples(st.floats(-170, 170), st.floats(-60, 60), st.floats(1, 1e3), st.floats(1, 1e3)).map(
        lambda drawn: Box(*drawn, 1000.0)
    ),
    st.lists(st.tuples(st.floats(-20, 20), st.floats(-20, 20)), min_size=3, max_size=8).map(Polygon),
)


@given(SHAPES, st.floats(-1, 1), st.floats(-1, 1))
def test_every_place_of_a_shape_is_in_its_cover(shape: Shape, x: float, y: float) -> None:
    bounds = shape.bounds
    longitude = (bounds.west + bounds.east) / 2 + x * (bounds.east - bounds.west) / 2
    latitude = (bounds.south + bounds.north) / 2 + y * (bounds.north - bounds.south) / 2
    if not (-180 <= longitude < 180 and LATITUDE_MIN <= latitude < LATITUDE_MAX):
        return
    score = score_of(longitude, latitude)
    if shape.distance(*place_of(score)) != OUTSIDE:
        assert any(cell.low() <= score < cell.high() for cell in cover(shape))


@given(SHAPES)
def test_a_cover_has_no_cell_twice(shape: Shape) -> None:
    cells = [cell.bits for cell in cover(shape)]
    assert len(set(cells)) == len(cells) <= 9


def test_a_polygon_holds_what_is_within_its_edges() -> None:
    notched = Polygon([(0, 0), (10, 0), (10, 10), (5, 2), (0, 10)])
    assert notched.holds(1, 5)
    assert notched.holds(9, 5)
    assert not notched.holds(5, 5)
    assert not notched.holds(-1, 5)
    assert notched.distance(5, 5) == OUTSIDE


def test_a_box_is_measured_along_its_sides() -> None:
    box = Box(0, 0, 200, 100, 1000.0)
    assert box.distance(0.85, 0) > 90_000
    assert box.distance(0.95, 0) == OUTSIDE
    assert box.distance(0, 0.44) > 40_000
    assert box.distance(0, 0.46) == OUTSIDE
