"""Key → slot, held to what real servers answered and to an independent CRC16."""

import json
from base64 import b64decode
from pathlib import Path

import crcmod.predefined
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gossamer.cluster.slots import SLOTS, hash_tag, key_slot
from gossamer.cluster.topology import NOBODY, Node, Topology, owned_ranges, ranges, ranges_by_owner

RECORDED = json.loads((Path(__file__).parents[2] / "vectors" / "crc" / "crc16.json").read_text())

xmodem = crcmod.predefined.mkCrcFun("xmodem")


@pytest.mark.parametrize("item", RECORDED["keys"], ids=lambda item: repr(item["key_b64"]))
def test_slots_are_those_of_real_servers(item: dict[str, str | int]) -> None:
    assert key_slot(b64decode(str(item["key_b64"]))) == item["slot"]


def test_the_smallest_decimal_key_of_a_slot_is_in_it() -> None:
    for slot, key in RECORDED["smallest_decimal_key_of_slot"].items():
        assert key_slot(str(key).encode()) == int(slot)


@given(st.binary())
def test_crc16_is_xmodem(key: bytes) -> None:
    assert key_slot(key) == xmodem(hash_tag(key)) % SLOTS


@given(
    st.binary().filter(lambda tag: tag and b"}" not in tag), st.binary().filter(lambda b: b"{" not in b), st.binary()
)
@example(b"{", b"", b"}")
def test_only_the_tag_counts(tag: bytes, before: bytes, after: bytes) -> None:
    assert key_slot(before + b"{" + tag + b"}" + after) == xmodem(tag) % SLOTS


@pytest.mark.parametrize("key", [b"{}a", b"a{}{b}", b"{a", b"a}b{", b"}{"])
def test_an_empty_or_open_tag_is_no_tag(key: bytes) -> None:
    assert hash_tag(key) == key


@given(st.sets(st.integers(0, SLOTS - 1), max_size=200), st.sets(st.integers(0, SLOTS - 1), max_size=200))
def test_ranges_by_owner_agree_with_the_table(of_a: set[int], of_b: set[int]) -> None:
    a, b = "a" * 40, "b" * 40
    owners = [*NOBODY]
    for slot in of_a:
        owners[slot] = a
    for slot in of_b:
        owners[slot] = b
    nodes = {name: Node(name, "", 0, 0) for name in (a, b)}
    topology = Topology(a, nodes, tuple(owners))
    expected = {name: ranges(topology.slots_of(name)) for name in (a, b)}
    assert ranges_by_owner(topology) == {name: held for name, held in expected.items() if held}
    firsts = [first for _, first, _ in owned_ranges(topology)]
    assert firsts == sorted(firsts)
