"""The words of random requests by the names that the tables use. A key is called by the type that it mostly holds."""

from typing import Final

from tests.compat.walk.words import (
    FAR_S,
    ODD_FLOATS,
    TYPES,
    Word,
    any_key,
    between,
    bound,
    element,
    key_of,
    keys_of,
    lex_bound,
    mixed,
    new_id,
    nice_score,
    odd_integer,
    pool,
    score,
    stream_id,
)

WORDS: Final[dict[str, Word]] = {
    **{kind: key_of(kind) for kind in TYPES},
    "key": any_key,
    "even": pool(*keys_of("even")),
    "element": element,
    "field": element,
    "int": mixed((6, between(-4, 5)), (1, between(-60, 60)), (1, odd_integer)),
    "number": mixed(
        (4, between(-20, 20)),
        (1, pool(b"9223372036854775806", b"-9223372036854775807", b"4611686018427387904")),
        (1, odd_integer),
    ),
    "index": mixed((6, between(-8, 8)), (2, between(-200, 200)), (1, odd_integer)),
    "count": mixed((8, between(0, 4)), (1, between(5, 300)), (1, odd_integer), (1, pool(b"-1"))),
    "limit": mixed((8, between(0, 6)), (2, pool(b"-1", b"-3", b"1000")), (1, odd_integer)),
    "sample": mixed((8, between(-5, 8)), (1, between(100, 300)), (1, pool(b"", b"a", b"9223372036854775808", b"1.0"))),
    "offset": mixed(
        (6, between(0, 30)), (1, between(0, 3000)), (1, pool(b"-1", b"a", b"9223372036854775808", b"4294967296"))
    ),
    "bit": pool(b"0", b"1", b"1", b"0", b"2", b"-1", b"x"),
    "float": mixed(
        (4, between(-20, 20)),
        (3, pool(*ODD_FLOATS)),
        (2, lambda rng: repr(rng.uniform(-100, 100)).encode()),
        (1, odd_integer),
    ),
    "score": score,
    "nice": nice_score,
    "min": bound,
    "lex": lex_bound,
    "weight": mixed((4, between(-2, 4)), (1, pool(*ODD_FLOATS))),
    "id": stream_id,
    "new": new_id,
    "group": pool(b"g1", b"g1", b"g2", b"g3", b""),
    "consumer": pool(b"alice", b"bob", b"carol", b""),
    "seconds": mixed(
        (4, between(1001, 90_000)),
        (2, pool(b"0", b"-1", b"-1000")),
        (
            1,
            pool(
                b"a",
                b"",
                b"9223372036854775",
                b"9223372036854776",
                b"9223372036854775807",
                b"9223372036854775808",
                b"1e3",
                b"100000.5",
            ),
        ),
    ),
    "millis": mixed(
        (4, between(1_000_001, 90_000_000)),
        (2, pool(b"0", b"-1")),
        (1, pool(b"a", b"", b"9223372036854775807", b"9223372036854775808")),
    ),
    "at": mixed(
        (4, between(FAR_S, FAR_S + 9)),
        (3, pool(b"1", b"0", b"-1", b"1000000000")),
        (1, pool(b"a", b"", b"9223372036854775", b"9223372036854775807", b"9223372036854775808")),
    ),
    "at-ms": mixed(
        (4, between(FAR_S * 1000, FAR_S * 1000 + 9)),
        (3, pool(b"1", b"0", b"-1")),
        (1, pool(b"a", b"", b"9223372036854775807", b"9223372036854775808")),
    ),
    "idle": pool(b"0", b"0", b"0", b"-5", b"1000000", b"500000", b"x", b"9223372036854775807"),
    "pattern": pool(b"*", b"?", b"a*", b"[ab]*", b"[^a]", b"", b"*:1", b"e1*", b"\\*", b"[", b"*\xff", b"[a-e]*"),
    "by": pool(b"weight:*", b"string:*", b"hash:1->*", b"hash:*->a", b"*", b"nope:*", b"string:*->", b"*->b"),
    "get": pool(b"#", b"string:*", b"hash:*->a", b"hash:1->*", b"nope", b"*", b"list:*"),
    "db": pool(b"0", b"0", b"0", b"1", b"9", b"16", b"-1", b"a", b""),
    "longitude": mixed(
        (6, lambda rng: repr(rng.uniform(12.5, 16.5)).encode()),
        (1, pool(b"13.361389", b"15.087269", b"-180", b"181", b"0", b"x", b"nan", b"179.999", b"-179.999")),
    ),
    "latitude": mixed(
        (6, lambda rng: repr(rng.uniform(36.5, 38.6)).encode()),
        (1, pool(b"38.115556", b"37.502669", b"-85.05112878", b"85", b"86", b"0", b"x")),
    ),
    "distance": mixed(
        (5, between(1, 400)), (2, pool(b"0", b"100000", b"25000", b"-1", b"x", b"nan", b"inf", b"1e3", b"1000.5"))
    ),
    "unit": pool(b"m", b"km", b"KM", b"ft", b"mi", b"km", b"x"),
    "place": pool(*(b"p%d" % number for number in range(12)), b"", b"x"),
    "frequency": pool(b"0", b"5", b"255", b"256", b"-1", b"x"),
    "width": pool(b"u8", b"i5", b"u63", b"i64", b"u1", b"u64", b"i65", b"x8"),
    "place-of-bits": mixed(
        (4, between(0, 60)), (2, lambda rng: b"#%d" % rng.randrange(8)), (1, pool(b"#-1", b"-1", b"x"))
    ),
}
