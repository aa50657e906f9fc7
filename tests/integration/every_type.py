"""Data of every type, in its small and its large form, and whether two nodes hold the same."""

from collections.abc import Iterator, Sequence
from typing import Final

from tests.compat.replies import Answer
from tests.compat.walk.compare import VAGUE_FACTS, alike_for, without_facts
from tests.compat.walk.differences import known
from tests.compat.walk.grammar import Request
from tests.compat.walk.sides import Process, answers
from tests.compat.walk.walker import READS
from tests.integration.nodes import GOSSAMER, Node

FAR_MS: Final = 4_102_444_800_000
"""The year 2100."""
LONG: Final = "x" * 100
MANY: Final = range(700)
FEW: Final = range(5)


def fill(tag: str = "") -> Iterator[list[str]]:
    """Requests that make it. ``tag`` is the end of every key."""
    yield ["SET", f"text{tag}", LONG]
    yield ["SET", f"number{tag}", "-17"]
    yield ["SETBIT", f"bits{tag}", "999", "1"]
    yield ["PFADD", f"hll{tag}", *(f"e{n}" for n in FEW)]
    yield ["PFADD", f"hll:large{tag}", *(f"e{n}" for n in MANY), *(f"f{n}" for n in range(1500))]
    for size, numbers in (("small", FEW), ("large", MANY)):
        yield ["RPUSH", f"list:{size}{tag}", *(f"element:{n}" for n in numbers), "", LONG, "-5000"]
        yield ["SADD", f"ints:{size}{tag}", *(f"{n * n - 100}" for n in numbers)]
        yield ["SADD", f"set:{size}{tag}", *(f"m{n}" for n in numbers), "7", ""]
        yield ["HSET", f"hash:{size}{tag}", *(word for n in numbers for word in (f"f{n}", f"{n}")), "", LONG[:60]]
        yield [
            "ZADD",
            f"zset:{size}{tag}",
            *(word for n in numbers for word in (f"{n % 9}.5", f"m{n}")),
            "-inf",
            "",
            "inf",
            "z",
        ]
        yield [
            "GEOADD",
            f"geo:{size}{tag}",
            *(word for n in numbers for word in (f"{n % 100}.5", f"{n % 80}.25", f"p{n}")),
        ]
        for n in numbers:
            yield [
                "XADD",
                f"stream:{size}{tag}",
                f"{n + 1}-{n % 3}",
                "field",
                f"{n}",
                *(["other", LONG] if n % 4 == 0 else []),
            ]
        yield ["XDEL", f"stream:{size}{tag}", "2-1"]
        yield ["XGROUP", "CREATE", f"stream:{size}{tag}", "group", "0"]
        yield ["XGROUP", "CREATE", f"stream:{size}{tag}", "other", "3-2", "ENTRIESREAD", "3"]
        yield ["XREADGROUP", "GROUP", "group", "alice", "COUNT", "3", "STREAMS", f"stream:{size}{tag}", ">"]
        yield ["XREADGROUP", "GROUP", "group", "bob", "COUNT", "1", "STREAMS", f"stream:{size}{tag}", ">"]
        yield ["XACK", f"stream:{size}{tag}", "group", "1-0"]
    yield ["RPUSH", f"ends{tag}", "a"]
    yield ["PEXPIREAT", f"ends{tag}", f"{FAR_MS}"]


def makers(name: str, key: str) -> list[list[str]]:
    """The requests of ``fill`` that make what it calls ``name``, for ``key``."""
    return [[key if word == name else word for word in words] for words in fill() if name in words]


def fields_that_end(tag: str = "") -> Iterator[list[str]]:
    """What only Valkey 9 has beside us."""
    yield ["HSET", f"fields{tag}", *(word for n in MANY for word in (f"f{n}", f"{n}"))]
    yield ["HPEXPIREAT", f"fields{tag}", f"{FAR_MS}", "FIELDS", "3", "f1", "f2", "f600"]


def tell(node: Node, requests: Sequence[Request]) -> list[Answer]:
    """The answers to ``requests``, which are sent all at once."""
    process = Process(node.address)
    try:
        return list(answers(process.exchange(requests)))[: len(requests)]
    finally:
        process.close()


def put(node: Node, requests: Iterator[list[str]]) -> None:
    """None of them is refused."""
    encoded = [[word.encode() for word in words] for words in requests]
    for words, answer in zip(encoded, tell(node, encoded), strict=True):
        assert answer.kind != "error", (words[:4], answer)


def contents(node: Node, keys: Sequence[bytes]) -> list[Answer]:
    """All that ``keys`` hold, asked for in every way; the ways that do not fit are errors."""
    return tell(node, questions(keys))


def questions(keys: Sequence[bytes]) -> list[Request]:
    asked: list[Request] = [[read[0], key, *read[1:]] for key in keys for read in READS]
    asked += [[b"XINFO", b"STREAM", key, b"FULL", b"COUNT", b"0"] for key in keys]
    return asked + [[b"PEXPIRETIME", key] for key in keys]


def difference(one: Node, other: Node, keys: Sequence[bytes]) -> tuple[Request, Answer, Answer] | None:
    """The first that the two do not answer alike, though they should."""
    real = [program.name.partition("-")[0] for program in (one.program, other.program) if program is not GOSSAMER]
    against = real[0] if real else ""
    for words, first, second in zip(questions(keys), contents(one, keys), contents(other, keys), strict=True):
        if real and words[0] == b"XINFO":
            first, second = without_facts(first, LEFT_OUT), without_facts(second, LEFT_OUT)
        if not alike_for(words, first, second, against) and not known(against, words, first, second):
            return words, first, second
    return None


LEFT_OUT: Final = (*VAGUE_FACTS, b"consumers", b"lag", b"entries-read")
"""Facts of streams that real servers do not tell their replicas: consumers that have got nothing, what 7.2 counts."""
