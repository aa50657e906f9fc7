"""Lists of texts in C and in Python: what is put together comes apart, alike in both, and damage is told by both."""

from types import ModuleType
from typing import Final

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gossamer.node.persist.forms.zsets import packed as listpack_of
from gossamer.node.persist.primitives import put_string
from gossamer.node.persist.source import Source
from gossamer.node.resp.doubles import format_double, read_double
from gossamer.node.store import plain_listpack, plain_texts
from gossamer.node.types.limits import EncodingLimits
from gossamer.node.types.zsets import packed
from gossamer.node.types.zsets.zset import ZSet

NEAR: Final = st.integers(-1, 1)
NUMBERS: Final = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-70_000, 70_000),
    st.builds(lambda bits, sign, more: sign * (1 << bits) + more, st.integers(6, 62), st.sampled_from([1, -1]), NEAR),
).map(lambda number: b"%d" % number)
ODD: Final = st.sampled_from([b"", b"-", b"-0", b"007", b"+1", b" 1", b"9223372036854775808", b"-9223372036854775809"])
LONG: Final = st.sampled_from([size * b"x" for size in (20, 21, 63, 64, 255, 256, 4095, 4096, 16383, 16384, 70_000)])
TEXTS: Final = st.lists(st.one_of(st.binary(max_size=80), NUMBERS, ODD, LONG), max_size=40)
SHORT: Final = st.lists(st.one_of(st.binary(max_size=255), NUMBERS, ODD), max_size=40)
SCORES: Final = st.one_of(
    st.integers(-130, 130).map(float),
    st.integers(-(2**33), 2**33).map(float),
    st.floats(allow_nan=False),
    st.sampled_from([-0.0, 2.0**31, -(2.0**31), 32767.0, -32769.0, 0.1]),
)
MARKS: Final = st.sampled_from(
    [b"1.5", b"1.", b".5", b".", b"-.", b"1..2", b"", b"-", b"1e5", b"inf", b"nan", b"0x10", b" 1", b"+1", b"00012"]
)


class Both(ModuleType):
    """The twins as one module."""


@pytest.fixture(scope="session", params=["plain", "native"])
def texts(request: pytest.FixtureRequest) -> ModuleType:
    if request.param == "native":
        found: ModuleType = request.getfixturevalue("native")
        return found
    both = Both("both")
    both.__dict__.update({**vars(plain_texts), **vars(plain_listpack)})
    return both


@given(TEXTS)
def test_a_listpack_comes_apart(texts: ModuleType, strings: list[bytes]) -> None:
    data = texts.to_listpack(strings)
    assert data == plain_listpack.to_listpack(strings)
    assert texts.from_listpack(data) == strings
    assert texts.listpack_length(data) == len(strings)
    assert texts.listpack_size(strings) == len(data) - plain_listpack.FRAME


@given(TEXTS)
def test_a_run_comes_apart(texts: ModuleType, strings: list[bytes]) -> None:
    run = texts.to_run(strings)
    assert run == b"".join([b"$%d\r\n%b\r\n" % (len(text), text) for text in strings])
    assert texts.from_run(run) == strings
    assert b"".join([texts.to_item(text) for text in strings]) == run


@pytest.mark.parametrize("size", [0, 9, 10, 99, 100, 999, 1000, 1023, 1024, 9999, 10_000, 100_000])
def test_an_item_says_its_size(texts: ModuleType, size: int) -> None:
    assert texts.to_item(size * b"x") == b"$%d\r\n%b\r\n" % (size, size * b"x")


@given(SHORT)
def test_a_pack_comes_apart(texts: ModuleType, strings: list[bytes]) -> None:
    pack = texts.to_pack(strings)
    assert pack == b"".join([bytes((len(text),)) + text for text in strings])
    assert texts.from_pack(pack) == strings


def outcome(module: object, data: bytes) -> object:
    try:
        return module.from_listpack(data), module.listpack_length(data)  # type: ignore[attr-defined]
    except ValueError:
        return "damaged"


