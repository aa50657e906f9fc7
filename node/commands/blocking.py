"""What blocking commands have in common: until when they wait, and how the wait begins (timeout.c, blocked.c of 7.2).

A command looks at its keys first. If it finds nothing it returns what ``wait_for`` gives. When a key holds a value of
the type that is waited for the request is run anew, from its beginning, so it must not have changed anything before.
"""

from typing import Final

from gossamer.node.commands.longdouble import DIGITS, is_infinity, parse
from gossamer.node.commands.numbers import LONG_MAX, integer
from gossamer.node.engine.clients.client import IN_MULTI
from gossamer.node.engine.clients.waiting import Key, KeyWait
from gossamer.node.engine.serving.call import Call
from gossamer.node.resp.errors import TIMEOUT_FLOAT, TIMEOUT_NEGATIVE, TIMEOUT_NUMBER, TIMEOUT_RANGE, Refusal
from gossamer.node.resp.reply import NULL_ARRAY, Reply
from gossamer.node.types.kind import Kind

MS: Final = 1000


def deadline_of_seconds(c: Call, text: bytes) -> int:
    """When a timeout of so many seconds, with a fraction, is over: unix milliseconds, 0 for never."""
    if is_infinity(text):
        raise Refusal(TIMEOUT_NEGATIVE if text[:1] == b"-" else TIMEOUT_RANGE)
    number = parse(text)
    if number is None:
        raise Refusal(TIMEOUT_FLOAT)
    return deadline_after(c, milliseconds(number[0], number[1]))


def deadline_of_milliseconds(c: Call, text: bytes) -> int:
    """The same for a timeout in whole milliseconds, as XREAD has it."""
    return deadline_after(c, integer(text, TIMEOUT_NUMBER))


def milliseconds(significand: int, exponent: int) -> int:
    """``significand`` * 2**``exponent`` seconds, rounded up."""
    if exponent >= 0:
        return significand * MS << min(exponent, DIGITS)  # more is out of range anyway
    return -(-significand * MS >> -exponent)


def deadline_after(c: Call, timeout_ms: int) -> int:
    if timeout_ms > LONG_MAX:
        raise Refusal(TIMEOUT_RANGE)
    if timeout_ms < 0:
        raise Refusal(TIMEOUT_NEGATIVE)
    if timeout_ms == 0:
        return 0
    if timeout_ms > LONG_MAX - c.now:
        raise Refusal(TIMEOUT_RANGE)
    return c.now + timeout_ms


def may_wait(c: Call) -> bool:
    """Within a transaction, and where the stream of a primary is run, nobody waits."""
    return not c.client.modes & IN_MULTI and c.client.id in c.server.clients.by_id


def wait_for(
    c: Call, kind: Kind, keys: list[bytes], deadline: int, nothing: Reply = NULL_ARRAY, gone: bool = False
) -> Reply:
    """The client waits until one of ``keys`` holds a value of type ``kind``; what the handler returns.

    ``nothing``: the reply where it may not wait. ``gone``: run the request anew also when one of the keys is deleted or
    holds something else. When ``deadline`` has come the reply is a null array.
    """
    if not may_wait(c):
        return nothing
    waited: list[Key] = [(c.db.index, key) for key in keys]
    return c.server.waiting.wait_for_keys(KeyWait(c.client, kind, gone), waited, deadline)
