"""Sets. What a random pop leaves is deleted at once, for it differs."""

TABLE = """
6: SADD {set} {element+}
4: SADD {set} {int+}
3: SREM {set} {element+}
SREM {set} {int+}
2: SISMEMBER {set} {element}
SMISMEMBER {set} {element+}
SCARD {set}
2: SMEMBERS {set}
SRANDMEMBER {set} [{sample}]
SPOP {set} [{count}] ; DEL
!SPOP {set} 100000
2: SMOVE {set} {set} {element}
SINTER {set+}
SUNION {set+}
SDIFF {set+}
SINTERSTORE {set} {set+}
SUNIONSTORE {set} {set+}
2: SDIFFSTORE {set} {set+}
SINTERCARD {#set+} [LIMIT {count}]
SSCAN {set} 0 [MATCH {pattern}] [COUNT {count}]
SSCAN {set} {0|3|x|} COUNT 100000 [MATCH {pattern}]
"""
