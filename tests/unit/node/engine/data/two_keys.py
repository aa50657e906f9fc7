"""Requests that look at one key and change another, or two: for tests of what interrupts them in between."""

from collections.abc import Callable
from typing import Final


def fill_for_two_keys(say: Callable[..., bytes]) -> None:
    """The keys that they are about."""
    for number in range(4):
        say("SADD", f"set{number}", *range(number, number + 10), "word")
        say("RPUSH", f"list{number}", *range(number, number + 10), "word")
        say("ZADD", f"zset{number}", 1, "one", 2, f"two{number}")
        say("SET", f"string{number}", f"{number}")
    say("SADD", "single", "one")
    say("RPUSH", "last", "one")
    say("PEXPIREAT", "string1", 2_000_000)
    say("GEOADD", "geo", 1, 1, "here")


TWO_KEYS: Final = (
    "RENAME string0 new", "RENAME string1 new", "RENAME set1 list1", "RENAMENX zset1 new", "MOVE string1 3",
    "COPY string1 new", "COPY set1 list1 REPLACE", "COPY string0 new DB 3", "SMOVE set0 new word",
    "SMOVE single new one", "SMOVE single set1 one", "SMOVE set0 set1 0", "SMOVE set0 set1 word",
    "LMOVE list0 new LEFT LEFT", "LMOVE last new LEFT RIGHT", "LMOVE last list1 LEFT RIGHT", "RPOPLPUSH last list1",
    "BLMOVE last new LEFT LEFT 0", "SINTERSTORE new set1 set2", "SUNIONSTORE set1 set2 set3",
    "SDIFFSTORE new set1 set2", "ZUNIONSTORE new 2 zset1 zset2", "ZINTERSTORE string1 2 zset1 zset2",
    "ZDIFFSTORE new 2 zset1 zset2", "ZRANGESTORE new zset1 0 -1", "SORT list1 ALPHA STORE new",
    "SORT list1 BY string* GET string* STORE string1", "BITOP OR new string1 string2",
    "GEOSEARCHSTORE new geo FROMMEMBER here BYRADIUS 10 km ASC", "PFMERGE new", "GETDEL string1",
    "GETSET string1 new",
)  # fmt: skip
