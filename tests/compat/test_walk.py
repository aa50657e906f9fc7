"""Random requests over every type of data, beside requests that clash with it: replies and digests are those of Redis.

``python -m tests.compat.walk`` goes on for longer, and against Valkey.
"""

from collections.abc import Iterator

import pytest

from tests.compat.walk.sides import InMemory, Side, side
from tests.compat.walk.start import table
from tests.compat.walk.tables import ALWAYS, TABLES
from tests.compat.walk.walker import Walk

TYPES = [name for name in TABLES if name not in ALWAYS]
REQUESTS = 3_000


@pytest.fixture(scope="module", params=["redis", pytest.param("valkey", marks=pytest.mark.once)])
def theirs(request: pytest.FixtureRequest) -> Iterator[tuple[str, Side]]:
    with side(request.param) as server:
        yield request.param, server


@pytest.mark.parametrize("types", [[name] for name in TYPES] + [TYPES], ids="-".join)
def test_a_walk_finds_no_difference(theirs: tuple[str, Side], types: list[str]) -> None:
    against, server = theirs
    ours = InMemory()
    walk = Walk(server, ours, against, table(server, ours, types), seed=1)
    walk.run(REQUESTS, digest_every=200)
    assert not walk.faults, "".join(f"\n\n{fault.kind}\n{fault}" for fault in walk.faults)


def test_a_difference_is_found_with_a_short_way_to_it() -> None:
    """Two of ours, of which one counts wrongly."""
    right, wrong = InMemory(), InMemory()
    exchange = wrong.exchange
    wrong.exchange = lambda requests: exchange(requests).replace(b":7\r\n", b":8\r\n")  # type: ignore[method-assign]
    walk = Walk(right, wrong, "none", table(right, wrong, ["string"]), seed=1)
    walk.run(2_000)
    assert min([len(fault.program) for fault in walk.faults]) < 4, walk.faults


def test_the_same_seed_makes_the_same_requests() -> None:
    walks = [Walk(InMemory(), InMemory(), "none", TABLES["string"], seed=5) for _ in range(2)]
    assert [walks[0].requests() for _ in range(500)] == [walks[1].requests() for _ in range(500)]
