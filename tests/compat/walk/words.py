"""The words of random requests: each kind has a small pool, so that requests meet, and nasty ones among it.

No word is a time from one second to a thousand, or a number that makes a server build a reply without an end.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import Final, TypeAlias

Word: TypeAlias = Callable[[Random], bytes]

TYPES: Final = ("string", "list", "set", "zset", "hash", "stream", "hll", "geo")
FAR_S: Final = 4_102_444_800
"""The year 2100."""

ODD_INTEGERS: Final[Sequence[bytes]] = (
    b"",
    b"a",
    b"+1",
    b"01",
    b"-0",
    b" 1",
    b"1 ",
    b"1.0",
    b"0x10",
    b"1\x00",
    b"9223372036854775807",
    b"9223372036854775808",
    b"-9223372036854775808",
    b"-9223372036854775809",
    b"4294967296",
    b"-4294967297",
    b"99999999999999999999999",
)
ODD_FLOATS: Final[Sequence[bytes]] = (
    b"0",
    b"-0",
    b"1.5",
    b"-2.25",
    b"inf",
    b"-inf",
    b"+inf",
    b"Infinity",
    b"nan",
    b"1e308",
    b"-1e308",
    b"1e-300",
    b"5e-324",
    b"3.14159265358979312",
    b"0.1",
    b"0.30000000000000004",
    b"1e17",
    b"123456789012345678",
    b"9007199254740993",
    b"1e21",
    b"0x1.8p3",
    b".5",
    b"5.",
    b"",
    b" 1",
    b"1 ",
    b"1e",
    b"x",
    b"1e400",
    b"1,5",
    b"-1e400",
    b"1e5",
)


def pool(*words: bytes) -> Word:
    return lambda rng: rng.choice(words)


def mixed(*parts: tuple[int, Word]) -> Word:
    weights = [weight for weight, _ in parts]
    makers = [maker for _, maker in parts]
    return lambda rng: rng.choices(makers, weights)[0](rng)


def between(low: int, high: int) -> Word:
    return lambda rng: b"%d" % rng.randint(low, high)


def keys_of(kind: str) -> list[bytes]:
    return [b"%s:%d" % (kind.encode(), number) for number in (1, 2, 3)]


def key_of(kind: str) -> Word:
    """Mostly a key that holds this type, sometimes one that holds any other, or nothing."""

    def key(rng: Random) -> bytes:
        return own(rng) if rng.random() < 0.92 else any_key(rng)

    own = pool(*keys_of(kind))
    return key


ODD_KEYS: Final = (b"missing", b"", b"\r\n\x00\xff", b"other")
KEYS: Final = (*(key for kind in TYPES for key in keys_of(kind)), *ODD_KEYS)
any_key: Final = mixed((8, pool(*KEYS[: -len(ODD_KEYS)])), (1, pool(*ODD_KEYS)))

odd_integer: Final = pool(*ODD_INTEGERS)
element: Final = mixed(
    (6, pool(*b"abcdefgh".split(), *(b"%c" % letter for letter in b"abcdefgh"))),
    (3, between(-3, 30)),
    (1, pool(b"", b"\r\n", b"\x00\xff", b"x" * 44, b"x" * 45, b"y" * 64, b"y" * 65, b"z" * 600)),
    (1, pool(b"127", b"128", b"-129", b"4095", b"4096", b"32767", b"32768", b"-8388609", b"2147483648")),
    (1, pool(b"9223372036854775807", b"-9223372036854775808", b"9223372036854775808", b"3.0", b"-0", b"007", b"1e3")),
)
many_element: Final = mixed((3, lambda rng: b"e%d" % rng.randrange(1500)), (1, between(-700, 70_000)))
"""For requests with hundreds of words: values that grow out of their small form."""

score: Final = mixed(
    (6, between(-5, 12)),
    (2, pool(*ODD_FLOATS[:16])),
    (1, lambda rng: repr(rng.uniform(-10, 10)).encode()),
    (1, pool(*ODD_FLOATS)),
)
nice_score: Final = mixed((3, between(-5, 12)), (1, lambda rng: repr(rng.uniform(-10, 10)).encode()))
bound: Final = mixed(
    (3, between(-5, 12)),
    (2, lambda rng: b"(%d" % rng.randint(-5, 12)),
    (2, pool(b"-inf", b"+inf", b"inf", b"(-inf", b"(+inf")),
    (1, pool(b"nan", b"(", b"[1", b"", b"(nan", b"1e", b"(1.5", b"((1")),
)
lex_bound: Final = mixed(
    (3, lambda rng: rng.choice((b"[", b"(")) + element(rng)),
    (2, pool(b"-", b"+")),
    (1, pool(b"", b"a", b"[", b"(", b"--", b"+x")),
)
stream_id: Final = mixed(
    (8, lambda rng: b"%d-%d" % (rng.randrange(12), rng.randrange(4))),
    (3, between(0, 14)),
    (
        1,
        pool(
            b"-",
            b"+",
            b"(3-0",
            b"($",
            b"(-",
            b"(+",
            b"18446744073709551615-18446744073709551615",
            b"0-0",
            b"3-",
            b"a-1",
        ),
    ),
    (
        1,
        pool(
            b"",
            b"18446744073709551616",
            b"1-18446744073709551616",
            b"-1-1",
            b"1-1-1",
            b"(18446744073709551615-18446744073709551615",
        ),
    ),
)
new_id: Final = mixed(
    (8, lambda rng: b"%d-%d" % (rng.randrange(16), rng.randrange(5))),
    (6, lambda rng: b"%d-*" % rng.randrange(8, 18)),
    (1, stream_id),
)
short_time: Final = b"0.001"
