"""A list is what a plain list of Python would be, short or long, whatever is done to it and to its copies."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gossamer.node.persist.packed import listpack
from gossamer.node.types.kind import DONE
from gossamer.node.types.limits import EncodingLimits
from gossamer.node.types.lists.chain import LONGEST, SPARE, WIDEST
from gossamer.node.types.lists.items import element_of, elements_of, item_of, items_of
from gossamer.node.types.lists.kind import LIST, step
from gossamer.node.types.lists.list import UNKNOWN, List
from gossamer.node.types.lists.listpack_size import HEADER, size_of

NASTY = [b"", b"a", b"$1\r\na\r\n", b"\r\n", b"-1", b"127", b"-32769", b"9223372036854775807", b"1" * 63, b"x" * 5000]
ELEMENTS = st.one_of(st.sampled_from(NASTY), st.binary(max_size=6))
INDEX = st.floats(0, 1)
COUNT = st.integers(0, 3) | st.sampled_from([40, 130, 300])


class Lists(RuleBasedStateMachine):
    """``kept``: copies that were taken on the way, with what they must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.list = List()
        self.model: list[bytes] = []
        self.kept: list[tuple[List, list[bytes]]] = []

    def place(self, at: float, room: int) -> int:
        return min(int(at * room), room - 1)

    @rule(elements=st.lists(ELEMENTS, max_size=4), times=st.integers(1, 60), left=st.booleans())
    def push(self, elements: list[bytes], times: int, left: bool) -> None:
        for element in elements * times:
            if left:
                self.list.push_left(element)
                self.model.insert(0, element)
            else:
                self.list.push_right(element)
                self.model.append(element)

    @rule(elements=st.lists(ELEMENTS, max_size=6), times=st.sampled_from([0, 1, 15, 40]))
    def extend(self, elements: list[bytes], times: int) -> None:
        self.list.extend(elements * times)
        self.model += elements * times

    @rule(count=COUNT, left=st.booleans())
    def pop(self, count: int, left: bool) -> None:
        for _ in range(min(count, len(self.model))):
            if left:
                assert self.list.pop_left() == self.model.pop(0)
            else:
                assert self.list.pop_right() == self.model.pop()

    @precondition(lambda self: self.model)
    @rule(at=INDEX, element=ELEMENTS)
    def replace(self, at: float, element: bytes) -> None:
        index = self.place(at, len(self.model))
        assert self.list.element(index) == self.model[index]
        self.list.replace(index, element)
        self.model[index] = element

    @rule(at=INDEX, element=ELEMENTS, times=st.integers(1, 120))
    def insert(self, at: float, element: bytes, times: int) -> None:
        index = self.place(at, len(self.model) + 1)
        for _ in range(times):
            self.list.insert(index, element)
            self.model.insert(index, element)

    @rule(at=INDEX, count=COUNT)
    def delete(self, at: float, count: int) -> None:
        start = self.place(at, len(self.model) + 1)
        stop = min(start + count, len(self.model))
        assert self.list.elements(start, stop) == self.model[start:stop]
        self.list.delete(start, stop)
        del self.model[start:stop]

    @rule(element=ELEMENTS, most=st.integers(0, 3) | st.just(100), backwards=st.booleans())
    def remove(self, element: bytes, most: int, backwards: bool) -> None:
        places = [index for index, other in enumerate(self.model) if other == element]
        gone = (places[::-1] if backwards else places)[: most or None]
        assert self.list.remove(element, most, backwards) == len(gone)
        for index in sorted(gone, reverse=True):
            del self.model[index]

    @rule(
        element=ELEMENTS,
        rank=st.integers(1, 4),
        count=st.integers(0, 3),
        within=st.sampled_from([0, 1, 50, 200]),
        backwards=st.booleans(),
    )
    def look(self, element: bytes, rank: int, count: int, within: int, backwards: bool) -> None:
        order = list(range(len(self.model)))[:: -1 if backwards else 1][: within or None]
        places = [index for index in order if self.model[index] == element][rank - 1 :][: count or None]
        assert self.list.positions(element, rank, count, within, backwards) == places

    @rule()
    def keep(self) -> None:
        self.kept.append((self.list.copy(), self.model.copy()))

    @rule()
    def go_on_with_a_copy(self) -> None:
        self.kept.append((self.list, self.model.copy()))
        self.list = self.list.copy()

    @invariant()
    def same(self) -> None:
        check(self.list, self.model)

    def teardown(self) -> None:
        for value, model in self.kept:
            check(value, model)


