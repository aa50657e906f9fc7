"""The kinds of values a directive can have: how each is read, shown by CONFIG GET and written by CONFIG REWRITE.

Every refusal is Redis 7.0's own text, because clients see it in CONFIG SET and people search for it at start-up.
Kinds with a syntax of their own are in ``node/config/special.py``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final, Generic, TypeVar

from gossamer.node.config import numbers
from gossamer.node.config.checks import no_zero
from gossamer.node.config.errors import BadValue
from gossamer.node.config.words import quote

V = TypeVar("V")

WRONG_COUNT: Final = "wrong number of arguments"

_ANY: Final = (numbers.LONG_MIN, numbers.ULONG_MAX)

Written = tuple[str, bool]
"""One line for CONFIG REWRITE: what follows the name, and whether it is added if the file has no line to replace."""

Check = Callable[[str], str | None]
"""A rule beyond the kind: the reason why the value is refused, or None."""


class Kind(Generic[V]):
    """``many`` kinds take any number of words; ``accumulates``: later lines of one start-up add to earlier ones."""

    many: ClassVar[bool] = False
    accumulates: ClassVar[bool] = False

    def parse(self, args: Sequence[str], current: V) -> V:
        """The value that ``args`` mean, given the ``current`` one; raises BadValue. One argument unless ``many``."""
        raise NotImplementedError

    def show(self, value: V) -> str:
        """As CONFIG GET answers."""
        raise NotImplementedError

    def write(self, value: V, default: V) -> list[Written]:
        """As CONFIG REWRITE writes; an empty list means that the directive must not stand in the file."""
        return [(self.show(value), value != default)]


class Flag(Kind[bool]):
    """yes or no."""

    def parse(self, args: Sequence[str], current: bool) -> bool:
        word = args[0].lower()
        if word not in ("yes", "no"):
            raise BadValue("argument must be 'yes' or 'no'")
        return word == "yes"

    def show(self, value: bool) -> str:
        return "yes" if value else "no"


class Choice(Kind[str]):
    """One of some words. ``same``: words that mean another; ``unlisted``: taken, but not named in the refusal."""

    def __init__(self, *words: str, same: Mapping[str, str] | None = None, unlisted: Sequence[str] = ()) -> None:
        self.words = words
        self.same = same or {}
        self.unlisted = unlisted

    def parse(self, args: Sequence[str], current: str) -> str:
        word = args[0].lower()
        if word not in self.words and word not in self.unlisted:
            raise BadValue(one_of(self.words))
        return self.same.get(word, word)

    def show(self, value: str) -> str:
        return value


def one_of(words: Sequence[str]) -> str:
    return "argument(s) must be one of the following: " + ", ".join(words)


class Integer(Kind[int]):
    """A whole number within limits, both included; ``clamp``: taken, but drawn into a narrower range."""

    complaint: ClassVar[str] = "argument couldn't be parsed into an integer"

    def __init__(
        self,
        low: int,
        high: int,
        *,
        unsigned: bool = False,
        clamp: tuple[int, int] = _ANY,
    ) -> None:
        self.low = low
        self.high = high
        self.unsigned = unsigned
        self.clamp = clamp

    def parse(self, args: Sequence[str], current: int) -> int:
        value = self.read(args[0])
        if value is None:
            raise BadValue(self.complaint)
        self.check(value)
        return min(max(value, self.clamp[0]), self.clamp[1])

    def read(self, text: str) -> int | None:
        value = numbers.strict(text)
        return value & numbers.ULONG_MAX if value is not None and self.unsigned else value

    def check(self, value: int) -> None:
        if not self.low <= value <= self.high:
            raise BadValue(f"argument must be between {self.number(self.low)} and {self.number(self.high)} inclusive")

    def number(self, value: int) -> str:
        return str(value)

    def show(self, value: int) -> str:
        return self.number(value)


class Octal(Integer):
    """Permission bits."""

    complaint = "argument couldn't be parsed as an octal number"

    def read(self, text: str) -> int | None:
        value = numbers.loose(text, 8)
        return None if value is None else value & numbers.ULONG_MAX

    def number(self, value: int) -> str:
        return f"{value:o}"


class Memory(Integer):
    """Bytes, with units. A value beyond signed 64 bits turns negative and is refused by the range, as in Redis."""

    complaint = "argument must be a memory value"

    def read(self, text: str) -> int | None:
        value = numbers.memory(text)
        return value - 2**64 if value is not None and not self.unsigned and value > numbers.LONG_MAX else value

    def write(self, value: int, default: int) -> list[Written]:
        return [(numbers.show_memory(value), value != default)]


class SignedMemory(Memory):
    """Bytes, with units, or a plain negative number that means something of its own."""

    def read(self, text: str) -> int | None:
        plain = numbers.strict(text)
        return plain if plain is not None and plain < 0 else super().read(text)


class MemoryOrPercent(Memory):
    """Bytes, or a share in percent that is kept as a negative number."""

    complaint = "argument must be a memory or percent value"

    def read(self, text: str) -> int | None:
        value = super().read(text)
        if value is None and len(text) > 1 and text.endswith("%"):
            share = numbers.strict(text[:-1])
            return -share if share is not None and share >= 0 else None
        return value

    def check(self, value: int) -> None:
        if value >= 0:
            super().check(value)
        elif value < self.low:
            raise BadValue(f"percentage argument must be less or equal to {-self.low}")

    def number(self, value: int) -> str:
        return f"{-value}%" if value < 0 else str(value)

    def write(self, value: int, default: int) -> list[Written]:
        return [(self.number(value), value != default)] if value < 0 else super().write(value, default)


class Text(Kind[str]):
    """Any text. ``nullable``: empty means unset, so it leaves the file instead of standing there as ``""``.

    ``binary``: zero bytes are welcome. Elsewhere, in paths and names, they end the text for the system.
    """

    def __init__(self, *, nullable: bool = False, check: Check | None = None, binary: bool = False) -> None:
        self.nullable = nullable
        self.binary = binary
        self.check = check

    def parse(self, args: Sequence[str], current: str) -> str:
        reason = self.check(args[0]) if self.check is not None else None
        if reason is None and not self.binary:
            reason = no_zero(args[0])
        if reason is not None:
            raise BadValue(reason)
        return args[0]

    def show(self, value: str) -> str:
        return value

    def write(self, value: str, default: str) -> list[Written]:
        if not value and self.nullable:
            return []
        return [(quote(value), value != default)]
