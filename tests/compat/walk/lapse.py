"""Time passes between two requests: keys of any type, and fields of hashes, that have ended and are still there.

Both servers delete nothing unasked (``FRESH`` of sides.py), so whatever is asked next meets them. Nobody looks at them
between the requests here, so it does not matter when exactly they end.
"""

from collections.abc import Iterable, Sequence
from random import Random
from typing import Final

from tests.compat.walk.grammar import Request
from tests.compat.walk.vocabulary import WORDS
from tests.compat.walk.words import KEYS

OFTEN: Final = 0.004
"""Of all requests."""
ENDS_MS: Final = b"4"
SLEEP: Final[Request] = [b"DEBUG", b"SLEEP", b"0.008"]
OF_FIELDS: Final = b"HPEXPIRE"


def lapse(rng: Random, way: Iterable[Request], of_fields: bool) -> list[Request]:
    """Some keys that occur on the ``way`` have ended behind these requests. ``of_fields``: or fields of theirs."""
    seen = sorted({words[1] for words in way if len(words) > 1 and words[1] in KEYS})
    requests = [ends(rng, key, of_fields) for key in rng.sample(seen, min(len(seen), rng.randint(1, 5)))]
    return [*requests, SLEEP] if requests else []


def ends(rng: Random, key: bytes, of_fields: bool) -> Request:
    if not of_fields or rng.random() < 0.4:
        return [b"PEXPIRE", key, ENDS_MS]
    fields = sorted({WORDS["field"](rng) for _ in range(rng.randint(1, 8))})
    return [OF_FIELDS, key, ENDS_MS, b"FIELDS", b"%d" % len(fields), *fields]


def parts(requests: Iterable[Sequence[bytes]]) -> list[list[Sequence[bytes]]]:
    """Cut behind each pause: who takes the time but once a batch has to look at the clock again."""
    out: list[list[Sequence[bytes]]] = [[]]
    for words in requests:
        out[-1].append(words)
        if words == SLEEP:
            out.append([])
    return out
