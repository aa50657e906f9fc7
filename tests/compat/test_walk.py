"""Random requests over every type of data, beside requests that clash with it: replies and digests are those of Redis.

``python -m tests.compat.walk`` goes on for longer, and against Valkey.
"""

from collections.abc import Iterator
from random import Random

import pytest

from tests.compat.walk.lapse import OF_FIELDS, SLEEP, ends, lapse
from tests.compat.walk.sides import InMemory, Side, answers, side
from tests.compat.walk.start import table
from tests.compat.walk.tables import ALWAYS, TABLES
from tests.compat.walk.vocabulary import WORDS
from tests.compat.walk.walker import Walk

TYPES = [name for name in TABLES if name not in ALWAYS]
REQUESTS = 3_000
FIELDS = sorted({WORDS["field"](rng) for rng in [Random(0)] for _ in range(300)})


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


def test_time_passes_and_leaves_what_has_ended() -> None:
    """Keys of any type, and fields."""
    ours = InMemory()
    way = [
        [b"SET", b"string:1", b"v"], [b"RPUSH", b"list:1", b"v"], [b"SADD", b"set:1", b"v"],
        [b"ZADD", b"zset:1", b"1", b"v"], [b"XADD", b"stream:1", b"1-1", b"f", b"v"],
        [b"HSET", b"hash:1", *[word for field in FIELDS for word in (field, b"v")]],
    ]  # fmt: skip
    rng = Random(1)
    requests = lapse(rng, way, of_fields=False)
    gone = [words[1] for words in requests[:-1]]
    assert gone
    assert requests[-1] == SLEEP
    replies = list(answers(ours.exchange([*way, *requests, [b"DBSIZE"], [b"EXISTS", *gone], [b"DBSIZE"]])))
    assert [answer.content for answer in replies[-5:-2]] == [6, 0, 6 - len(gone)]

    ours.fresh()
    ended = [ends(rng, b"hash:1", of_fields=True) for _ in range(20)]
    fields = next(words for words in ended if words[0] == OF_FIELDS)
    asked = list(answers(ours.exchange([*way, fields, SLEEP, [b"HLEN", b"hash:1"], [b"HKEYS", b"hash:1"]])))
    assert asked[-4].content == len(FIELDS), "they are still there"
    assert {item.content for item in asked[-3].items} == set(FIELDS) - set(fields[5:])


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
