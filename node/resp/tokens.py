"""The parser of the interpreted build: short plain requests are cut with one ``bytes.split``, not in byte-wise loops.

A cut is believed only if every argument has the length that its head announces, so a CR LF inside an argument, a half
request or any oddity falls back to ``Parser``, which also knows all the limits. A property test holds both equal.
Nothing is read ahead here (``Parser.ahead``): the table of this build fetches no memory.
"""

from typing import Final

from gossamer.node.resp.parser import Parser

WHOLE: Final = 16 * 1024
"""Longer input is left to ``Parser``: cutting it would touch bytes that a length lets it skip."""

COUNTS: Final[dict[bytes, int]] = {b"*%d" % n: n for n in range(1, 129)}
HEADS: Final[dict[bytes, int]] = {b"$%d" % n: n for n in range(1025)}


class TokenParser(Parser):
    def __init__(self) -> None:
        super().__init__()
        self._tokens: list[bytes] = []
        self._at: int = 0

    def trust(self, trusted: bool) -> None:
        if self._tokens:
            self._hand_over()
        super().trust(trusted)

    def feed(self, data: bytes) -> None:
        if self._tokens:
            self._hand_over()
        if self._args_left or self._pos < len(self._buf) or len(data) > WHOLE or not self.trusted:
            super().feed(data)
        else:
            self._tokens = data.split(b"\r\n")
            self._at = 0

    def buffered(self) -> int:
        if self._tokens:
            self._hand_over()
        return super().buffered()

    def input_size(self) -> int:
        if not self._tokens:
            return super().input_size()
        return sum([len(token) + 2 for token in self._tokens]) - 2

    def next(self) -> list[bytes] | None:
        tokens = self._tokens
        if tokens:
            at = self._at
            if at + 1 == len(tokens) and not tokens[at]:  # the input ended with a whole request
                self._tokens = []
                return None
            count = COUNTS.get(tokens[at], 0)
            stop = at + 1 + 2 * count
            if count and stop < len(tokens):
                args = tokens[at + 2 : stop : 2]
                at += 1
                for arg in args:
                    if HEADS.get(tokens[at], -1) != len(arg):
                        break
                    at += 2
                else:
                    self._at = stop
                    return args
            self._hand_over()
        return super().next()

    def _hand_over(self) -> None:
        """Give what is left to the careful parser."""
        rest = b"\r\n".join(self._tokens[self._at :])
        self._tokens = []
        super().feed(rest)
