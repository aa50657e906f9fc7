"""SORT. Where nothing decides which of two elements is first, the order is anybody's guess, and is not stored: without
an order, the elements of a set; ALPHA with BY, elements of equal weight."""

TABLE = """
2: SORT {list} [BY {by}] [LIMIT {int} {limit}] [GET {get}] [GET {get}] [{ASC|DESC}] [STORE {list}]
SORT {list} [LIMIT {int} {limit}] [GET {get}] [{ASC|DESC}] [STORE {list}] ALPHA
SORT {set} [BY {by}] [LIMIT {int} {limit}] [GET {get}] [{ASC|DESC}] [STORE {list}]
SORT {set} [LIMIT {int} {limit}] [GET {get}] [{ASC|DESC}] [STORE {list}] ALPHA
SORT {zset} [BY {by}] [LIMIT {int} {limit}] [GET {get}] [{ASC|DESC}] [STORE {list}]
!SORT {list} BY {by} ALPHA [GET {get}] [{ASC|DESC}]
SORT {list} BY nosort [LIMIT {int} {limit}] [GET {get}] [{ASC|DESC}]
!SORT {even} BY nosort [LIMIT {int} {limit}] [GET {get}] [{ASC|DESC}] [STORE {list}]
SORT_RO {list} [BY {by}] [LIMIT {int} {limit}] [GET {get}] [{ASC|DESC}]
SORT_RO {set} ALPHA [{ASC|DESC}]
SET {string} {nice}
MSET string:1 {element} string:2 {int} string:a {int} string:5 {float} weight:a {int} weight:b {nice} weight:3 {element}
HSET hash:a a {int} b {element}
2: RPUSH {list} {int+}
RPUSH {list} {nice+}
"""
