"""What was sealed comes back whole or not at all: any damage is found, and told from an end that comes too early."""

import os
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossamer.node.persist.sealed import form
from gossamer.node.persist.sealed.form import (
    CHUNK_HEAD_SIZE,
    GROWING,
    LARGEST,
    MAGIC,
    RUN_SIZE,
    SALT_SIZE,
    TAG_SIZE,
    WHOLE,
    SealError,
    is_sealed,
)
from gossamer.node.persist.sealed.key import Cipher, Key
from gossamer.node.persist.sealed.opener import Opener
from gossamer.node.persist.sealed.sealer import Sealer
from tests.unit.node.persist.sealed.sealing import KEY, OTHER, grown, opened, whole

PIECES = st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=5)
RUNS = st.lists(PIECES, min_size=1, max_size=3)
DAY = settings(deadline=None)


def lies_at(file: bytes) -> SealError:
    with pytest.raises(SealError) as found:
        opened(file)
    return found.value


# --- what comes back


@DAY
@given(PIECES, st.integers(1, 200))
def test_a_whole_file_comes_back_however_it_is_read(pieces: list[bytes], step: int) -> None:
    data, opener = opened(whole(pieces), step=step)
    assert data == b"".join(pieces)
    assert (opener.kind, opener.torn, opener.is_old) == (WHOLE, False, False)


@DAY
@given(RUNS, st.integers(1, 200))
def test_a_file_of_many_runs_comes_back(runs: list[list[bytes]], step: int) -> None:
    data, opener = opened(b"".join(grown(runs)), step=step)
    assert data == b"".join(piece for run in runs for piece in run)
    assert (opener.kind, opener.torn, opener.opened) == (GROWING, False, len(data))


def test_much_data_makes_several_chunks() -> None:
    data = os.urandom(2 * LARGEST + 10)
    file = Sealer(KEY, os.urandom(SALT_SIZE), WHOLE).seal(data, last=True)
    assert len(file) == RUN_SIZE + len(data) + 3 * (CHUNK_HEAD_SIZE + TAG_SIZE)
    assert opened(file, step=100_000)[0] == data


def test_nothing_at_all_is_a_file_too() -> None:
    assert opened(whole([b""]))[0] == b""
    assert opened(b"")[0] == b""


def test_nothing_of_the_data_can_be_seen() -> None:
    file = whole([b"secret", b"secret" * 100])
    assert b"secret" not in file
    assert file != whole([b"secret", b"secret" * 100])


# --- no nonce twice under a key


class Watched(Cipher):
    def __init__(self, salt: bytes, seen: set[tuple[bytes, bytes]]) -> None:
        self.salt = salt
        self.seen = seen

    def seal(self, nonce: bytes, data: bytes, extra: bytes) -> bytes:
        assert (self.salt, nonce) not in self.seen
        self.seen.add((self.salt, nonce))
        return data + bytes(TAG_SIZE)


class WatchedKey(Key):
    def __init__(self) -> None:
        super().__init__(b"12345678")
        self.seen: set[tuple[bytes, bytes]] = set()

    def cipher(self, salt: bytes) -> Cipher:
        return Watched(salt, self.seen)


@DAY
@given(RUNS, PIECES)
def test_no_nonce_is_used_twice_under_a_key(runs: list[list[bytes]], pieces: list[bytes]) -> None:
    key = WatchedKey()
    grown(runs, key)
    whole(pieces, key)
    heads = len(runs) + 1
    chunks = sum(map(len, runs)) + len(pieces)
    assert len(key.seen) == heads + chunks
    assert all(len(nonce) == 12 for _, nonce in key.seen)


def test_a_run_that_is_over_seals_nothing_more() -> None:
    run = Sealer(KEY, os.urandom(SALT_SIZE), WHOLE)
    run.seal(b"a", last=True)
    with pytest.raises(AssertionError):
        run.seal(b"b")


# --- damage


@DAY
@given(RUNS, st.data())
def test_any_flipped_bit_is_found_and_nothing_behind_it_is_given_out(
    runs: list[list[bytes]], data: st.DataObject
) -> None:
    file = bytearray(b"".join(grown(runs)))
    at = data.draw(st.integers(0, len(file) - 1))
    file[at] ^= 1 << data.draw(st.integers(0, 7))
    plain = b"".join(piece for run in runs for piece in run)
    opener = Opener((KEY,))

    def read() -> None:
        assert plain.startswith(opener.feed(bytes(file)))
        opener.finish()

    with pytest.raises(SealError) as found:
        read()
    assert found.value.offset <= at
    assert is_sealed(bytes(file))


@DAY
@given(st.data())
def test_any_byte_that_was_changed_is_found(data: st.DataObject) -> None:
    file = bytearray(b"".join(grown([[b"one", b"two"], [b"three"]])))
    at = data.draw(st.integers(0, len(file) - 1))
    file[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != file[at]))
    lies_at(bytes(file))


