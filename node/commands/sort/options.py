"""The options of SORT, read in their order: the first that is wrong is refused."""

from typing import Final

from gossamer.node.commands.numbers import integer
from gossamer.node.commands.sort.pattern import Pattern
from gossamer.node.resp.errors import SORT_BY_IN_CLUSTER, SORT_GET_IN_CLUSTER, SYNTAX, Refusal

ARGUMENTS: Final[dict[bytes, int]] = {b"LIMIT": 2, b"BY": 1, b"GET": 1, b"STORE": 1}
"""How many arguments follow a word."""


class SortOptions:
    """``clustered``: patterns are refused, for their keys may be anywhere. ``stores``: the word STORE is known."""

    def __init__(self, argv: list[bytes], clustered: bool, stores: bool) -> None:
        self.descending: bool = False
        self.alpha: bool = False
        self.start: int = 0
        self.count: int = -1
        """Negative: all."""
        self.by: Pattern | None = None
        self.unsorted: bool = False
        """A pattern of BY is constant, be it the last one or not."""
        self.get: list[Pattern] = []
        self.store: bytes | None = None
        self.clustered: bool = clustered
        at = 2
        while at < len(argv):
            word = argv[at].upper()
            arguments = argv[at + 1 : at + 1 + ARGUMENTS.get(word, 0)]
            if len(arguments) < ARGUMENTS.get(word, 0) or (word == b"STORE" and not stores):
                raise Refusal(SYNTAX)
            self._read(word, arguments)
            at += 1 + len(arguments)

    def _read(self, word: bytes, arguments: list[bytes]) -> None:
        if word in (b"ASC", b"DESC"):
            self.descending = word == b"DESC"
        elif word == b"ALPHA":
            self.alpha = True
        elif word == b"LIMIT":
            self.start, self.count = integer(arguments[0]), integer(arguments[1])
        elif word == b"BY":
            self.by = Pattern(arguments[0])
            if self.by.is_constant:
                self.unsorted = True
            elif self.clustered:
                raise Refusal(SORT_BY_IN_CLUSTER)
        elif word == b"GET":
            if self.clustered:
                raise Refusal(SORT_GET_IN_CLUSTER)
            self.get.append(Pattern(arguments[0]))
        elif word == b"STORE":
            self.store = arguments[0]
        else:
            raise Refusal(SYNTAX)

    def limited(self, elements: list[bytes]) -> list[bytes]:
        """Those of ``elements`` that LIMIT leaves."""
        start = max(self.start, 0)
        return elements[start:] if self.count < 0 else elements[start : start + self.count]