def check(value: List, model: list[bytes]) -> None:
    assert value.length == len(model)
    assert value.elements(0, value.length) == model
    assert value.bytes == sum(len(item_of(element)) for element in model)
    assert value.listpack in (UNKNOWN, len(listpack.encode(model)) - HEADER)
    chain = value.chain
    if chain is None:
        return
    assert value.length > 64 or value.bytes > 4096, "what is short is packed"
    assert max(len(chain.front), len(chain.back)) < 2 * SPARE
    for run, count in zip(chain.runs, chain.counts, strict=True):
        assert len(items_of(run)) == count
        assert 0 < count <= LONGEST
        assert len(run) <= WIDEST or count == 1


Lists.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestLists = Lists.TestCase


def test_what_a_listpack_takes_is_known_without_making_one() -> None:
    widths = [sign * (1 << bits) + more for bits in (7, 12, 15, 23, 31, 63) for sign in (1, -1) for more in (-1, 0, 1)]
    texts = [b"%d" % number for number in widths] + [b"-0", b"01", b"-", b"+1", b"1.0", b" 1", b"1" * 20, b"1" * 21]
    sizes = [b"x" * size for size in (0, 62, 63, 64, 65, 126, 127, 4095, 4096, 16380, 16384, 2097148, 2097152)]
    for element in NASTY + texts + sizes:
        assert size_of(element) == len(listpack.encode([element])) - HEADER, element[:30]


def test_an_element_that_looks_like_items_is_one_element() -> None:
    inner = item_of(b"a")
    outer = item_of(inner)
    assert element_of(outer) == inner
    value = List()
    for element in (inner, b"a"):
        value.push_right(element)
    assert value.find(b"a") == 1
    assert value.remove(b"a", 0, False) == 1
    assert value.elements(0, 1) == [inner]


def test_a_long_list_is_gone_through_and_freed_in_steps() -> None:
    value = List()
    for number in range(10_000):
        value.push_right(b"%d" % number)
    found: list[bytes] = []
    at = 0
    while at != DONE:
        elements, at = step(value, at)
        assert 0 < len(elements) <= 1000
        found += elements
    assert found == [b"%d" % number for number in range(10_000)]
    steps = 0
    while LIST.free(value, 1000):
        steps += 1
    assert 5 <= steps <= 20


def test_a_list_is_a_listpack_as_long_as_it_fits_into_a_node_and_again_at_half_of_it() -> None:
    limits = EncodingLimits()
    for most, fits, half in ((4, 4, 2), (0, 1, 0), (-1, 409, 204), (-2, 818, 408), (-5, 6553, 3276), (-9, 6553, 3276)):
        limits.list_max_listpack_size = most
        value = List()
        while LIST.encoding(value) == b"listpack":
            value.will_grow(1, 8, limits)
            value.push_right(b"abcdefgh")
        assert value.length == fits + 1
        while LIST.encoding(value) == b"quicklist":
            value.pop_left()
            value.has_shrunk(limits)
        assert value.length == half


def test_elements_are_read_off_a_run_in_their_order() -> None:
    run = b"".join([item_of(element) for element in NASTY])
    assert elements_of(run) == NASTY
    assert [element_of(item) for item in items_of(run)] == NASTY
