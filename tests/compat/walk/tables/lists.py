"""Lists. Who blocks gives up at once."""

TABLE = """
4: LPUSH {list} {element+}
4: RPUSH {list} {element+}
LPUSHX {list} {element+}
RPUSHX {list} {element+}
2: LPOP {list} [{count}]
2: RPOP {list} [{count}]
LLEN {list}
2: LRANGE {list} {index} {index}
2: LINDEX {list} {index}
3: LSET {list} {index} {element}
3: LINSERT {list} {BEFORE|AFTER|before|x} {element} {element}
2: LREM {list} {int} {element}
LTRIM {list} {index} {index}
2: LPOS {list} {element} [RANK {int}] [COUNT {count}] [MAXLEN {count}]
2: LMOVE {list} {list} {LEFT|RIGHT|left|x} {LEFT|RIGHT|right|x}
RPOPLPUSH {list} {list}
2: LMPOP {#list+} {LEFT|RIGHT|x} [COUNT {count}]
!BLPOP {list+} 0.001
!BRPOP {list+} 0.001
!BLMOVE {list} {list} {LEFT|RIGHT|x} {LEFT|RIGHT} 0.001
!BRPOPLPUSH {list} {list} 0.001
!BLMPOP 0.001 {#list+} {LEFT|RIGHT|x} [COUNT {count}]
!BLPOP {list+} {-1|x|nan||1e400|9223372036854775808}
!BLMOVE {list} {list} LEFT RIGHT {-1|x|inf}
!BLMPOP {-1|x|inf} {#list+} LEFT
"""
