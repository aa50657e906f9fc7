"""The numbers of the RDB format: versions, opcodes, types of values (rdb.h of Redis 7.0 and of Valkey 9.1).

Two families share the format: REDIS with versions 1 to 13, and VALKEY with version 80. Redis went on from 12 in its own
way, and its type numbers from 22 up mean other things there than in Valkey. Of these the two forms of hashes of Redis
7.4 are read; what came later is refused by its number, and never guessed at.
"""

from typing import Final


class RdbError(Exception):
    """The bytes are no RDB that can be read; the text says why and, in a file, where."""


class Short(Exception):
    """The bytes end too early. With ``wanted`` bytes from the same start on, it is worth another try."""

    def __init__(self, wanted: int) -> None:
        super().__init__(wanted)
        self.wanted: int = wanted


class Format:
    """What is to be written: the first bytes of a file, and the version number that DUMP payloads carry."""

    def __init__(self, magic: bytes, version: int) -> None:
        self.magic: bytes = magic
        self.version: int = version

    @property
    def valkey(self) -> bool:
        return self.version >= VALKEY_VERSION


REDIS_NEWEST: Final = 13
"""Of files."""
REDIS_NEWEST_DUMP: Final = 11
"""Of payloads: as Redis 7.2, which refuses newer ones."""
VALKEY_VERSION: Final = 80

REDIS_10: Final = Format(b"REDIS0010", 10)
"""What Redis 7.0 writes; everything from there on reads it."""
REDIS_11: Final = Format(b"REDIS0011", 11)
"""Redis 7.2, Valkey 7.2 to 8.1."""
VALKEY_80: Final = Format(b"VALKEY080", 80)
"""Valkey 9.0 and 9.1."""

MAGIC_SIZE: Final = 9
FIRST_WITH_CHECKSUM: Final = 5
CHECKSUM_SIZE: Final = 8


def readable(version: int) -> bool:
    """Is this a version that DUMP payloads may have?"""
    return version <= REDIS_NEWEST_DUMP or version == VALKEY_VERSION


def version_of(magic: bytes) -> int:
    """The version by the first bytes of a file; RdbError if they are not those of an RDB that can be read."""
    redis, valkey = magic[:5] == b"REDIS", magic[:6] == b"VALKEY"
    digits = magic[6:] if valkey else magic[5:]
    if not (redis or valkey) or len(magic) != MAGIC_SIZE or not digits.isdigit():
        raise RdbError(f"wrong signature {magic!r}: not an RDB")
    version = int(digits)
    if (redis and 1 <= version <= REDIS_NEWEST) or (valkey and version == VALKEY_VERSION):
        return version
    raise RdbError(f"cannot read RDB format version {version} of {'Redis' if redis else 'Valkey'}")


# --- opcodes, where a type of value could stand

EOF: Final = 255
SELECTDB: Final = 254
EXPIRETIME: Final = 253
EXPIRETIME_MS: Final = 252
RESIZEDB: Final = 251
AUX: Final = 250
FREQ: Final = 249
IDLE: Final = 248
MODULE_AUX: Final = 247
FUNCTION_PRE_GA: Final = 246
FUNCTION2: Final = 245
SLOT_INFO: Final = 244
SLOT_IMPORT: Final = 243

# --- how module data goes on

MODULE_END: Final = 0
MODULE_SIGNED: Final = 1
MODULE_UNSIGNED: Final = 2
MODULE_FLOAT: Final = 3
MODULE_DOUBLE: Final = 4
MODULE_STRING: Final = 5

# --- types of values

STRING: Final = 0
STREAM_LISTPACKS: Final = 15
STREAM_LISTPACKS_2: Final = 19
STREAM_LISTPACKS_3: Final = 21

TYPE_NAMES: Final[dict[int, str]] = {
    STRING: "string",
    1: "list",
    2: "set",
    3: "sorted set with scores as text",
    4: "hash",
    5: "sorted set",
    6: "module value of before 4.0",
    7: "module value",
    9: "hash as zipmap",
    10: "list as ziplist",
    11: "set as intset",
    12: "sorted set as ziplist",
    13: "hash as ziplist",
    14: "list as quicklist of ziplists",
    15: "stream",
    16: "hash as listpack",
    17: "sorted set as listpack",
    18: "list as quicklist of listpacks",
    19: "stream, second form",
    20: "set as listpack",
    21: "stream, third form",
    22: "hash with times to live of its fields",
    23: "hash as listpack with times to live, of a release candidate of Redis 7.4",
    24: "hash of Redis 7.4 with times to live of its fields",
    25: "hash of Redis 7.4 as listpack with times to live",
}
"""For messages; also of those that cannot be read here."""
OF_VALKEY: Final = 22
"""In Redis, a form of release candidates."""


def belongs(code: int, valkey: bool) -> bool:
    """Does a type of value occur in this family?"""
    return code < OF_VALKEY or (code == OF_VALKEY) == valkey


def type_title(code: int) -> str:
    """A type of value, for messages."""
    return f"{code} ({TYPE_NAMES.get(code, 'unknown')})"
