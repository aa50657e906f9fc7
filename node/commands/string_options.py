"""The options of SET and GETEX, and when a value stored with a time to live ends (t_string.c of Redis 7.0.15).

Options may come in any order and be repeated; some exclude each other. The time is looked at only after all options
have been read.
"""

from typing import Final

from gossamer.node.commands.numbers import LONG_MAX, integer
from gossamer.node.resp.errors import SYNTAX, Refusal, invalid_expire

NX: Final = 1
XX: Final = 2
GET: Final = 4
KEEPTTL: Final = 8
PERSIST: Final = 16
EX: Final = 32
PX: Final = 64
EXAT: Final = 128
PXAT: Final = 256
TIMES: Final = EX | PX | EXAT | PXAT

Words = dict[bytes, tuple[int, int]]
"""An option's flag by its name, and the flags that exclude it."""

TIME_WORDS: Final[Words] = {
    b"EX": (EX, KEEPTTL | PERSIST | PX | EXAT | PXAT),
    b"PX": (PX, KEEPTTL | PERSIST | EX | EXAT | PXAT),
    b"EXAT": (EXAT, KEEPTTL | PERSIST | EX | PX | PXAT),
    b"PXAT": (PXAT, KEEPTTL | PERSIST | EX | PX | EXAT),
}
SET_WORDS: Final[Words] = {
    b"NX": (NX, XX),
    b"XX": (XX, NX),
    b"GET": (GET, 0),
    b"KEEPTTL": (KEEPTTL, TIMES),
    **TIME_WORDS,
}
GETEX_WORDS: Final[Words] = {b"PERSIST": (PERSIST, TIMES), **TIME_WORDS}


class Options:
    """``time`` is the argument of EX, PX, EXAT or PXAT, as it was sent."""

    def __init__(self, flags: int, time: bytes) -> None:
        self.flags: int = flags
        self.time: bytes = time


def read_options(argv: list[bytes], start: int, words: Words) -> Options:
    """The options from ``argv[start]`` on; Refusal if they are not ``words`` or contradict each other."""
    flags = 0
    time = b""
    at = start
    while at < len(argv):
        found = words.get(argv[at].upper())
        if found is None or flags & found[1]:
            raise Refusal(SYNTAX)
        if found[0] & TIMES:
            at += 1
            if at == len(argv):
                raise Refusal(SYNTAX)
            time = argv[at]
        flags |= found[0]
        at += 1
    return Options(flags, time)


def end_time(time: bytes, flags: int, now: int, name: str) -> int:
    """When something ends, in unix milliseconds; Refusal in the name of command ``name`` if that is no possible
    time."""
    amount = integer(time)
    if amount <= 0:
        raise Refusal(invalid_expire(name))
    if flags & (EX | EXAT):
        amount *= 1000
    if flags & (EX | PX):
        amount += now
    if amount > LONG_MAX:
        raise Refusal(invalid_expire(name))
    return amount
