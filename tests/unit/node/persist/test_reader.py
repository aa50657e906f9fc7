"""The reader: files of real servers, in whatever pieces they come; and whatever is wrong with one is said clearly."""

from base64 import b64decode

import pytest

from gossamer.node.persist.codes import RdbError
from gossamer.node.persist.crc64 import crc64, footer
from gossamer.node.persist.events import (
    Aux,
    End,
    Event,
    Function,
    Header,
    Key,
    ModuleAux,
    ResizeDb,
    SelectDb,
    SlotImportMark,
    SlotInfo,
)
from gossamer.node.persist.load import Loader
from gossamer.node.persist.packed import listpack
from gossamer.node.persist.reader import RdbReader
from gossamer.node.types.hashes.hash import Hash
from tests.unit.node.commands.one import One
from tests.unit.node.persist.contents import TYPES, ask, held, said
from tests.unit.node.persist.recorded import Recorded, files

FILES = files()
STRINGS = next(file for file in FILES if file.name == "redis-7.0.15/strings")
BAD_VERSIONS = {"legacy-built/hash2-redis-header-80": "version 80"}
NEWER = "legacy-built/version-12"
"""The servers of the recordings refuse it."""


def read(data: bytes, size: int = 1 << 20) -> list[Event]:
    reader = RdbReader()
    events: list[Event] = []
    for at in range(0, len(data), size):
        events += reader.feed(data[at : at + size])
    return events + reader.finish()


def whole(body: bytes, magic: bytes = b"REDIS0011") -> bytes:
    data = magic + body + b"\xff"
    return data + footer(crc64(data))


def keys(events: list[Event]) -> list[Key]:
    return [event for event in events if isinstance(event, Key)]


# --- real files


@pytest.mark.parametrize(
    "file", [file for file in FILES if file.types <= TYPES and file.name != NEWER], ids=lambda file: file.name
)
def test_a_recorded_file_tells_what_its_server_said(file: Recorded) -> None:
    if file.name in BAD_VERSIONS:
        with pytest.raises(RdbError, match=BAD_VERSIONS[file.name]):
            read(file.data)
        return
    events = read(file.data)
    assert events[-1] == End(True)
    assert sum(isinstance(event, Function) for event in events) == file.functions
    one = One()
    Loader(one.server.keyspace, 0, keep_stale=False).take(events)
    assert len(keys(events)) == len(file.keys)
    for told in file.keys:
        key = b64decode(told["key_b64"])
        assert ask(one, "SELECT", told["db"]).content == b"OK"
        assert held(one, key, told) == said(told)
        assert ask(one, "PEXPIRETIME", key).number == told.get("pexpireat_ms", -1)


def test_files_of_newer_redis_are_read_as_far_as_they_are_known() -> None:
    (key,) = keys(read(next(file for file in FILES if file.name == NEWER).data))
    assert (key.key, key.end) == (b"list1", 2_147_483_647_000)
    body = b"\xfe\x00\x00\x01k\x01v"
    (key,) = keys(read(whole(body, b"REDIS0013")))
    assert (key.key, key.value) == (b"k", b"v")
    with pytest.raises(RdbError, match="version 14 of Redis"):
        read(whole(body, b"REDIS0014"))
    for code, name in ((22, "k"), (23, "k"), (26, "")):
        with pytest.raises(RdbError, match=rf"byte \d+: key b'{name}': cannot read a value of type {code} "):
            read(whole(b"\xfe\x00" + bytes([code]) + b"\x01k", b"REDIS0013"))


def packed(*texts: bytes) -> bytes:
    data = listpack.encode(list(texts))
    return bytes([len(data)]) + data


SOONEST = 4_000_000_000_000
AT = SOONEST.to_bytes(8, "little")
DATED = b"\x18\x01h" + AT + b"\x03" + b"\x01\x01a\x011" + b"\x00\x01b\x012" + b"\x06\x01c\x013"
DATED_LISTPACK = (
    b"\x19\x01h" + AT + packed(b"a", b"1", b"%d" % SOONEST, b"b", b"2", b"0", b"c", b"3", b"%d" % (SOONEST + 5))
)


