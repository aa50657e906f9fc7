"""Where in a request its keys stand (redis.io, "Command key specifications"; server.h of Redis 7.0, keySpec).

A spec says where the search begins (a fixed index, or behind a keyword) and how keys follow (a range, or a count given
in the request). Most commands have one spec of the simplest kind, which dispatch reads without calling anything here.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from gossamer.node.resp.errors import Refusal

# what a command does with the keys of a spec: one of RW RO OW RM, and what of the data it touches
RW: Final = "RW"
RO: Final = "RO"
OW: Final = "OW"
RM: Final = "RM"
LONGEST_COUNT: Final = 9
"""Digits of a number of keys; no request has so many."""

ACCESS: Final = "access"
UPDATE: Final = "update"
INSERT: Final = "insert"
DELETE: Final = "delete"

Access: TypeAlias = tuple[str, ...]


class KeySpec:
    """``index``: position of the first key (if ``keyword`` is None), else where the search for the keyword starts,
    negative from the end. ``last``: the last key relative to the first, negative from the end of the request;
    ``step``: distance between keys; ``limit``: 2 = only the first half of what is left holds keys. ``count_at`` >=
    0: the number of keys stands that far behind the begin, the first of them ``first_at`` behind it. ``unknown``:
    no rule tells where the keys stand, at most ``find`` does (SORT's STORE), or they are not in the request at all
    (SORT's patterns). ``incomplete``: there may be more keys than the spec finds.
    ``not_key``: it routes as a key but is none (shard channels). ``variable``: what the command does depends on
    its arguments (SET reads too if GET is given); ``actual`` tells it from the request. ``note``: a remark for
    COMMAND INFO.
    """

    def __init__(
        self,
        flags: Access,
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
        unknown: bool = False,
        find: Callable[[list[bytes]], list[int]] | None = None,
        actual: Callable[[list[bytes]], Access] | None = None,
        note: str = "",
    ) -> None:
        self.flags: Access = flags
        self.index: int = index
        self.last: int = last
        self.step: int = step
        self.limit: int = limit
        self.keyword: bytes | None = keyword
        self.count_at: int = count_at
        self.first_at: int = first_at
        self.incomplete: bool = incomplete
        self.variable: bool = variable
        self.not_key: bool = not_key
        self.unknown: bool = unknown
        self.find: Callable[[list[bytes]], list[int]] | None = find
        self.actual: Callable[[list[bytes]], Access] | None = actual
        self.note: str = note
        self.plain: bool = keyword is None and count_at < 0 and not unknown
        """A fixed index and a range: all there is to most commands."""

    def end(self) -> int:
        """The last key of a plain spec: an index, or negative from the end of the request."""
        return self.last if self.last < 0 else self.index + self.last

    def access(self, argv: list[bytes]) -> Access:
        """What the request ``argv`` does with the keys of this spec."""
        return self.flags if self.actual is None else self.actual(argv)

    def shown_flags(self) -> list[str]:
        """The flags as COMMAND INFO names them, in its order."""
        out = list(self.flags)
        if self.not_key:
            out.append("not_key")
        if self.incomplete:
            out.append("incomplete")
        if self.variable:
            out.append("variable_flags")
        return out

    def positions(self, argv: list[bytes]) -> list[int]:
        """Indexes of the keys in ``argv``; Refusal if the request contradicts the spec."""
        if self.unknown:
            return [] if self.find is None else self.find(argv)
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
        if at >= len(argv) or not argv[at].isdigit() or len(argv[at]) > LONGEST_COUNT:
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
