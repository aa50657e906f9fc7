"""What is damaged: payloads of every type in every form, recorded ones and our own, and whole RDB files."""

from base64 import b64decode
from collections.abc import Sequence
from typing import Final

from gossamer.node.engine.data.snapshot import Snapshot
from gossamer.node.persist.codes import REDIS_10, REDIS_11, VALKEY_80, Format
from gossamer.node.persist.dump import dump, plain_style
from gossamer.node.persist.form import Style
from gossamer.node.persist.writer import RdbWriter
from tests.unit.node.commands.one import One
from tests.unit.node.persist.recorded import files, payloads

FORMATS: Final[Sequence[Format]] = (REDIS_10, REDIS_11, VALKEY_80)

LONG: Final = "x" * 70
FILL: Final[Sequence[str]] = (
    "SET int 12345",
    "SET text hello",
    f"SET long {LONG * 30}",
    "PFADD hll a b c d",
    "RPUSH list:small 1 two 3 -7000 " + LONG,
    "RPUSH list:large " + " ".join(f"element:{n}" for n in range(400)),
    "SADD set:ints 1 2 300 -70000 5000000000",
    "SADD set:small a b 3 " + LONG[:60],
    "SADD set:large " + " ".join(f"m{n}" for n in range(150)) + " " + LONG,
    "HSET hash:small a 1 b two c " + LONG[:60],
    "HSET hash:large " + " ".join(f"f{n} {n}" for n in range(20)) + " long " + LONG,
    "HSET hash:ends a 1 b 2 c 3",
    "HPEXPIREAT hash:ends 4102444800000 FIELDS 2 a b",
    "ZADD zset:small 1 a 2.5 b -inf c 1e300 d 3 e",
    "ZADD zset:large " + " ".join(f"{n}.5 m{n}" for n in range(20)) + " 7 " + LONG,
    *(f"XADD stream {n}-1 f {n} g {n * n}" for n in range(1, 12)),
    "XADD stream 20-0 other x",
    "XDEL stream 3-1",
    "XGROUP CREATE stream g1 0",
    "XGROUP CREATE stream g2 5-1 ENTRIESREAD 4",
    "XREADGROUP GROUP g1 alice COUNT 4 STREAMS stream >",
    "XREADGROUP GROUP g1 bob COUNT 2 STREAMS stream >",
    "XACK stream g1 2-1",
)


def filled() -> One:
    one = One()
    for request in FILL:
        reply = one.say(*request.split())
        assert not reply.startswith(b"-") or b"unknown command" in reply, (request, reply)
    return one


def our_payloads() -> list[bytes]:
    one = filled()
    names = [request.split()[1].encode() for request in FILL if request[0] != "X"] + [b"stream"]
    values = [value for name in dict.fromkeys(names) if (value := one.stored(name)) is not None]
    styles = [[plain_style(value), Style(VALKEY_80)] for value in values]
    return [dump(value, style) for value, both in zip(values, styles, strict=True) for style in both]


def all_payloads(longest: int) -> list[bytes]:
    """Each at most ``longest`` bytes, which is what makes many mutants a second."""
    recorded = [b64decode(told["dump_b64"]) for told in payloads()]
    return [payload for payload in dict.fromkeys(recorded + our_payloads()) if len(payload) <= longest]


def all_files(longest: int) -> list[bytes]:
    written = []
    for target in FORMATS:
        one = filled()
        if not target.valkey:
            one.say("DEL", "hash:ends")  # which only Valkey's can say
        snapshot = Snapshot(one.server.keyspace)
        written.append(b"".join(RdbWriter(snapshot, style=Style(target)).chunks()))
        snapshot.close()
    return [data for data in [file.data for file in files()] + written if len(data) <= longest]