@pytest.mark.parametrize("form", [DATED, DATED_LISTPACK], ids=["table", "listpack"])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_fields_that_expire_in_redis_7_4_do_so_here(form: bytes, size: int) -> None:
    (key,) = keys(read(whole(form, b"REDIS0012"), size))
    assert isinstance(key.value, Hash)
    assert key.value.all_pairs() == [b"a", b"1", b"b", b"2", b"c", b"3"]
    assert [key.value.end(field) for field in (b"a", b"b", b"c")] == [SOONEST, -1, SOONEST + 5]
    with pytest.raises(RdbError, match=r"cannot read a value of type 2[45] "):
        read(whole(form, b"VALKEY080"))


RECORDED = bytes.fromhex(
    "1905736d616c6c00409452a30300002c2c00000009008161020101f40040"
    "9452a3030000098163020301f409439452a30300000981620202010001ff"
)
"""A key in a file of Redis 7.4.1."""


def test_a_hash_that_redis_7_4_has_saved_is_read() -> None:
    (key,) = keys(read(whole(RECORDED, b"REDIS0012")))
    assert key.key == b"small"
    assert isinstance(key.value, Hash)
    assert key.value.all_pairs() == [b"a", b"1", b"c", b"3", b"b", b"2"]
    assert [key.value.end(field) for field in (b"a", b"b", b"c")] == [4_000_000_000_000, -1, 4_000_000_000_777]


@pytest.mark.parametrize(
    ("form", "told"),
    [
        (b"\x18\x01h" + AT + b"\x00", "without fields"),
        (b"\x18\x01h" + AT + b"\x02\x00\x01a\x011\x00\x01a\x012", "one twice"),
        (b"\x18\x01h" + b"\xff" * 7 + b"\x7f\x01\x02\x01a\x011", "expires at"),
        (b"\x19\x01h" + AT + packed(), "without fields"),
        (b"\x19\x01h" + AT + packed(b"a", b"1"), "without fields"),
        (b"\x19\x01h" + AT + packed(b"a", b"1", b"soon"), "expires at no time"),
        (b"\x19\x01h" + AT + packed(b"a", b"1", b"9" * 18), "expires at 9"),
    ],
)
def test_a_damaged_hash_of_redis_7_4_is_refused(form: bytes, told: str) -> None:
    with pytest.raises(RdbError, match=rf"byte \d+: key b'h': .*{told}"):
        read(whole(form, b"REDIS0012"))


def test_use_and_frequency_are_told() -> None:
    for name, count in (("lru", 3), ("lfu", 5)):
        file = next(file for file in FILES if file.name == f"redis-7.0.15/{name}")
        found = keys(read(file.data))
        assert len(found) == count
        assert all((key.idle_s >= 0) == (name == "lru") for key in found)
        assert all((key.freq >= 0) == (name == "lfu") for key in found)


def test_remarks_and_hints_are_told_in_order() -> None:
    events = read(STRINGS.data)
    assert events[0] == Header(10, False)
    assert events[1] == Aux(b"redis-ver", b"7.0.15")
    assert events[2] == Aux(b"redis-bits", b"64")
    at = events.index(SelectDb(0))
    hint = events[at + 1]
    assert isinstance(hint, ResizeDb)
    assert hint.keys == len(STRINGS.keys)
    assert isinstance(events[at + 2], Key)


LITTLE_OF_ALL = (
    b"\xfe\x00\xfb\x40\x40\x02\xfc"
    + bytes(8)
    + b"\x00\x01k\xc3\x05\x0a"
    + bytes([0, 97, 7 << 5, 0, 0])
    + b"\xf8\x07\x00\xc1\x00\x80\xc2\x00\x00\x00\x80\x00\x05hello\x80\x00\x00\x00\x01v"
)


def plain(events: list[Event]) -> list[object]:
    """Events that can be compared: keys cannot."""
    return [
        (event.db, event.key, event.value, event.end, event.idle_s, event.freq) if isinstance(event, Key) else event
        for event in events
    ]


def test_pieces_make_no_difference() -> None:
    for size in (7, 1000):
        assert plain(read(STRINGS.data, size)) == plain(read(STRINGS.data))
    for size in range(1, 20):
        assert plain(read(whole(LITTLE_OF_ALL), size)) == plain(read(whole(LITTLE_OF_ALL)))


