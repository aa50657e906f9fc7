"""Slots are shared out evenly, no more of them move than must, and in few pieces."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from gossamer.cluster.balance import Range, evened, filled, merged, size, transfers
from gossamer.cluster.slots import SLOTS
from gossamer.cluster.topology import NodeId, ranges

Held = dict[NodeId, list[Range]]


@st.composite
def holdings(draw: st.DrawFn) -> Held:
    """All slots, in pieces, with up to eight owners of whom some may have none."""
    names = [f"n{number}" for number in range(draw(st.integers(1, 8)))]
    cuts = sorted(draw(st.sets(st.integers(1, SLOTS - 1), max_size=24)))
    held: Held = {name: [] for name in names}
    for first, after in zip([0, *cuts], [*cuts, SLOTS], strict=True):
        held[draw(st.sampled_from(names))].append((first, after - 1))
    return {name: merged(pieces) for name, pieces in held.items()}


def counts(held: Mapping[NodeId, list[Range]]) -> dict[NodeId, int]:
    return {node: size(pieces) for node, pieces in held.items()}


def applied(held: Held, wanted: Mapping[NodeId, int]) -> tuple[Held, int]:
    """What is held after the transfers, and how many slots moved; every slot has to be its giver's to give."""
    slots = {node: {slot for low, high in pieces for slot in range(low, high + 1)} for node, pieces in held.items()}
    moved = 0
    for source, target, given_away in transfers(held, wanted):
        pieces = {slot for low, high in given_away for slot in range(low, high + 1)}
        assert pieces
        assert pieces <= slots[source]
        slots[source] -= pieces
        slots[target] |= pieces
        moved += len(pieces)
    return {node: ranges(sorted(owned)) for node, owned in slots.items()}, moved


@given(holdings(), st.data())
def test_everybody_ends_within_one_slot_of_its_share_and_only_the_surplus_moves(
    held: Held, data: st.DataObject
) -> None:
    some = st.sampled_from([0.0, 0.3, 1.0, 1.0, 2.5])
    weights = {node: data.draw(some, label=node) for node in held}
    weights["n0"] = 1.0
    have, total = counts(held), sum(weights.values())
    wanted = evened(have, weights)
    after, moved = applied(held, wanted)
    assert counts(after) == wanted
    assert sum(wanted.values()) == SLOTS
    exact = {node: SLOTS * weight / total for node, weight in weights.items()}
    assert all(abs(wanted[node] - exact[node]) < 1 for node in held)
    # no way of rounding moves less: who has more than its share rounded up gives at least down to that, and
    # of those who could keep the odd slot as many do as there are odd slots
    whole = {node: int(exact[node] + 1e-9) for node in held}
    odd = SLOTS - sum(whole.values())
    keepers = sum(have[node] > whole[node] and exact[node] - whole[node] > 1e-6 for node in held)
    assert moved == sum(max(0, have[node] - whole[node]) for node in held) - min(odd, keepers)


@given(holdings())
def test_each_bargain_cuts_at_most_one_range(held: Held) -> None:
    wanted = evened(counts(held), dict.fromkeys(held, 1.0))
    bargains = transfers(held, wanted)
    assert len(bargains) < max(len(held), 2)
    after, _ = applied(held, wanted)
    assert sum(map(len, after.values())) <= sum(map(len, held.values())) + len(bargains)


@given(holdings(), st.integers(0, SLOTS))
def test_what_is_poured_out_levels_the_poorest_and_takes_from_nobody(held: Held, extra: int) -> None:
    have = counts(held)
    wanted = filled(have, extra)
    assert sum(wanted.values()) == SLOTS + extra
    gained = {node: wanted[node] - have[node] for node in have}
    assert min(gained.values()) >= 0
    level = max((wanted[node] for node in have if gained[node]), default=0)
    assert all(wanted[node] >= level - 1 for node in have)


def test_a_newcomer_gets_one_range_from_each_and_the_givers_keep_one() -> None:
    held = {"a": [(0, 5460)], "b": [(5461, 10921)], "c": [(10922, 16383)], "d": []}
    wanted = evened(counts(held), dict.fromkeys(held, 1.0))
    assert set(wanted.values()) == {4096}
    moves = transfers(held, wanted)
    assert [(source, target, len(pieces)) for source, target, pieces in moves] == [
        ("c", "d", 1),
        ("a", "d", 1),
        ("b", "d", 1),
    ]
    after, moved = applied(held, wanted)
    assert moved == 4096
    assert all(len(after[node]) == 1 for node in "abc")


def test_what_is_balanced_stays_whatever_the_rounding() -> None:
    for owned in ((5462, 5461, 5461), (5461, 5462, 5461), (5461, 5461, 5462)):
        have = dict(zip("abc", owned, strict=True))
        assert evened(have, dict.fromkeys("abc", 1.0)) == have


def test_a_piece_continues_what_the_taker_has_where_that_costs_nothing() -> None:
    held: Held = {"a": [(0, 99), (200, 399)], "b": [(100, 149)]}
    assert transfers(held, {"a": 280, "b": 70}) == [("a", "b", [(80, 99)])]
    held = {"a": [(150, 249)], "b": [(100, 149)]}
    assert transfers(held, {"a": 80, "b": 70}) == [("a", "b", [(150, 169)])]
    held = {"a": [(0, 19), (30, 399)], "b": [(20, 29)]}
    assert transfers(held, {"a": 370, "b": 30}) == [("a", "b", [(0, 19)])]