@given(strings=TEXTS, data=st.data())
def test_damage_to_a_listpack_is_seen_alike(native: ModuleType, strings: list[bytes], data: st.DataObject) -> None:
    packed = bytearray(plain_listpack.to_listpack(strings))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(packed) - 1))
        packed[at] = data.draw(st.one_of(st.integers(0, 255), st.sampled_from([0xFF, 0xF0, 0xF1, 0xF4, 0xE0, 0xC0])))
    if data.draw(st.booleans()):
        del packed[data.draw(st.integers(0, len(packed))) :]
        packed[:4] = len(packed).to_bytes(4, "little")
    assert outcome(native, bytes(packed)) == outcome(plain_listpack, bytes(packed))


@given(st.binary(max_size=40))
def test_bytes_that_are_no_listpack_are_refused_alike(native: ModuleType, body: bytes) -> None:
    data = (len(body) + 7).to_bytes(4, "little") + b"\xff\xff" + body + b"\xff"
    assert outcome(native, data) == outcome(plain_listpack, data)


@pytest.mark.parametrize("data", [b"\x05abc", b"\x01a\xff"])
def test_a_pack_that_is_cut_off_is_told(native: ModuleType, data: bytes) -> None:
    with pytest.raises(ValueError):
        native.from_pack(data)


@pytest.mark.parametrize("run", [b"$5\r\nabc\r\n", b"$", b"$99999999999999999999\r\na\r\n", b"$1\r\na"])
def test_a_run_that_is_cut_off_is_told(native: ModuleType, run: bytes) -> None:
    with pytest.raises(ValueError):
        native.from_run(run)


@pytest.mark.parametrize("name", ["to_listpack", "to_pack", "to_run", "listpack_size"])
@pytest.mark.parametrize("wrong", [b"a", ["a"], [b"a", None]])
def test_what_is_no_list_of_bytes_is_refused(native: ModuleType, name: str, wrong: object) -> None:
    with pytest.raises(TypeError):
        getattr(native, name)(wrong)


def test_a_text_that_is_too_long_for_a_pack_is_refused(native: ModuleType) -> None:
    with pytest.raises(ValueError):
        native.to_pack([b"x" * 256])


@given(strings=SHORT, step=st.integers(1, 3))
def test_a_listpack_becomes_a_pack(native: ModuleType, strings: list[bytes], step: int) -> None:
    found = native.repack(plain_listpack.to_listpack(strings), step)
    names = strings[::step]
    if not strings or len(strings) % step or len(set(names)) < len(names):
        assert found is None
    else:
        assert found == (plain_texts.to_pack(strings), len(names))


def test_what_does_not_become_a_pack_is_left_to_the_caller(native: ModuleType) -> None:
    names = [b"%d" % number for number in range(65)]
    assert native.repack(plain_listpack.to_listpack(names[:64]), 1) is not None
    assert native.repack(plain_listpack.to_listpack(names), 1) is None
    assert native.repack(plain_listpack.to_listpack([b"f", b"x" * 255]), 2) is not None
    assert native.repack(plain_listpack.to_listpack([b"f", b"x" * 256]), 2) is None
    for wrong in [(b"", 0), (b"", 1 << 40), ("", 1), (b"",)]:
        with pytest.raises(TypeError):
            native.repack(*wrong)


@given(strings=SHORT, data=st.data())
def test_damage_is_seen_by_all(native: ModuleType, strings: list[bytes], data: st.DataObject) -> None:
    packed = bytearray(plain_listpack.to_listpack(strings))
    packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    try:
        known = plain_listpack.from_listpack(bytes(packed))
    except ValueError:
        known = None
    for name, more in (("repack", (2,)), ("to_scored", ())):
        try:
            made = getattr(native, name)(bytes(packed), *more)
        except ValueError:
            assert known is None
        else:
            assert made is None or known is not None


# --- strings of an RDB


@given(strings=TEXTS, compress=st.booleans(), most=st.integers(0, 50))
def test_strings_are_written_and_read_as_one_by_one(
    native: ModuleType, strings: list[bytes], compress: bool, most: int
) -> None:
    out, expected = bytearray(b"before"), bytearray(b"before")
    native.put_strings(out, strings, compress)
    ends = []
    for text in strings:
        put_string(expected, text, compress)
        ends.append(len(expected))
    assert out == expected or compress  # the two LZF may choose other copies
    source = Source(bytes(out), len(b"before"))
    assert [source.string() for _ in strings] == strings
    found, end = native.read_strings(bytes(out), len(b"before"), most)
    assert found == strings[: len(found)]
    again = Source(bytes(out), len(b"before"))
    assert [again.string() for _ in found] == found
    assert again.at == end
    if len(found) < min(most, len(strings)):  # it stops before long strings alone
        assert len(strings[len(found)]) >= 1 << 14


