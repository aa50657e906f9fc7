"""Where two servers may differ in what a walk asks, and why. Our measure is Redis 7.2, which is neither of them.

A difference in a reply alone is passed over. What leaves other data behind is not asked for, or parts the two.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from attrs import frozen

from tests.compat.replies import Answer
from tests.compat.walk.compare import VAGUE_FACTS, line_of, shape, without_facts

Words: TypeAlias = Sequence[bytes]


@frozen
class Difference:
    """``request``: what asks for it, with single blanks and in upper case. ``replies``: more on what they are.
    ``parted``: other data may be left behind, so that both sides have to begin anew."""

    against: str
    why: str
    request: re.Pattern[bytes]
    replies: Callable[[Answer, Answer], bool]
    parted: bool


@frozen
class Unasked:
    against: str
    why: str
    request: re.Pattern[bytes]


def any_replies(theirs: Answer, ours: Answer) -> bool:
    return True


def difference(
    against: str,
    request: bytes,
    why: str,
    replies: Callable[[Answer, Answer], bool] = any_replies,
    parted: bool = False,
) -> Difference:
    return Difference(against, why, re.compile(request, re.DOTALL), replies, parted)


def unasked(against: str, request: bytes, why: str) -> Unasked:
    return Unasked(against, why, re.compile(request, re.DOTALL))


NUMBERS_ARE_INT: Final = "whether a string is int or embstr is told by its text alone, not by the command that made it"
UNCHANGED: Final = "a change in place that changes nothing leaves a string as it was, and embstr"
LISTPACKS: Final = "before 7.2 there are no listpacks of lists and of sets"
TIMEOUTS: Final = "before 7.2 a timeout that is too large counts as negative"
CHECKED_FIRST: Final = "Valkey looks at all arguments before it finds that there is no key"
LONGER_EMBEDDED: Final = "from Valkey 8.1 on longer strings are embedded"
MEMBER_NAMED: Final = "Valkey names the member that it does not find"
POLYGONS: Final = "searches within a polygon are Valkey's"
UNBALANCED: Final = "7.0 speaks of an unbalanced XREAD, whichever command it is"
LAST_ENTRY: Final = "with Valkey + is the last entry"
CURSOR_FIRST: Final = "Valkey looks at the cursor before the key and the options, and an empty one is none"
CLAIM_CREATES: Final = "before 7.2 XCLAIM makes no consumer if there is nothing to claim"
ONE_END: Final = "with Valkey the end of a range may be left out"
NO_NUMBERS: Final = "Valkey takes no empty text for a number, and none that begins with a blank"
NO_SCORE: Final = b"ERR One or more scores can't be converted into double"
OLD_ERRNO: Final = "SORT of Redis takes a number for none if another one has been out of range before"
SORT_CHANGES: Final = "SORT makes a skiplist of the sorted set that it reads; with us what reads does not change"
WHICH_FIRST: Final = "if two options are wrong it is not said of the same one"
NO_ORDER: Final = "the elements of a set have no order of their own"
MEMORY: Final = "Valkey asks for the memory of as many entries as COUNT says"
FIELDS_ENDED: Final = "a hash whose fields have ended may be a hashtable for longer with Valkey"
SETID_CHECKS: Final = "7.2 compares the new id with the newest that was deleted as well"
LAG: Final = "Valkey estimates the lag of a group in another way"
LONG_MIN: Final = "the smallest integer is refused as a count by Valkey, and as a rank from 7.2 on"


def an_error(text: bytes) -> Callable[[Answer, Answer], bool]:
    """Theirs is this one, or ours."""
    return lambda theirs, ours: text in (theirs.content, ours.content)


def theirs_is_an_error(theirs: Answer, ours: Answer) -> bool:
    return theirs.kind == "error"


def but_facts(*names: bytes) -> Callable[[Answer, Answer], bool]:
    """XINFO tells the same apart from these."""
    left_out = (*VAGUE_FACTS, *names)
    return lambda theirs, ours: without_facts(theirs, left_out) == without_facts(ours, left_out)


DIFFERENCES: Final[Sequence[Difference]] = (
    difference("both", rb"OBJECT ENCODING ", NUMBERS_ARE_INT, lambda theirs, ours: ours.content == b"int"),
    difference("both", rb"OBJECT ENCODING ", UNCHANGED, lambda theirs, ours: theirs.content == b"raw"),
    difference("both", rb"OBJECT REFCOUNT ", NUMBERS_ARE_INT, lambda theirs, ours: ours.content == 2**31 - 1),
    difference("redis", rb"OBJECT ENCODING ", LISTPACKS, lambda theirs, ours: ours.content == b"listpack"),
    difference("valkey", rb"(BITCOUNT|BITPOS|GETEX) ", CHECKED_FIRST, theirs_is_an_error),
    difference("valkey", rb"OBJECT ENCODING ", LONGER_EMBEDDED, lambda theirs, ours: theirs.content == b"embstr"),
    difference("valkey", rb"GEO", MEMBER_NAMED, an_error(b"ERR could not decode requested zset member")),
    difference("redis", rb"GEOSEARCH.* BYPOLYGON ", POLYGONS, theirs_is_an_error),
    difference("redis", rb"XREAD", UNBALANCED, theirs_is_an_error),
    difference("valkey", rb"XREAD.* \+", LAST_ENTRY),
    difference("valkey", rb"XINFO ", LAG, but_facts(b"entries-read", b"lag")),
    difference("valkey", rb"BITCOUNT [^ ]* [^ ]*$", ONE_END),
    difference("valkey", rb"SORT(_RO)? ", NO_NUMBERS, an_error(NO_SCORE), parted=True),
    difference("redis", rb"SORT(_RO)? ", OLD_ERRNO, an_error(NO_SCORE), parted=True),
    difference("both", rb"OBJECT ENCODING ", SORT_CHANGES, lambda theirs, ours: theirs.content == b"skiplist"),
    difference("both", rb"SORT.* BY NOSORT", NO_ORDER, lambda theirs, ours: shape((), theirs) == shape((), ours)),
    difference(
        "valkey", rb"H(GET|SET)EX |HP?EXPIRE", WHICH_FIRST, lambda theirs, ours: theirs.kind == ours.kind == "error"
    ),
    difference("valkey", rb"[SHZ]SCAN ", CURSOR_FIRST, theirs_is_an_error),
    difference("valkey", rb"XAUTOCLAIM .* COUNT ", MEMORY, theirs_is_an_error),
    difference("valkey", rb"OBJECT ENCODING ", FIELDS_ENDED, lambda theirs, ours: theirs.content == b"hashtable"),
    difference("redis", rb"XSETID ", SETID_CHECKS, parted=True),
    difference("redis", rb"XGROUP (CREATE|DEL)CONSUMER |XINFO CONSUMERS ", CLAIM_CREATES),
    difference("redis", rb"XINFO ", CLAIM_CREATES, but_facts(b"consumers")),
    difference("redis", rb"LPOS .* RANK -9223372036854775808", LONG_MIN),
    difference("redis", rb"BL|BR|BZ", TIMEOUTS, an_error(b"ERR timeout is out of range")),
)

TYPE_FIRST: Final = (
    "Valkey deletes no key that has ended if it has another TYPE, and refuses a type that does not exist"
)
ENDED_AT_ONCE: Final = "Valkey does not even set a key whose time is over"
MORE_DIGITS: Final = "before 7.2 doubles have 17 digits, in digests too; see ``same_digits`` and ``SCORES``"
READ_TOO_MANY: Final = "Valkey does not go on counting from more entries than there ever were"
CUT_OFF: Final = "Valkey looks at 32 bits of an index alone"
WITH_SCORE: Final = "before 7.2 ZRANK tells no score"
NOT_DECIMAL: Final = "Valkey takes no hexadecimal doubles"
NEGATIVE_OFFSET: Final = "with Valkey a negative offset is none, and else there is nothing behind it"
LONGEST_FIRST: Final = "a listpack makes a negative zero positive, and when it becomes a skiplist differs"
NO_NESTING: Final = "in Valkey MULTI and WATCH within a transaction spoil it"

UNASKED: Final[Sequence[Unasked]] = (
    unasked("valkey", rb".* 0X1[.]8P3", NOT_DECIMAL),
    unasked("valkey", rb"Z.* LIMIT -", NEGATIVE_OFFSET),
    unasked("both", rb"Z.* -0( |$)", LONGEST_FIRST),
    unasked("valkey", rb"SCAN .* TYPE ", TYPE_FIRST),
    unasked("valkey", rb"SET .* (EX|PX)AT 10*( |$)", ENDED_AT_ONCE),
    unasked("valkey", rb"(MULTI|WATCH).* within MULTI", NO_NESTING),
    unasked("valkey", rb"XGROUP .*ENTRIESREAD", READ_TOO_MANY),
    unasked("redis", rb"Z(REV)?RANK( [^ ]*){3}", WITH_SCORE),
    unasked("redis", rb"DEBUG DIGEST", MORE_DIGITS),
    unasked("valkey", rb"LREM .* -9223372036854775808 ", LONG_MIN),
    unasked("valkey", rb"LSET .* -?[0-9]{10}", CUT_OFF),
)


def known(against: str, words: Words, theirs: Answer, ours: Answer) -> Difference | None:
    """Which of the differences is it that may be?"""
    line = line_of(words)
    for row in DIFFERENCES:
        if row.against in (against, "both") and row.request.match(line) and row.replies(theirs, ours):
            return row
    return None


def may_be_asked(against: str, words: Words, within_multi: bool) -> bool:
    line = line_of(words) + (b" within MULTI" if within_multi else b"")
    return not any(row.against in (against, "both") and row.request.match(line) for row in UNASKED)
