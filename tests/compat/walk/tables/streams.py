"""Streams and their groups. Times that a server takes from its clock are never long ago, or always."""

TABLE = """
8: XADD {stream} {new} {field element+}
2: XADD {stream} [NOMKSTREAM] [{MAXLEN|MINID} {count}] {new} {field element+}
XADD {stream} MAXLEN {=|~} {count} [LIMIT {count}] {new} {field element+}
XADD {stream} MINID {=|~} {id} [LIMIT {count}] {new} {field element+}
XADD {stream} * {field element+} ; DEL
XLEN {stream}
2: XRANGE {stream} {id} {id} [COUNT {limit}]
XRANGE {stream} - + [COUNT {limit}]
2: XREVRANGE {stream} {id} {id} [COUNT {limit}]
XREVRANGE {stream} + - [COUNT {limit}]
2: XDEL {stream} {id+}
XTRIM {stream} {MAXLEN|MINID|x} {id}
XTRIM {stream} MAXLEN [{=|~}] {count} [LIMIT {count}]
XTRIM {stream} MINID [{=|~}] {id} [LIMIT {count}]
XREAD [COUNT {limit}] STREAMS {stream} {id}
XREAD [COUNT {limit}] STREAMS {stream} {stream} {id} {id}
XREAD STREAMS {stream} {$|+|>}
!XREAD [COUNT {limit}] BLOCK 1 STREAMS {stream} {id}
!XREAD BLOCK {-1|x} STREAMS {stream} {id}
XSETID {stream} {id} [ENTRIESADDED {int}] [MAXDELETEDID {id}]
4: XGROUP CREATE {stream} {group} {id} [MKSTREAM] [ENTRIESREAD {int}]
XGROUP CREATE {stream} {group} $ [MKSTREAM]
XGROUP SETID {stream} {group} {id} [ENTRIESREAD {int}]
XGROUP DESTROY {stream} {group}
XGROUP CREATECONSUMER {stream} {group} {consumer}
XGROUP DELCONSUMER {stream} {group} {consumer}
6: XREADGROUP GROUP {group} {consumer} [COUNT {limit}] [NOACK] STREAMS {stream} >
2: XREADGROUP GROUP {group} {consumer} [COUNT {limit}] [NOACK] STREAMS {stream} {id}
XREADGROUP GROUP {group} {consumer} [COUNT {limit}] STREAMS {stream} {stream} > {id}
XREADGROUP GROUP {group} {consumer} STREAMS {stream} {$|+|-}
!XREADGROUP GROUP {group} {consumer} BLOCK 1 STREAMS {stream} >
3: XACK {stream} {group} {id+}
XPENDING {stream} {group}
2: XPENDING {stream} {group} [IDLE {idle}] {id} {id} {limit} [{consumer}]
XPENDING {stream} {group} - + {limit} [{consumer}]
2: XCLAIM {stream} {group} {consumer} {idle} {id+}
2: XCLAIM {stream} {group} {consumer} {idle} {id+} [IDLE {idle}] [RETRYCOUNT {count}] [FORCE] [JUSTID] [LASTID {id}]
XCLAIM {stream} {group} {consumer} {idle} {id+} [TIME {at-ms}] [FORCE] [JUSTID]
2: XAUTOCLAIM {stream} {group} {consumer} {idle} {id} [COUNT {limit}] [JUSTID]
XINFO STREAM {stream}
2: XINFO STREAM {stream} FULL [COUNT {limit}]
XINFO GROUPS {stream}
XINFO CONSUMERS {stream} {group}
"""
