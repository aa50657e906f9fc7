"""Hashes, also with fields that end."""

TABLE = """
4: HSET {hash} {field element+}
HMSET {hash} {field element+}
HSETNX {hash} {field} {element}
2: HSET {hash} {field} {number}
HGET {hash} {field}
HMGET {hash} {field+}
2: HGETALL {hash}
HKEYS {hash}
HVALS {hash}
HLEN {hash}
HSTRLEN {hash} {field}
HEXISTS {hash} {field}
3: HDEL {hash} {field+}
2: HINCRBY {hash} {field} {number}
2: HINCRBYFLOAT {hash} {field} {float}
HRANDFIELD {hash} [{sample}]
HRANDFIELD {hash} {sample} WITHVALUES
HSCAN {hash} 0 [MATCH {pattern}] [COUNT {count}]
HSCAN {hash} {0|3|x|} COUNT 100000 [MATCH {pattern}]
2: HEXPIRE {hash} {seconds} [{NX|XX|GT|LT|x}] FIELDS {#field+}
2: HPEXPIRE {hash} {millis} [{NX|XX|GT|LT|x}] FIELDS {#field+}
HEXPIREAT {hash} {at} [{NX|XX|GT|LT|x}] FIELDS {#field+}
HPEXPIREAT {hash} {at-ms} [{NX|XX|GT|LT|x}] FIELDS {#field+}
HTTL {hash} FIELDS {#field+}
HPTTL {hash} FIELDS {#field+}
HEXPIRETIME {hash} FIELDS {#field+}
HPEXPIRETIME {hash} FIELDS {#field+}
HPERSIST {hash} FIELDS {#field+}
2: HSETEX {hash} [{NX|XX|x}] [{FNX|FXX}] [EX {seconds}] [PX {millis}] [EXAT {at}] [PXAT {at-ms}] [KEEPTTL] FIELDS {#field element+}
2: HGETEX {hash} [EX {seconds}] [PX {millis}] [EXAT {at}] [PXAT {at-ms}] [PERSIST] FIELDS {#field+}
HGETDEL {hash} FIELDS {#field+}
"""
