"""Where two servers may differ in what a walk asks, and why. Our measure is Redis 7.2, which is neither of them.

A difference in a reply alone is passed over. One that leaves other data behind must not be asked for at all.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from attrs import frozen

from tests.compat.replies import Answer

Words: TypeAlias = Sequence[bytes]


@frozen
class Difference:
    """``request``: what asks for it, with single blanks and in upper case. ``replies``: more on what they are."""

    against: str
    why: str
    request: re.Pattern[bytes]
    replies: Callable[[Answer, Answer], bool]


@frozen
class Unasked:
    against: str
    why: str
    request: re.Pattern[bytes]


def any_replies(theirs: Answer, ours: Answer) -> bool:
    return True


def difference(
    against: str, request: bytes, why: str, replies: Callable[[Answer, Answer], bool] = any_replies
) -> Difference:
    return Difference(against, why, re.compile(request, re.DOTALL), replies)


def unasked(against: str, request: bytes, why: str) -> Unasked:
    return Unasked(against, why, re.compile(request, re.DOTALL))


NUMBERS_ARE_INT: Final = "whether a string is int or embstr is told by its text alone, not by the command that made it"
UNCHANGED: Final = "a change in place that changes nothing leaves a string as it was, and embstr"
LISTPACKS: Final = "before 7.2 there are no listpacks of lists and of sets"
NO_TYPE: Final = "from Valkey 8 on SCAN refuses a TYPE that does not exist"
TIMEOUTS: Final = "before 7.2 a timeout that is too large counts as negative"
CHECKED_FIRST: Final = "Valkey looks at all arguments before it finds that there is no key"
LONGER_EMBEDDED: Final = "from Valkey 8.1 on longer strings are embedded"
MEMBER_NAMED: Final = "Valkey names the member that it does not find"
POLYGONS: Final = "searches within a polygon are Valkey's"
UNBALANCED: Final = "7.0 speaks of an unbalanced XREAD, whichever command it is"
ACTIVE: Final = "before 7.2 consumers have no active-time"
LAST_ENTRY: Final = "with Valkey + is the last entry"
LONG_MIN: Final = "Valkey refuses the smallest integer as a count"


def an_error(text: bytes) -> Callable[[Answer, Answer], bool]:
    """Theirs is this one, or ours."""
    return lambda theirs, ours: text in (theirs.content, ours.content)


def theirs_is_an_error(theirs: Answer, ours: Answer) -> bool:
    return theirs.kind == "error"


DIFFERENCES: Final[Sequence[Difference]] = (
    difference("both", rb"OBJECT ENCODING ", NUMBERS_ARE_INT, lambda theirs, ours: ours.content == b"int"),
    difference("both", rb"OBJECT ENCODING ", UNCHANGED, lambda theirs, ours: theirs.content == b"raw"),
    difference("both", rb"OBJECT REFCOUNT ", NUMBERS_ARE_INT, lambda theirs, ours: ours.content == 2**31 - 1),
    difference("redis", rb"OBJECT ENCODING ", LISTPACKS, lambda theirs, ours: ours.content == b"listpack"),
    difference("valkey", rb"SCAN .* TYPE X", NO_TYPE, an_error(b"ERR unknown type name 'x'")),
    difference("valkey", rb"(BITCOUNT|BITPOS|GETEX) ", CHECKED_FIRST, theirs_is_an_error),
    difference("valkey", rb"OBJECT ENCODING ", LONGER_EMBEDDED, lambda theirs, ours: theirs.content == b"embstr"),
    difference("valkey", rb"GEO", MEMBER_NAMED, an_error(b"ERR could not decode requested zset member")),
    difference("redis", rb"GEOSEARCH.* BYPOLYGON ", POLYGONS, theirs_is_an_error),
    difference("redis", rb"XREAD", UNBALANCED, theirs_is_an_error),
    difference("redis", rb"XINFO", ACTIVE),
    difference("valkey", rb"XREAD.* \+", LAST_ENTRY),
    difference("redis", rb"BL|BR|BZ", TIMEOUTS, an_error(b"ERR timeout is out of range")),
    difference("valkey", rb"LREM .* -9223372036854775808 ", LONG_MIN),
)

ENDED_AT_ONCE: Final = "Valkey does not even set a key whose time is over"
OTHER_DIGITS: Final = "7.0 computes distances in another way, and they differ in their last digits"
READ_TOO_MANY: Final = "Valkey does not go on counting from more entries than there ever were"
CUT_OFF: Final = "Valkey looks at 32 bits of an index alone"
NO_NESTING: Final = "in Valkey MULTI and WATCH within a transaction spoil it"

UNASKED: Final[Sequence[Unasked]] = (
    unasked("valkey", rb"SET .* (EX|PX)AT 10*( |$)", ENDED_AT_ONCE),
    unasked("valkey", rb"(MULTI|WATCH).* within MULTI", NO_NESTING),
    unasked("valkey", rb"XGROUP .*ENTRIESREAD", READ_TOO_MANY),
    unasked("redis", rb"GEO.* STOREDIST", OTHER_DIGITS),
    unasked("valkey", rb"LSET .* -?[0-9]{10}", CUT_OFF),
)


def line_of(words: Words) -> bytes:
    return b" ".join(words).upper()


def known(against: str, words: Words, theirs: Answer, ours: Answer) -> bool:
    """Is it one of the differences that may be?"""
    line = line_of(words)
    return any(
        row.against in (against, "both") and row.request.match(line) and row.replies(theirs, ours)
        for row in DIFFERENCES
    )


def may_be_asked(against: str, words: Words, within_multi: bool) -> bool:
    line = line_of(words) + (b" within MULTI" if within_multi else b"")
    return not any(row.against in (against, "both") and row.request.match(line) for row in UNASKED)
