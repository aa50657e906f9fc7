"""Fixtures of the compatibility tests: one real server for each test process."""

from collections.abc import Iterator

import pytest

from tests.compat.pair import Pair, RealServer


@pytest.fixture(scope="session")
def _pair() -> Iterator[Pair]:
    executable, why_not = RealServer.find()
    if executable is None:
        pytest.skip(why_not)
    real = RealServer(executable)
    try:
        pair = Pair(real)
        yield pair
        pair.close()
    finally:
        real.stop()


@pytest.fixture(scope="session")
def pair(_pair: Pair) -> Pair:
    """A real redis-server and our node in memory. Call ``pair.flush()`` first: tests share it."""
    return _pair