@given(strings=TEXTS, compress=st.booleans(), data=st.data())
def test_strings_that_are_not_whole_or_damaged_are_left_alone(
    native: ModuleType, strings: list[bytes], compress: bool, data: st.DataObject
) -> None:
    out = bytearray()
    native.put_strings(out, strings, compress)
    if out:
        out[data.draw(st.integers(0, len(out) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(out[: data.draw(st.integers(0, len(out)))])
    found, end = native.read_strings(cut, 0, len(strings))
    source = Source(cut)
    assert [source.string() for _ in found] == found
    assert source.at == end


def test_a_place_outside_is_refused(native: ModuleType) -> None:
    for at in (-1, 4):
        with pytest.raises(ValueError):
            native.read_strings(b"abc", at, 1)


# --- small sorted sets


@given(st.dictionaries(st.binary(max_size=255), SCORES, max_size=30))
def test_a_small_sorted_set_is_made_of_its_elements(native: ModuleType, members: dict[bytes, float]) -> None:
    pairs = sorted((score, member) for member, score in members.items())
    elements = [text for score, member in pairs for text in (member, format_double(score))]
    scores = [read_double(text) for text in elements[1::2]]
    made = native.to_scored(plain_listpack.to_listpack(elements))
    expected = packed.packed(elements[::2], [score for score in scores if score is not None])
    if made is None:  # only without members, and with numbers that have an exponent, and infinities
        assert not elements or any(text.strip(b"-.0123456789") != b"" for text in elements[1::2])
        return
    assert made == expected
    back = native.from_scored(made)
    assert (back is None) == (made[2] == packed.REAL)
    if back is not None:
        assert back == [b"0" if place % 2 and text == b"-0" else text for place, text in enumerate(elements)]


@given(st.lists(st.tuples(st.sampled_from([b"a", b"b", b"ab", b""]), st.one_of(MARKS, NUMBERS)), max_size=4))
def test_what_is_odd_in_a_sorted_set_is_left_to_the_caller(
    native: ModuleType, pairs: list[tuple[bytes, bytes]]
) -> None:
    made = native.to_scored(plain_listpack.to_listpack([text for pair in pairs for text in pair]))
    assume(made is not None)
    assert len({member for member, _ in pairs}) == len(pairs) > 0
    scores = [read_double(score) for _, score in pairs]
    found = [(score, member) for score, (member, _) in zip(scores, pairs, strict=True) if score is not None]
    assert len(found) == len(pairs)
    assert found == sorted(found)
    assert made == packed.packed([member for _, member in found], [score for score, _ in found])


def test_too_much_for_a_small_sorted_set_is_left_to_the_caller(native: ModuleType) -> None:
    most = [text for number in range(64) for text in (b"%04d" % number, b"1")]

    def made(elements: list[bytes]) -> object:
        return native.to_scored(plain_listpack.to_listpack(elements))

    assert made(most) is not None
    assert made([*most, b"z", b"1"]) is None
    assert made([b"x" * 255, b"1"]) is not None
    assert made([b"x" * 256, b"1"]) is None
    assert made([b"x"]) is None
    assert made([]) is None


@pytest.mark.parametrize("data", [b"", b"\x01\x00", b"\x01\x00\x03ab", b"\x02\x00\x01\x01", b"\x01\x00\x01\x09a\x01"])
def test_what_is_no_small_sorted_set_is_refused(native: ModuleType, data: bytes) -> None:
    with pytest.raises(ValueError):
        native.from_scored(data)


def test_a_sorted_set_is_the_same_listpack_either_way() -> None:
    value = ZSet()
    for number in range(20):
        value.add(b"m%d" % number, number * 7.0 - 30, EncodingLimits())
    elements = [text for member, score in value.items(0, 20) for text in (member, format_double(score))]
    assert listpack_of(value) == plain_listpack.to_listpack(elements)
