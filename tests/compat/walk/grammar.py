"""Lines of the tables, and the random requests that come of them.

    3: LPOS {list} {element} [RANK {int}] [COUNT {int}]  three times as often as others; any of the options
    ZADD {zset} {score element+}                         one or more pairs
    ZUNION {#zset+} [WEIGHTS {weight=}]                  how many, then as many keys; as many weights
    LINSERT {list} {BEFORE|AFTER|x} {element} {element}  one of three words
    !BLPOP {list+} 0.001                                 ``!``: no word of it is spoilt
    SPOP {set} [{count}] ; DEL                           and then another request, for the same key

Some requests are spoilt: a word too many, one too few, another one. Some pluses stand for hundreds.
"""

import re
from collections.abc import Sequence
from random import Random
from typing import Final, TypeAlias

from attrs import frozen

from tests.compat.walk.vocabulary import WORDS
from tests.compat.walk.words import many_element

Request: TypeAlias = list[bytes]

SPOILT: Final = 0.03
HUNDREDS: Final = 0.015
OPTION: Final = 0.3
NASTY: Final = (
    b"",
    b"-1",
    b"x",
    b"0",
    b"9223372036854775808",
    b"nan",
    b"list:1",
    b"hash:1",
    b"zset:1",
    b"COUNT",
    b"(",
    b"-",
)

TOKEN: Final = re.compile(r"\[[^]]*\]|\{[^}]*\}|\S+")
LINE: Final = re.compile(r"(?P<safe>!?)(?:(?P<weight>\d+): )?(?P<rest>.*)")


@frozen
class Slot:
    """``{names}``: words by their names. ``more``: once or more; ``counted``: after their number; ``again``: as many
    times as the last ones that were counted."""

    names: Sequence[str]
    more: bool
    counted: bool
    again: bool

    def put(self, out: Request, rng: Random, counts: list[int]) -> None:
        count = 1
        if self.again:
            count = counts[-1] if counts else 1
        elif self.more:
            count = (
                rng.randint(100, 600)
                if rng.random() < HUNDREDS and not self.counted
                else rng.choice((1, 1, 2, 2, 3, 4))
            )
        if self.counted:
            counts.append(count)
            out.append(b"%d" % count if rng.random() < 0.95 else WORDS["int"](rng))
        for _ in range(count):
            for name in self.names:
                maker = many_element if count > 99 and name in ("element", "field") else WORDS[name]
                out.append(maker(rng))


@frozen
class Choice:
    """``{A|B}``."""

    words: Sequence[bytes]

    def put(self, out: Request, rng: Random, counts: list[int]) -> None:
        out.append(rng.choice(self.words))


@frozen
class Literal:
    word: bytes

    def put(self, out: Request, rng: Random, counts: list[int]) -> None:
        out.append(self.word.lower() if rng.random() < 0.1 else self.word)


@frozen
class Options:
    """``[…] […]``: each or not, in any order, seldom one twice."""

    groups: "Sequence[Sequence[Part]]"

    def put(self, out: Request, rng: Random, counts: list[int]) -> None:
        chosen = [group for group in self.groups if rng.random() < OPTION]
        if rng.random() < 0.5:
            rng.shuffle(chosen)
        if chosen and rng.random() < 0.03:
            chosen.append(chosen[0])
        for group in chosen:
            for part in group:
                part.put(out, rng, counts)


Part: TypeAlias = "Slot | Choice | Literal | Options"


@frozen
class Template:
    parts: Sequence[Part]
    weight: int
    safe: bool
    then: bytes
    """A command, or nothing."""

    @property
    def name(self) -> bytes:
        """Of the command, in upper case."""
        assert isinstance(self.parts[0], Literal)
        return self.parts[0].word

    def requests(self, rng: Random) -> list[Request]:
        request = self._request(rng)
        return [request, [self.then, request[1]]] if self.then and len(request) > 1 else [request]

    def _request(self, rng: Random) -> Request:
        out: Request = []
        counts: list[int] = []
        for part in self.parts:
            part.put(out, rng, counts)
        if not self.safe and rng.random() < SPOILT:
            spoil(out, rng)
        return out


def spoil(request: Request, rng: Random) -> None:
    """Another request with the same name."""
    at = rng.randrange(1, len(request) + 1)
    match rng.randrange(4):
        case 0:
            del request[at : at + 1]
        case 1:
            request[at:at] = request[at : at + 1]
        case 2:
            request[at : at + 1] = [rng.choice(NASTY)]
        case _:
            request.append(rng.choice(NASTY))


def part_of(token: str) -> Part:
    if token[0] != "{":
        return Literal(token.encode())
    inner = token[1:-1]
    if "|" in inner:
        return Choice([word.encode() for word in inner.split("|")])
    names = inner.strip("#+=").split(" ")
    unknown = [name for name in names if name not in WORDS]
    assert not unknown, f"no words are called {unknown}"
    return Slot(names, inner[-1] == "+", inner[0] == "#", inner[-1] == "=")


def template(line: str) -> Template:
    found = LINE.fullmatch(line)
    assert found is not None
    parts: list[Part] = []
    options: list[Sequence[Part]] = []
    line, _, then = found["rest"].partition(" ; ")
    for token in TOKEN.findall(line):
        if token[0] == "[":
            options.append([part_of(inner) for inner in TOKEN.findall(token[1:-1])])
            continue
        if options:
            parts.append(Options(options))
            options = []
        parts.append(part_of(token))
    if options:
        parts.append(Options(options))
    return Template(parts, int(found["weight"] or 1), found["safe"] == "!", then.encode())


def templates(table: str) -> list[Template]:
    """The lines of a table, but comments and empty ones."""
    lines = [line.strip() for line in table.splitlines()]
    return [template(line) for line in lines if line and not line.startswith("//")]
