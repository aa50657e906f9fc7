"""The options of HGETEX and HSETEX that say when fields end, and the end that a time in a request means."""

from typing import Final

from gossamer.node.commands.numbers import LONG_MAX, integer
from gossamer.node.engine.serving.call import Call
from gossamer.node.resp.errors import SYNTAX, Refusal, invalid_expire

TIMES: Final = (b"EX", b"PX", b"EXAT", b"PXAT")


class Option:
    """``word``: which option there is, if any; ``time``: what stands behind one of ``TIMES``."""

    def __init__(self) -> None:
        self.word: bytes = b""
        self.time: bytes = b""


def read_options(words: list[bytes], allowed: tuple[bytes, ...]) -> Option:
    """At most one of those ``allowed``, perhaps said several times: the last time counts. Refusal."""
    option = Option()
    at = 0
    while at < len(words):
        word = words[at].upper()
        if word not in allowed or (option.word and option.word != word):
            raise Refusal(SYNTAX)
        option.word = word
        if word in TIMES:
            at += 1
            if at == len(words):
                raise Refusal(SYNTAX)
            option.time = words[at]
        at += 1
    return option


def end_by(c: Call, option: Option, name: str) -> int:
    """The end that the option says, in unix milliseconds; 0 if it says none. Refusal in the name of a command."""
    if option.word not in TIMES:
        return 0
    unit = 1000 if option.word in (b"EX", b"EXAT") else 1
    return end_at(option.time, name, unit, c.now if option.word in (b"EX", b"PX") else 0)


def end_at(text: bytes, name: str, unit: int, origin: int) -> int:
    """``text`` times ``unit`` milliseconds after ``origin``; Refusal in the name of a command if that is no time."""
    amount = integer(text)
    if amount < 0 or amount * unit + origin > LONG_MAX:
        raise Refusal(invalid_expire(name))
    return amount * unit + origin
