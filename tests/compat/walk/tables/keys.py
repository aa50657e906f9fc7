"""Commands on keys of any type, and on databases. RANDOMKEY is not among them: which stale keys it deletes is chance. So is a
page of SCAN."""

TABLE = """
4: DEL {key+}
UNLINK {key+}
EXISTS {key+}
TOUCH {key+}
2: TYPE {key}
2: OBJECT ENCODING {key}
OBJECT {REFCOUNT|FREQ|x} {key}
OBJECT IDLETIME {key}
RENAME {key} {key}
RENAMENX {key} {key}
2: COPY {key} {key} [REPLACE] [DB {db}]
MOVE {key} {db}
EXPIRE {key} {seconds} [{NX|XX|GT|LT|x}] [{NX|XX|GT|LT}]
PEXPIRE {key} {millis} [{NX|XX|GT|LT|x}]
EXPIREAT {key} {at} [{NX|XX|GT|LT|x}]
PEXPIREAT {key} {at-ms} [{NX|XX|GT|LT}]
TTL {key}
PTTL {key}
EXPIRETIME {key}
PEXPIRETIME {key}
2: PERSIST {key}
!SET {key} stale PXAT 1
KEYS {pattern}
!2: SCAN 0 COUNT 100000 [MATCH {pattern}] [TYPE {string|list|set|zset|hash|stream|STRING|x}]
!SCAN 0 {COUNT|MATCH|x} {0|-1|x|} [COUNT]
!SCAN {x|18446744073709551616}
DBSIZE
DUMP {key}
RESTORE {key} 0 {element} [REPLACE] [ABSTTL] [IDLETIME {int}] [FREQ {frequency}]
SWAPDB 0 {db}
FLUSHDB [{SYNC|ASYNC|x}]
DEBUG DIGEST-VALUE {key+}
"""