def test_chunks_that_are_swapped_missing_repeated_or_foreign_are_found() -> None:
    first, second, third, fourth = grown([[b"one!", b"two!", b"six!", b"ten!"]])
    _, foreign, _, _ = grown([[b"one!", b"two!", b"six!", b"ten!"]])
    at = len(first)
    for file, reason in (
        (first + third + second + fourth, "chunk 2 stands where chunk 1 should"),
        (first + third + fourth, "chunk 2 stands where chunk 1 should"),
        (first + first[RUN_SIZE:] + second, "chunk 0 stands where chunk 1 should"),
        (first + foreign + third, "chunk 1 is damaged, or of another file"),
        (second + third, "the head of the file is missing"),
    ):
        error = lies_at(file)
        assert reason in error.reason
        assert error.offset == (0 if file.startswith(second) else at)


def test_runs_that_are_swapped_missing_repeated_or_foreign_are_found() -> None:
    one, two, three = grown([[b"one!"], [b"two!"], [b"six!"]])
    other = grown([[b"one!"], [b"two!"]])
    for file in (one + three, one + three + two, one + two + two, one + other[1], two + three, one + whole([b"w"])):
        assert "run of chunks stands where" in lies_at(file).reason


def test_a_chunk_cannot_pretend_to_be_the_last() -> None:
    file = bytearray(whole([b"one", b"two"]))
    at = RUN_SIZE
    head = b"L" + file[at + 1 : at + form.CHUNK_FIELDS.size]
    file[at : at + CHUNK_HEAD_SIZE] = form.with_crc(bytes(head))
    assert "chunk 0 is damaged" in lies_at(bytes(file[: RUN_SIZE + CHUNK_HEAD_SIZE + 3 + TAG_SIZE])).reason


def test_what_stands_behind_the_end_is_found() -> None:
    file = whole([b"one", b"two"])
    for behind in (b"x", file, grown([[b"more"]])[0]):
        assert "behind the chunk that ends it" in lies_at(file + behind).reason


def test_what_stands_before_damage_is_given_out_first() -> None:
    first, second, third = grown([[b"one", b"two", b"six"]])
    opener = Opener((KEY,))
    assert opener.feed(first + second + b"\0" + third) == b"onetwo"
    for ask in (lambda: opener.feed(b""), opener.finish):
        with pytest.raises(SealError, match=f"byte {len(first + second)}: "):
            ask()


# --- ends that come too early


@DAY
@given(RUNS, st.data())
def test_a_file_that_grows_may_end_anywhere(runs: list[list[bytes]], data: st.DataObject) -> None:
    parts = grown(runs)
    file = b"".join(parts)
    cut = data.draw(st.integers(0, len(file)))
    found, opener = opened(file[:cut])
    assert b"".join(piece for run in runs for piece in run).startswith(found)
    assert opener.torn == (opener.offset < cut)
    assert opened(file[: opener.offset])[0] == found


@DAY
@given(PIECES, st.data())
def test_a_whole_file_may_not(pieces: list[bytes], data: st.DataObject) -> None:
    file = whole(pieces)
    cut = data.draw(st.integers(RUN_SIZE, len(file) - 1))
    assert "it ends too early" in lies_at(file[:cut]).reason


def test_a_damaged_length_is_no_early_end() -> None:
    first, second, third = grown([[b"one", b"two", b"six"]])
    file = bytearray(first + second + third)
    file[len(first) + form.CHUNK_FIELDS.size - 2] ^= 0x40  # the chunk would end behind the file
    error = lies_at(bytes(file))
    assert (error.offset, error.reason) == (len(first), "the head of chunk 1 is damaged")


def test_the_place_of_a_chunk_is_found() -> None:
    parts = grown([[b"0123", b"4567"], [b"89ab"]])
    starts = [0, len(parts[0]), len(parts[0] + parts[1])]
    for keep in range(12):
        opener = Opener((KEY,))
        opener.until = keep
        opener.feed(b"".join(parts))
        assert opener.opened == keep // 4 * 4
        assert opener.offset in (starts[keep // 4], starts[keep // 4] + RUN_SIZE)


# --- keys


def test_another_key_is_told_from_damage() -> None:
    file = whole([b"data"], OTHER)
    error = lies_at(file)
    assert (error.offset, error.reason) == (0, "it is sealed with another key")
    damaged = bytearray(file)
    damaged[len(MAGIC) + 3] ^= 1  # within the name of the key
    assert "damaged" in lies_at(bytes(damaged)).reason


def test_the_first_key_is_the_one_in_force() -> None:
    for keys, is_old in (((KEY, OTHER), False), ((OTHER, KEY), True)):
        data, opener = opened(whole([b"data"]), keys)
        assert (data, opener.is_old) == (b"data", is_old)


def test_a_newer_form_is_named() -> None:
    fields = form.RUN_FIELDS.pack(MAGIC, b"2", WHOLE, KEY.name, bytes(32), 0, bytes(16))
    assert re.search("version b'2'", lies_at(form.with_crc(fields) + bytes(TAG_SIZE)).reason)


# --- which files are sealed


def test_a_sealed_file_is_known_by_its_beginning_even_if_that_is_damaged() -> None:
    file = whole([b"data"])
    assert is_sealed(file)
    assert is_sealed(file[:5])
    for at in range(len(MAGIC)):
        assert is_sealed(file[:at] + b"#" + file[at + 1 :])
    for plain in (
        b"",
        b"REDIS0011\xfa\x09redis-ver",
        b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n",
        b"#TS:1700000000\r\n*1",
        b"g0",
    ):
        assert not is_sealed(plain)