def test_a_long_value_is_not_read_again_with_every_piece() -> None:
    size = 3_000_000
    data = whole(b"\x00\x01k\x80" + size.to_bytes(4, "big") + bytes(size))
    reader = RdbReader()
    events: list[Event] = []
    tries = 0
    for at in range(0, len(data), 1000):
        events += reader.feed(data[at : at + 1000])
        tries += len(reader._waiting) <= 1  # a try leaves one piece of what it could not use
    assert keys(events)[0].value == bytes(size)
    assert tries < 10


def test_what_follows_the_end_is_left_alone() -> None:
    reader = RdbReader()
    events = reader.feed(whole(b"") + b"*1\r\n")
    assert reader.done
    assert events[-1] == End(True)
    assert reader.feed(b"$4\r\n") == []
    assert reader.rest == b"*1\r\n$4\r\n"
    assert reader.finish() == []


# --- what is rare


def test_all_opcodes() -> None:
    body = (
        b"\xfa\x01n\x01v"
        b"\xf5\x04code"
        b"\xfe\x05\xfb\x40\x40\x02"
        b"\xf4\x40\x64\x03\x01"
        b"\xfd\x01\x00\x00\x00\xf8\x07\x00\x01a\x011"
        b"\xfc\xe8\x03\x00\x00\x00\x00\x00\x00\xf9\xff\x00\x01b\xc0\xfb"
        b"\x00\x01c\x01d"
        b"\xf7\x81\x01\x02\x03\x04\x05\x06\x07\x08\x02\x01\x01\x05\x02\x06\x03abcd\x04abcdefgh\x05\x02hi\x00"
    )
    assert plain(read(whole(body))[1:]) == [
        Aux(b"n", b"v"),
        Function(b"code"),
        SelectDb(5),
        ResizeDb(64, 2),
        SlotInfo(100, 3, 1),
        (5, b"a", b"1", 1000, 7, -1),
        (5, b"b", b"-5", 1000, -1, 255),
        (5, b"c", b"d", -1, -1, -1),
        ModuleAux(0x0102030405060708),
        End(True),
    ]


def test_slots_being_imported_are_told_by_valkey_alone() -> None:
    body = b"\xf3\x03job\x02\x00\x05\x40\x64\x40\x65"
    assert SlotImportMark(b"job", [(0, 5), (100, 101)]) in read(whole(body, b"VALKEY080"))
    with pytest.raises(RdbError, match="type 243"):
        read(whole(body))


def test_without_a_checksum_nothing_is_checked() -> None:
    assert read(b"REDIS0010\x00\x01k\x01v\xff" + bytes(8))[-1] == End(False)
    assert read(b"REDIS0004\x00\x01k\x01v\xff")[-1] == End(False)


def test_verifying_can_be_left_out() -> None:
    reader = RdbReader(verify=False)
    assert reader.feed(b"REDIS0010\xff" + b"x" * 8)[-1] == End(False)


# --- what is wrong


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"RUBBISH01", "signature"),
        (b"REDIS00x1", "signature"),
        (b"VALKEY0 9", "signature"),
        (b"REDIS0000", "version 0"),
        (b"VALKEY081", "version 81 of Valkey"),
        (b"VALKEY011", "version 11 of Valkey"),
        (whole(b"\xf6\x01a"), "release candidate"),
        (whole(b"\x4d\x01a\x01b"), r"type 77 \(unknown\)"),
        (whole(b"\x16\x01a\x00"), "type 22"),
        (whole(b"\x00\xbf"), "coding"),
        (whole(b"\x00\x01a\x81" + b"\xff" * 8), "longer than any"),
        (whole(b"\xf7\x01\x02\x01\x02\x01\x09"), "module data"),
    ],
)
def test_what_cannot_be_read_is_said(data: bytes, why: str) -> None:
    with pytest.raises(RdbError, match=why):
        read(data)


def test_a_file_that_is_cut_off_anywhere_is_noticed() -> None:
    data = whole(b"\xfe\x00\xfb\x01\x01\xfc" + bytes(8) + b"\x00\x01k\x01v")
    for end in range(len(data)):
        with pytest.raises(RdbError, match="cut off"):
            read(data[:end])


def test_any_flipped_bit_is_noticed() -> None:
    """Behind the version: one bit makes 11 to 1, which has no checksum."""
    data = whole(b"\xfe\x00\x00\x05hello\x05world\x00\x05brave\x03new")
    for at in range(9, len(data)):
        for bit in range(8):
            bad = bytearray(data)
            bad[at] ^= 1 << bit
            with pytest.raises(RdbError):
                read(bytes(bad))
