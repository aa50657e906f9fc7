"""A small strict reader of RESP2 and RESP3 replies, which keeps apart what client libraries fold together.

A status is not a bulk string, a null is not an empty one, a map is not an array of twice the length: two servers are
the same only if these agree. What is not in the specification is an error, also a length that a line end does not
confirm.
"""

from typing import TypeAlias

import attrs

Content: TypeAlias = "bytes | int | tuple[Answer, ...] | None"


@attrs.frozen(repr=False)
class Answer:
    """One reply. ``content``: bytes of status, error, bulk, double, big and verbatim; an int of integer and bool; a
    tuple of array, set, push and map (keys and values in turn); None of null, nullbulk, nullarray and closed (no
    reply came, and the connection is gone)."""

    kind: str
    content: Content = None

    def __repr__(self) -> str:
        if self.content is None:
            return self.kind
        if isinstance(self.content, tuple):
            return f"{self.kind}[{', '.join(map(repr, self.content))}]"
        return repr(self.content) if self.kind == "bulk" else f"{self.kind}({self.content!r})"

    @property
    def items(self) -> tuple["Answer", ...]:
        assert isinstance(self.content, tuple), self
        return self.content

    @property
    def number(self) -> int:
        assert isinstance(self.content, int), self
        return self.content

    @property
    def text(self) -> bytes:
        assert isinstance(self.content, bytes), self
        return self.content


CLOSED = Answer("closed")
LINES = {b"+": "status", b"-": "error", b",": "double", b"(": "big"}
BLOBS = {b"$": "bulk", b"=": "verbatim", b"!": "bloberror"}
AGGREGATES = {b"*": "array", b"~": "set", b">": "push", b"%": "map"}


class Incomplete(Exception):
    """More bytes are needed."""


def read_answer(data: bytes, at: int = 0) -> tuple[Answer, int]:
    """The reply that begins at ``at``, and where the next one begins. Incomplete or ValueError if there is none."""
    line, at = _line(data, at)
    mark, rest = line[:1], line[1:]
    if mark in LINES:
        return Answer(LINES[mark], rest), at
    if mark == b":":
        return Answer("integer", _number(rest)), at
    if mark == b"_" and not rest:
        return Answer("null"), at
    if mark == b"#" and rest in (b"t", b"f"):
        return Answer("bool", int(rest == b"t")), at
    if mark in BLOBS:
        return _blob(BLOBS[mark], _number(rest), data, at)
    if mark in AGGREGATES:
        return _aggregate(AGGREGATES[mark], _number(rest), data, at)
    raise ValueError(f"not a reply: {line[:80]!r}")


def _line(data: bytes, at: int) -> tuple[bytes, int]:
    stop = data.find(b"\r\n", at)
    if stop < 0:
        raise Incomplete
    return data[at:stop], stop + 2


def _number(text: bytes) -> int:
    if text != b"%d" % int(text):
        raise ValueError(f"not a plain integer: {text!r}")
    return int(text)


def _blob(kind: str, size: int, data: bytes, at: int) -> tuple[Answer, int]:
    if size == -1 and kind == "bulk":
        return Answer("nullbulk"), at
    if len(data) < at + size + 2:
        raise Incomplete
    if data[at + size : at + size + 2] != b"\r\n":
        raise ValueError(f"a {kind} of {size} bytes does not end there")
    return Answer(kind, data[at : at + size]), at + size + 2


def _aggregate(kind: str, count: int, data: bytes, at: int) -> tuple[Answer, int]:
    if count == -1 and kind == "array":
        return Answer("nullarray"), at
    items = []
    for _ in range(count * 2 if kind == "map" else count):
        item, at = read_answer(data, at)
        items.append(item)
    return Answer(kind, tuple(items)), at


def alike(a: Answer, b: Answer, within: int = 0) -> bool:
    """Equal, but integers may differ by ``within``: for what is left of a time, and the like."""
    if a.kind != b.kind:
        return False
    if isinstance(a.content, tuple) and isinstance(b.content, tuple):
        return len(a.content) == len(b.content) and all(
            alike(x, y, within) for x, y in zip(a.content, b.content, strict=True)
        )
    if a.kind == "integer" and within:
        return abs(a.number - b.number) <= within and (a.number < 0) == (b.number < 0)
    return a == b


def in_any_order(answer: Answer) -> Answer:
    """The elements sorted (a map's by key): for KEYS, SMEMBERS, HGETALL, whose order means nothing. A ``normal``."""
    if not isinstance(answer.content, tuple):
        return answer
    items = answer.content
    if answer.kind == "map":
        pairs = sorted(zip(items[::2], items[1::2], strict=True), key=repr)
        return Answer("map", tuple(item for pair in pairs for item in pair))
    return Answer(answer.kind, tuple(sorted(items, key=repr)))


def only_kind(answer: Answer) -> Answer:
    """What sort of reply it is, whatever it says. A ``normal``."""
    return Answer(answer.kind)
