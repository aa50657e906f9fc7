"""Sorted sets. The members of ``even`` ones have all the same score: only there an order of texts means anything."""

TABLE = """
6: ZADD {zset} {score element+}
3: ZADD {zset} [{NX|XX}] [{GT|LT}] [CH] {nice element+}
ZADD {zset} [NX] [XX] [GT] [LT] [CH] [INCR] {score} {element}
!4: ZADD {even} 0 {element} 0 {element} 0 {element}
2: ZINCRBY {zset} {score} {element}
2: ZREM {zset} {element+}
ZSCORE {zset} {element}
ZMSCORE {zset} {element+}
ZCARD {zset}
ZCOUNT {zset} {min} {min}
ZLEXCOUNT {even} {lex} {lex}
2: ZRANK {zset} {element} [WITHSCORE]
ZREVRANK {zset} {element} [WITHSCORE]
2: ZRANGE {zset} {index} {index} [REV] [WITHSCORES] [LIMIT {int} {limit}]
ZRANGE {zset} {min} {min} BYSCORE [REV] [LIMIT {int} {limit}] [WITHSCORES]
ZRANGE {even} {lex} {lex} BYLEX [REV] [LIMIT {int} {limit}] [WITHSCORES]
ZRANGESTORE {zset} {zset} {index} {index} [REV] [LIMIT {int} {limit}]
ZRANGESTORE {zset} {zset} {min} {min} BYSCORE [REV] [LIMIT {int} {limit}]
!ZRANGESTORE {even} {even} {lex} {lex} BYLEX [REV] [LIMIT {int} {limit}]
ZREVRANGE {zset} {index} {index} [WITHSCORES]
ZRANGEBYSCORE {zset} {min} {min} [WITHSCORES] [LIMIT {int} {limit}]
ZREVRANGEBYSCORE {zset} {min} {min} [WITHSCORES] [LIMIT {int} {limit}]
ZRANGEBYLEX {even} {lex} {lex} [LIMIT {int} {limit}]
ZREVRANGEBYLEX {even} {lex} {lex} [LIMIT {int} {limit}]
ZREMRANGEBYRANK {zset} {index} {int}
ZREMRANGEBYSCORE {zset} {min} {min}
ZREMRANGEBYLEX {even} {lex} {lex}
ZPOPMIN {zset} [{count}]
ZPOPMAX {zset} [{count}]
ZMPOP {#zset+} {MIN|MAX|x} [COUNT {count}]
ZRANDMEMBER {zset} [{sample}]
ZRANDMEMBER {zset} {sample} WITHSCORES
ZUNION {#zset+} [WEIGHTS {weight=}] [AGGREGATE {SUM|MIN|MAX|x}] [WITHSCORES]
ZINTER {#zset+} [WEIGHTS {weight=}] [AGGREGATE {SUM|MIN|MAX|x}] [WITHSCORES]
ZDIFF {#zset+} [WITHSCORES]
2: ZUNIONSTORE {zset} {#zset+} [WEIGHTS {weight=}] [AGGREGATE {SUM|MIN|MAX|x}]
ZUNIONSTORE {zset} 2 {zset} {set}
ZINTERSTORE {zset} {#zset+} [WEIGHTS {weight=}] [AGGREGATE {SUM|MIN|MAX|x}]
ZDIFFSTORE {zset} {#zset+}
ZINTERCARD {#zset+} [LIMIT {count}]
ZSCAN {zset} 0 [MATCH {pattern}] [COUNT {count}]
ZSCAN {zset} {0|3|x|} COUNT 100000 [MATCH {pattern}]
!BZPOPMIN {zset+} 0.001
!BZPOPMAX {zset+} 0.001
!BZMPOP 0.001 {#zset+} {MIN|MAX|x} [COUNT {count}]
!BZPOPMIN {zset+} {-1|x|nan|}
"""
