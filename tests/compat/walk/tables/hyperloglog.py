"""HyperLogLog: the bytes count. Only the header is damaged; what is told of a body that makes no sense is chance."""

TABLE = """
6: PFADD {hll} {element+}
PFADD {hll}
2: PFCOUNT {hll}
PFCOUNT {hll+}
2: PFMERGE {hll} {hll+}
PFMERGE {hll}
GET {hll}
PFDEBUG {ENCODING|x} {hll}
!SETRANGE {hll} {0|3|4|5|8|15} {0|1|x}
"""
