"""Where in a request its keys stand (redis.io, "Command key specifications"; server.h of Redis 7.0, keySpec).

A spec says where the search begins (a fixed index, or behind a keyword) and how keys follow (a range, or a count given in
the request). Most commands have one spec of the simplest kind, which dispatch reads without calling anything here.
"""

from typing import Final

from node.resp.errors import Refusal

# what a command does with the keys of a spec: one of RW RO OW RM, and what of the data it touches
RW: Final = "RW"
RO: Final = "RO"
OW: Final = "OW"
RM: Final = "RM"
ACCESS: Final = "access"
UPDATE: Final = "update"
INSERT: Final = "insert"
DELETE: Final = "delete"


class KeySpec:
    """``index``: position of the first key (if ``keyword`` is None), else where the search for the keyword starts, negative
    from the end. ``last``: the last key relative to the first, negative from the end of the request; ``step``: distance
    between keys; ``limit``: 2 = only the first half of what is left holds keys. ``count_at`` >= 0: the number of keys stands
    that far behind the begin, the first of them ``first_at`` behind it. ``unknown``: no key is found here by the spec.
    """

    def __init__(
        self,
        flags: tuple[str, ...],
        index: int = 1,
        last: int = 0,
        step: int = 1,
        limit: int = 0,
        keyword: bytes | None = None,
        count_at: int = -1,
        first_at: int = 1,
        incomplete: bool = False,
        variable: bool = False,
        not_key: bool = False,
    ) -> None:
        self.flags: tuple[str, ...] = flags
        self.index: int = index
        self.last: int = last
        self.step: int = step
        self.limit: int = limit
        self.keyword: bytes | None = keyword
        self.count_at: int = count_at
        self.first_at: int = first_at
        self.incomplete: bool = incomplete
        self.variable: bool = variable
        """What the command does depends on its arguments: SET reads too if GET is given."""
        self.not_key: bool = not_key
        self.plain: bool = keyword is None and count_at < 0
        self.movable: bool = not self.plain

    def positions(self, argv: list[bytes]) -> list[int]:
        """Indexes of the keys in ``argv``; Refusal if the request contradicts the spec."""
        begin = self._begin(argv)
        if begin < 0:
            return []
        if self.count_at >= 0:
            return self._counted(argv, begin)
        end = len(argv) + self.last if self.last < 0 else begin + self.last
        if self.limit > 1 and self.last < 0:
            end = begin + (len(argv) - begin) // self.limit - 1
        if end >= len(argv) or begin >= len(argv):
            raise Refusal(b"ERR Invalid arguments specified for command")
        return list(range(begin, end + 1, self.step))

    def _begin(self, argv: list[bytes]) -> int:
        if self.keyword is None:
            return self.index
        start = self.index if self.index >= 0 else len(argv) + self.index
        step = 1 if self.index >= 0 else -1
        while 0 < start < len(argv):
            if argv[start].upper() == self.keyword:
                return start + 1
            start += step
        return -1

    def _counted(self, argv: list[bytes], begin: int) -> list[int]:
        at = begin + self.count_at
        if at >= len(argv) or not argv[at].isdigit():
            raise Refusal(b"ERR Invalid arguments specified for command")
        first = begin + self.first_at
        end = first + int(argv[at]) * self.step
        if end > len(argv):
            raise Refusal(b"ERR Invalid arguments specified for command")
        return list(range(first, end, self.step))


NO_KEYS: Final[tuple[KeySpec, ...]] = ()


def first(*flags: str) -> tuple[KeySpec, ...]:
    """One key, the first argument."""
    return (KeySpec(flags),)


def all_keys(*flags: str) -> tuple[KeySpec, ...]:
    """Every argument is a key."""
    return (KeySpec(flags, last=-1),)
