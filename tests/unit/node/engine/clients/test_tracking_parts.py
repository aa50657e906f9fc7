"""What client tracking is made of: the table of who has what, the prefixes, and what one client has asked for."""

import pytest

from gossamer.cluster.slots import key_slot
from gossamer.node.engine.clients.tracker import GIVEN, Tracker
from gossamer.node.engine.clients.tracking_prefixes import NOBODY, Prefixes, overlap
from gossamer.node.engine.clients.tracking_table import PIECE, TrackingTable


def test_the_table_knows_once_who_has_a_key() -> None:
    table = TrackingTable()
    for client_id in (1, 1, 2, 2, 3, 1):
        table.add(b"k", client_id)
    table.add(b"l", 1)
    assert (table.keys, table.items) == (2, 4)
    assert sorted(table.take(b"k")) == [1, 2, 3]
    assert table.take(b"k") == []
    assert table.take(b"never") == []
    assert (table.keys, table.items) == (1, 1)
    assert table.take(b"l") == [1]
    assert table.slots == {}, "nothing is kept of a slot without keys"


def test_slots_take_turns_when_keys_must_go() -> None:
    table = TrackingTable()
    for number in range(3):
        for tag in (b"{a}", b"{b}"):
            table.add(tag + b"%d" % number, 7)
    gone = [table.evict() for _ in range(4)]
    assert [key[:3] for key, _ in gone] == [b"{a}", b"{b}", b"{a}", b"{b}"]
    assert len({key for key, _ in gone}) == 4
    assert [ids for _, ids in gone] == [[7]] * 4
    assert (table.keys, table.items) == (2, 2)


def test_keys_are_found_by_their_slot() -> None:
    table = TrackingTable()
    for key in (b"{a}1", b"{a}2", b"{b}1"):
        table.add(key, 1)
    assert sorted(table.keys_of(key_slot(b"a"))) == [b"{a}1", b"{a}2"]
    assert table.keys_of(0) == []


def test_what_is_forgotten_as_a_whole_is_freed_in_pieces() -> None:
    table = TrackingTable()
    for number in range(2 * PIECE + 1):
        table.add(b"{a}%d" % number, 1)
    table.clear()
    assert (table.keys, table.items, table.take(b"{a}1")) == (0, 0, [])
    pieces = 0
    while table.garbage:
        table.free()
        pieces += 1
    assert pieces == 3


def test_prefixes_are_told_in_order_with_the_last_who_changed_a_key() -> None:
    prefixes = Prefixes()
    for name, client_id in ((b"b", 1), (b"a", 1), (b"", 2), (b"c", 1)):
        prefixes.add(name, client_id)
    for key, client_id in ((b"b1", 3), (b"a2", 1), (b"a1", 3), (b"a2", NOBODY), (b"x", 2)):
        prefixes.note(key, client_id)
    changed = [list(prefix.take().items()) for prefix in prefixes.take()]
    assert changed == [
        [(b"a1", 3), (b"a2", NOBODY), (b"b1", 3), (b"x", 2)],
        [(b"a1", 3), (b"a2", NOBODY)],
        [(b"b1", 3)],
    ]
    assert prefixes.take() == []


def test_a_prefix_is_there_while_somebody_wants_it() -> None:
    prefixes = Prefixes()
    for client_id in (1, 1, 2):
        prefixes.add(b"a", client_id)
    prefixes.remove(b"a", 1)
    assert len(prefixes) == 1
    prefixes.remove(b"a", 2)
    assert len(prefixes) == 0


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [(b"", b"a", True), (b"ab", b"a", True), (b"a", b"a", True), (b"a", b"b", False), (b"ab", b"ac", False)],
)
def test_prefixes_overlap_if_a_key_can_begin_with_both(one: bytes, other: bytes, both: bool) -> None:
    assert overlap(one, other) == overlap(other, one) == both


OPT_IN, OPT_OUT = "optin", "optout"


@pytest.mark.parametrize("mode", ["", OPT_IN, OPT_OUT])
@pytest.mark.parametrize(
    ("requests", "holds"),
    [
        ("GET", [False]),
        ("CACHING GET GET", [True, False]),
        ("CACHING CLIENT GET", [True]),
        ("CACHING MULTI GET GET EXEC GET", [True, True, False]),
        ("CACHING PING GET", [False]),
    ],
)
def test_caching_holds_for_one_request_or_one_transaction(mode: str, requests: str, holds: list[bool]) -> None:
    tracker = Tracker()
    tracker.turn_on(False, mode == OPT_IN, mode == OPT_OUT, False, 0)
    remembered: list[bool] = []
    in_multi = False
    for word in requests.split():
        tracker.begins(word in ("CACHING", "CLIENT"), in_multi)
        if word == "CACHING" and mode:
            tracker.caching = GIVEN
        if word in ("MULTI", "EXEC"):
            in_multi = word == "MULTI"
        if word == "GET":
            remembered.append(tracker.remembers())
    wanted = {"": [True] * len(holds), OPT_IN: holds, OPT_OUT: [not held for held in holds]}
    assert remembered == wanted[mode]


def test_who_is_told_of_prefixes_or_of_nothing_has_nothing_remembered() -> None:
    tracker = Tracker()
    assert not tracker.remembers()
    tracker.turn_on(True, False, False, False, 0)
    assert not tracker.remembers()
    tracker.turn_on(False, False, False, True, 5)
    assert tracker.remembers()
    tracker.turn_off()
    assert not tracker.remembers()
    assert tracker.flags() == [b"off"]
