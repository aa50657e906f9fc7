"""SORT. Without an order, what a set gives is anybody's guess: only lists and sorted sets are asked for that."""

TABLE = """
2: SORT {list} [BY {by}] [LIMIT {int} {limit}] [GET {get}] [GET {get}] [{ASC|DESC}] [ALPHA] [STORE {list}]
SORT {set} [BY {by}] [LIMIT {int} {limit}] [GET {get}] [{ASC|DESC}] [ALPHA] [STORE {list}]
SORT {zset} [BY {by}] [LIMIT {int} {limit}] [GET {get}] [{ASC|DESC}] [ALPHA] [STORE {list}]
SORT {list} BY nosort [LIMIT {int} {limit}] [GET {get}] [{ASC|DESC}] [STORE {list}]
SORT {zset} BY nosort [LIMIT {int} {limit}] [GET {get}] [{ASC|DESC}] [STORE {list}]
SORT_RO {list} [BY {by}] [LIMIT {int} {limit}] [GET {get}] [{ASC|DESC}] [ALPHA]
SET {string} {nice}
MSET string:1 {element} string:2 {int} string:a {int} string:5 {float} weight:a {int} weight:b {nice} weight:3 {element}
HSET hash:a a {int} b {element}
2: RPUSH {list} {int+}
RPUSH {list} {nice+}
"""
