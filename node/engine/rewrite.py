"""In which words a command goes into the stream of writes, so that it does the same wherever and whenever it is run.

As Redis 7.0: times become absolute, sums of floats become their result, commands that also read become plain writes.
Every rewriting looks at the database after the command has run.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from gossamer.node.engine.keyspace import Database

Rewrite: TypeAlias = Callable[[list[bytes], Database], list[bytes]]

TIMES: Final = (b"EX", b"PX", b"EXAT", b"PXAT")


def in_stream(name: str, argv: list[bytes], db: Database) -> list[bytes]:
    """``argv``, which has just changed ``db``, as the stream tells it. ``name``: of the command, in lower case."""
    rewrite = REWRITES.get(name)
    return argv if rewrite is None else rewrite(argv, db)


def end_of(db: Database, key: bytes) -> int:
    return db.expire_time(db.part_of(key), key) if db.volatile else -1


def set_until(db: Database, key: bytes, value: bytes) -> list[bytes]:
    return [b"SET", key, value, b"PXAT", b"%d" % end_of(db, key)]


def set_(argv: list[bytes], db: Database) -> list[bytes]:
    if len(argv) == 3:
        return argv
    words = [word.upper() for word in argv[3:]]
    if any(word in TIMES for word in words):
        return set_until(db, argv[1], argv[2])
    return [word for at, word in enumerate(argv) if at < 3 or words[at - 3] != b"GET"]


def setex(argv: list[bytes], db: Database) -> list[bytes]:
    return set_until(db, argv[1], argv[3])


def getset(argv: list[bytes], db: Database) -> list[bytes]:
    return [b"SET", argv[1], argv[2]]


def getdel(argv: list[bytes], db: Database) -> list[bytes]:
    return [b"DEL", argv[1]]


def getex(argv: list[bytes], db: Database) -> list[bytes]:
    key = argv[1]
    if db.peek(key) is None:
        return [b"DEL", key]
    end = end_of(db, key)
    return [b"PERSIST", key] if end < 0 else [b"PEXPIREAT", key, b"%d" % end]


def expire(argv: list[bytes], db: Database) -> list[bytes]:
    """The conditions (NX and its like) stay: they hold wherever the key is the same."""
    key = argv[1]
    if db.peek(key) is None:
        return [b"DEL", key]
    return [b"PEXPIREAT", key, b"%d" % end_of(db, key), *argv[3:]]


def incrbyfloat(argv: list[bytes], db: Database) -> list[bytes]:
    total = db.peek(argv[1])
    assert isinstance(total, bytes)
    return [b"SET", argv[1], total, b"KEEPTTL"]


def restore(argv: list[bytes], db: Database) -> list[bytes]:
    key = argv[1]
    if db.peek(key) is None:
        return [b"DEL", key]
    end = end_of(db, key)
    if end < 0:
        return argv
    options = [word for word in argv[4:] if word.upper() != b"ABSTTL"]
    return [b"RESTORE", key, b"%d" % end, argv[3], *options, b"ABSTTL"]


REWRITES: Final[dict[str, Rewrite]] = {
    "set": set_,
    "setex": setex,
    "psetex": setex,
    "getset": getset,
    "getdel": getdel,
    "getex": getex,
    "expire": expire,
    "pexpire": expire,
    "expireat": expire,
    "pexpireat": expire,
    "incrbyfloat": incrbyfloat,
    "restore": restore,
    "restore-asking": restore,
}
