"""DUMP payloads: those of real servers are taken and made again; damaged ones are refused."""

import json
from base64 import b64decode
from contextlib import nullcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.persist.codes import REDIS_10, REDIS_11, VALKEY_80, RdbError
from gossamer.node.persist.crc64 import crc64, footer
from gossamer.node.persist.dump import Restoration, dump
from gossamer.node.persist.form import Style
from gossamer.node.persist.forms.hashes import EXPIRING
from tests.unit.node.commands.one import One
from tests.unit.node.persist.contents import TYPES, ask, held, said
from tests.unit.node.persist.recorded import payloads, refusals

ALL = [told for told in payloads() if told["type"] in TYPES]
NAME = "{0[server]}:{0[key]}".format


NEWEST_TYPE = {REDIS_10: 19, REDIS_11: 21, VALKEY_80: 22}
"""Type numbers that a format has."""


def newer(told: dict[str, Any]) -> bool:
    """Is there something in it that formats before Valkey 9 cannot say?"""
    return "field_pexpireat_ms" in told or "active-time" in json.dumps(told)


def sealed(body: bytes, version: int = 10) -> bytes:
    out = body + version.to_bytes(2, "little")
    return out + footer(crc64(out))


@pytest.mark.parametrize("told", ALL, ids=NAME)
def test_a_recorded_payload_is_restored(told: dict[str, Any]) -> None:
    one = One()
    assert ask(one, "RESTORE", "k", 0, b64decode(told["dump_b64"])).content == b"OK"
    assert held(one, b"k", told) == said(told)
    for target in (REDIS_10, REDIS_11, VALKEY_80):
        if b64decode(told["dump_b64"])[0] == EXPIRING and target is not VALKEY_80:
            with pytest.raises(RdbError, match="cannot say when"):
                dump(one.stored(b"k"), Style(target))
            continue
        again = dump(one.stored(b"k"), Style(target))
        assert ask(one, "RESTORE", "again", 0, again, "REPLACE").content == b"OK"
        assert again[0] <= NEWEST_TYPE[target]
        if target is VALKEY_80 or not newer(told):
            assert held(one, b"again", told) == said(told)


@pytest.mark.parametrize("told", [told for told in ALL if told["type"] == "string"], ids=NAME)
def test_a_recorded_string_is_dumped_as_it_was(told: dict[str, Any]) -> None:
    payload = b64decode(told["dump_b64"])
    value = Restoration(payload).finish()
    if payload[1] != 0xC3:  # how a string is compressed is not laid down
        assert dump(value, Style(VALKEY_80 if told["rdb_version"] == 80 else REDIS_10)) == payload


@pytest.mark.parametrize(("server", "case", "payload", "reply"), refusals())
def test_a_recorded_refusal(server: str, case: str, payload: bytes, reply: str) -> None:
    restoration = Restoration(payload)
    refused = "Invalid TTL" not in reply and "BUSYKEY" not in reply
    with pytest.raises(RdbError) if refused else nullcontext():
        restoration.finish()
    assert (restoration.version < 0) == ("version or checksum" in reply)


@pytest.mark.parametrize(("version", "fine"), [(0, 1), (1, 1), (10, 1), (11, 1), (12, 0), (79, 0), (80, 1), (81, 0)])
def test_versions_that_we_take(version: int, fine: int) -> None:
    assert Restoration(sealed(b"\x00\x01a", version)).version == (version if fine else -1)


@pytest.mark.parametrize(
    "body", [b"", b"\x00", b"\x00\x05ab", b"\x63\x01a", b"\xfa\x01a\x01b", b"\x00\xc4", b"\x08\x01a"]
)
def test_a_bad_body_is_refused(body: bytes) -> None:
    payload = sealed(body)
    with pytest.raises(RdbError):
        Restoration(payload).finish()


def test_what_follows_the_value_is_not_looked_at() -> None:
    payload = sealed(b"\x00\x01aextra")
    assert Restoration(payload).finish() == b"a"


@given(st.binary(max_size=200), st.booleans())
def test_any_string_comes_back(text: bytes, compress: bool) -> None:
    for value in (text, bytearray(text)):
        payload = dump(value, Style(compress=compress))
        assert Restoration(payload).finish() == text
