"""Strings and their bits."""

TABLE = """
4: SET {string} {element}
2: SET {string} {element} [NX] [XX] [GET] [KEEPTTL] [EX {seconds}] [PX {millis}] [EXAT {at}] [PXAT {at-ms}]
2: SET {string} {number}
GET {string}
GETSET {string} {element}
GETDEL {string}
GETEX {string} [EX {seconds}] [PX {millis}] [EXAT {at}] [PXAT {at-ms}] [PERSIST]
SETNX {string} {element}
SETEX {string} {seconds} {element}
PSETEX {string} {millis} {element}
MGET {key+}
MSET {string element+}
MSETNX {string element+}
APPEND {string} {element}
STRLEN {string}
SETRANGE {string} {offset} {element}
GETRANGE {string} {index} {index}
SUBSTR {string} {index} {index}
2: INCR {string}
DECR {string}
2: INCRBY {string} {number}
DECRBY {string} {number}
2: INCRBYFLOAT {string} {float}
LCS {string} {string} [LEN] [IDX] [MINMATCHLEN {int}] [WITHMATCHLEN]
2: SETBIT {string} {offset} {bit}
GETBIT {string} {offset}
BITCOUNT {string} [{index} {index}]
BITCOUNT {string} {index} {index} {BIT|BYTE|x}
BITPOS {string} {bit} [{index}]
BITPOS {string} {bit} {index} {index} [{BIT|BYTE|x}]
BITOP {AND|OR|XOR|NOT|x} {string} {string+}
BITFIELD {string} [GET {width} {place-of-bits}] [SET {width} {place-of-bits} {number}] [OVERFLOW {WRAP|SAT|FAIL|x}] [INCRBY {width} {place-of-bits} {number}]
BITFIELD_RO {string} [GET {width} {place-of-bits}] [SET {width} {place-of-bits} {number}]
"""
