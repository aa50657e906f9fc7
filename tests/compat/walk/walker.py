"""A walk: random requests to two sides, and every reply compared. What differs is told once a kind, with a short way
to it.

After a difference both sides begin anew, so that one fault does not hide the next.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from attrs import define

from tests.compat.pair import show
from tests.compat.replies import Answer
from tests.compat.walk.compare import Unfolder, alike_for
from tests.compat.walk.differences import known, may_be_asked
from tests.compat.walk.grammar import Request, Template
from tests.compat.walk.lapse import OF_FIELDS, OFTEN, lapse
from tests.compat.walk.sides import Side, answers
from tests.compat.walk.words import KEYS

BATCH: Final = 100
SEEN: Final = 300
"""Of so many requests the keys are remembered when time passes."""
FRESH_EVERY: Final = (1_000, 1_000, 3_000, 30_000)
"""Requests after which both begin anew: a way to a fault should be short, but some lead through large values."""
SHRINK_MOST: Final = 50_000
"""Requests in replays for one fault."""
VARYING: Final = re.compile(r"[-.0-9]*[0-9]|member \S*")
"""Parts of error texts that are the words of the request."""
BOUNDS: Final = (b"MULTI", b"EXEC", b"DISCARD")
"""Requests that begin and end a transaction."""
DISCARD: Final[Request] = [b"DISCARD"]
DIGEST: Final[Request] = [b"DEBUG", b"DIGEST"]
READS: Final[Sequence[Request]] = (
    [b"GET"], [b"LRANGE", b"0", b"-1"], [b"HGETALL"], [b"SMEMBERS"], [b"ZRANGE", b"0", b"-1", b"WITHSCORES"],
    [b"XRANGE", b"-", b"+"],
)  # fmt: skip
"""What tells all of a value, but for its key: where digests of the same data differ."""


@define
class Fault:
    words: Sequence[bytes]
    theirs: object
    ours: object
    program: list[Request]
    """What leads there from an empty server; the last request is the one."""

    @property
    def kind(self) -> str:
        """Faults of the same kind have the same cause, in all likelihood."""
        return f"{self.words[0].upper().decode('latin-1')}: {kind_of(self.theirs)} | {kind_of(self.ours)}"

    def __str__(self) -> str:
        way = "\n".join("    " + " ".join(map(show, words)) for words in self.program[-60:])
        return f"{way}\n  theirs: {self.theirs!r:.1000}\n  ours:   {self.ours!r:.1000}"


def kind_of(answer: object) -> str:
    if isinstance(answer, Answer):
        return VARYING.sub("N", answer.text.decode("latin-1"))[:60] if answer.kind == "error" else answer.kind
    return f"{answer!r:.100}"


def is_whole(program: Sequence[Request]) -> bool:
    """What chance or a clock has chosen is deleted at once."""
    pairs = zip(program, [*program[1:], DISCARD], strict=True)
    return all(then[0] == b"DEL" for words, then in pairs if words[0].upper() == b"SPOP" or b"*" in words[1:3])


class Walk:
    """``against``: the name of the other side, by which differences are known."""

    def __init__(self, theirs: Side, ours: Side, against: str, table: Sequence[Template], seed: int) -> None:
        self.theirs = theirs
        self.ours = ours
        self.against = against
        self.rng = Random(seed)
        self.table = table
        self.weights = [template.weight for template in table]
        self.of_fields = any(template.name == OF_FIELDS for template in table)
        self.contents = [DIGEST]
        """What tells, every so often, whether both still hold the same."""
        if not may_be_asked(against, DIGEST, False):
            there = {template.name for template in table}
            self.contents = [[read[0], key, *read[1:]] for key in KEYS for read in READS if read[0] in there]
        self.asked = 0
        self.commands: Counter[bytes] = Counter()
        self.kinds: Counter[str] = Counter()
        self.faults: list[Fault] = []
        """The first of each kind."""
        self.way: list[Request] = []
        self.fresh_at = 0
        self.within_multi = False
        self.on_fault: Callable[[Fault], None] = lambda fault: None

    def run(self, count: int, digest_every: int = 1000) -> None:
        self.fresh()
        while self.asked < count:
            self.within_multi = False
            batch = [request for _ in range(BATCH) for request in self.requests()]
            if self.asked % digest_every < BATCH:
                batch += self.contents
            batch.append(DISCARD)
            self.asked += len(batch)
            fault = self.step(batch)
            if fault is not None:
                self._count(fault)
                self.fresh()
            elif len(self.way) > self.fresh_at:
                self.fresh()

    def requests(self) -> list[Request]:
        if not self.within_multi and self.rng.random() < OFTEN:
            return lapse(self.rng, self.way[-SEEN:], self.of_fields)
        while True:
            requests = self.rng.choices(self.table, self.weights)[0].requests(self.rng)
            if all(may_be_asked(self.against, words, self.within_multi) for words in requests):
                name = requests[0][0].upper()
                self.commands[name] += 1
                if name in BOUNDS:
                    self.within_multi = name == b"MULTI"
                return requests

    def fresh(self) -> None:
        self.theirs.fresh()
        self.ours.fresh()
        self.way = [[b"HELLO", self.rng.choice((b"2", b"3"))]]
        self.fresh_at = self.rng.choice(FRESH_EVERY)
        self.step(self.way)

    def step(self, batch: Sequence[Request]) -> Fault | None:
        """Ask both; the first difference."""
        self.way += batch if batch is not self.way else []
        try:
            theirs, ours = self.theirs.exchange(batch), self.ours.exchange(batch)
        except Exception as error:
            return Fault(batch[-1], "(see ours)", error, list(self.way))
        return None if theirs == ours else self._first_difference(batch, theirs, ours)

    def _first_difference(self, batch: Sequence[Request], theirs: bytes, ours: bytes) -> Fault | None:
        unfolder = Unfolder()
        for number, exchange in enumerate(zip(batch, answers(theirs), answers(ours), strict=False)):
            for words, one, other in unfolder.exchanges(*exchange):
                if alike_for(words, one, other, self.against):
                    continue
                row = known(self.against, words, one, other)
                if row is None:
                    behind = len(batch) - number - 1
                    return Fault(words, one, other, self.way[: len(self.way) - behind])
                if row.parted:
                    self.fresh_at = 0
                    return None
        return None

    def _count(self, fault: Fault) -> None:
        self.kinds[fault.kind] += 1
        if self.kinds[fault.kind] == 1:
            fault = self.shrunk(fault)
            self.faults.append(fault)
            self.on_fault(fault)

    def shrunk(self, fault: Fault) -> Fault:
        """The same kind of fault after fewer requests, if that is found soon."""
        program, replayed = fault.program, 0
        size = len(program) // 2
        while size and replayed < SHRINK_MOST:
            at = 0
            while at < len(program) - 1 and replayed < SHRINK_MOST:
                shorter = program[:at] + program[min(at + size, len(program) - 1) :]
                replayed += len(shorter)
                found = self.replay(shorter) if is_whole(shorter) else None
                if found is not None and found.kind == fault.kind:
                    fault, program = found, found.program
                else:
                    at += size
            size = min(size // 2, len(program) // 2)
        return fault

    def replay(self, program: Sequence[Request]) -> Fault | None:
        self.theirs.fresh()
        self.ours.fresh()
        self.way = []
        return self.step(program)
