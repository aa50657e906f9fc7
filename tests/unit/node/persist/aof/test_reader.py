"""The reader: files of real servers in whatever pieces they come, where they end if cut short, and what damage is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.persist.aof.reader import AofError, AofReader
from gossamer.node.persist.events import End, Event, Key
from tests.unit.node.persist.aof.recorded import AOF, Folder, folders

FOLDERS = folders()
WHOLE = AOF / "redis-7.0.15" / "whole"
RDB = (WHOLE / "appendonly.aof.2.base.rdb").read_bytes()
PIECES = [1, 7, 64, 1 << 20]


def command(*args: bytes) -> bytes:
    return b"*%d\r\n" % len(args) + b"".join([b"$%d\r\n%b\r\n" % (len(arg), arg) for arg in args])


SET = command(b"SET", b"k", b"v")
MULTI = command(b"multi")
EXEC = command(b"EXEC")


def read(data: bytes, size: int = 1 << 20) -> tuple[AofReader, list[list[bytes]], list[Event]]:
    """The reader at its end, all commands, all events."""
    reader = AofReader()
    commands: list[list[bytes]] = []
    events: list[Event] = []
    for at in range(0, len(data), size):
        reader.feed(data[at : at + size])
        events += reader.events()
        take(reader, commands)
    reader.finish()
    events += reader.events()
    take(reader, commands)
    return reader, commands, events


def take(reader: AofReader, commands: list[list[bytes]]) -> None:
    while (args := reader.next()) is not None:
        commands.append(args)


# --- real files


@pytest.mark.parametrize("size", PIECES)
@pytest.mark.parametrize("folder", [folder for folder in FOLDERS if not folder.damaged], ids=lambda folder: folder.name)
def test_a_recorded_file_ends_where_its_server_cut_it(folder: Folder, size: int) -> None:
    data = folder.incr.read_bytes()
    reader, _, _ = read(data, size)
    assert reader.truncated == (not folder.starts_anyway)
    assert (reader.whole if reader.truncated else len(data)) == folder.cut_to


@pytest.mark.parametrize("size", PIECES)
@pytest.mark.parametrize("folder", [folder for folder in FOLDERS if folder.damaged], ids=lambda folder: folder.name)
def test_a_file_that_its_server_refused_is_damaged(folder: Folder, size: int) -> None:
    with pytest.raises(AofError, match=r"byte 384: an argument begins with '\$'") as caught:
        read(folder.incr.read_bytes(), size)
    assert caught.value.offset == 384


@pytest.mark.parametrize("server", ["redis-7.0.15", "valkey-9.1.2"])
def test_lines_with_times_are_no_commands(server: str) -> None:
    plain, stamped = (AOF / name / "whole" / "appendonly.aof.2.incr.aof" for name in (server, f"{server}-timestamps"))
    assert b"#TS:" in stamped.read_bytes()
    said, told = read(plain.read_bytes())[1], read(stamped.read_bytes())[1]
    assert [args[0] for args in told] == [args[0] for args in said]


def test_the_commands_of_a_recorded_file_are_told() -> None:
    _, commands, _ = read((WHOLE / "appendonly.aof.2.incr.aof").read_bytes())
    assert commands[:2] == [[b"SELECT", b"2"], [b"SET", b"db2", b"v"]]
    assert [b"SET", b"bin", bytes(range(256))] in commands
    assert commands[-1] == [b"XADD", b"st", b"2-1", b"f", b"v2"]


# --- an RDB at the start


@pytest.mark.parametrize("size", PIECES)
def test_an_rdb_at_the_start_is_told_and_commands_go_on_behind_it(size: int) -> None:
    reader, commands, events = read(RDB + SET + SET, size)
    assert sum(isinstance(event, Key) for event in events) == 7
    assert events[-1] == End(True)
    assert commands == [[b"SET", b"k", b"v"]] * 2
    assert reader.whole == reader.offset == len(RDB + SET + SET)


def test_an_rdb_alone_is_whole() -> None:
    reader, commands, _ = read(RDB)
    assert (commands, reader.whole, reader.truncated) == ([], len(RDB), False)


def test_a_cut_behind_an_rdb_keeps_the_rdb() -> None:
    reader, _, _ = read(RDB + SET[:-1])
    assert (reader.whole, reader.truncated) == (len(RDB), True)


@pytest.mark.parametrize("end", [6, 9, 40, len(RDB) - 1])
def test_an_rdb_that_is_cut_short_is_damage(end: int) -> None:
    with pytest.raises(AofError, match="in the RDB that begins the file: cut off"):
        read(RDB[:end])


def test_an_rdb_with_a_wrong_byte_is_damage() -> None:
    with pytest.raises(AofError, match="the checksum is wrong"):
        read(RDB[:60] + b"9" + RDB[61:])


# --- where it may end


@pytest.mark.parametrize("size", PIECES)
def test_whatever_its_end_a_file_is_whole_up_to_the_last_command_outside_a_transaction(size: int) -> None:
    data = b"#TS:1\r\n" + SET + MULTI + b"#TS:2\r\n" + SET + SET + EXEC + SET
    borders = [0, len(b"#TS:1\r\n" + SET), len(data) - len(SET), len(data)]
    for end in range(len(data) + 1):
        reader, _, _ = read(data[:end], size)
        whole = max(border for border in borders if border <= end)
        assert reader.whole == whole
        assert reader.truncated == (end not in (*borders, len(b"#TS:1\r\n")))


def test_an_empty_file_is_whole() -> None:
    reader, commands, events = read(b"")
    assert (reader.whole, reader.truncated, commands, events) == (0, False, [], [])


def test_half_a_line_of_time_would_swallow_the_next_command_and_is_cut() -> None:
    reader, _, _ = read(SET + b"#TS:17")
    assert (reader.whole, reader.truncated) == (len(SET), True)


def test_the_offset_is_that_behind_the_command_told_last() -> None:
    reader = AofReader()
    reader.feed(SET + b"#TS:1\r\n" + MULTI + SET)
    offsets = []
    while reader.next() is not None:
        offsets.append((reader.offset, reader.whole, reader.in_multi))
    behind = len(SET + b"#TS:1\r\n" + MULTI)
    first = len(SET)
    assert offsets == [(first, first, False), (behind, first, True), (behind + len(SET), first, True)]


# --- damage


@pytest.mark.parametrize(
    ("bad", "at"),
    [
        (b"SET k v\r\n", 0),
        (b"\r\n", 0),
        (b"\0" * 100, 0),
        (b"RED", 0),
        (b"*0\r\n", 0),
        (b"*-1\r\n", 0),
        (b"*x\r\n", 0),
        (b"*3 \r\n", 0),
        (b"*03\r\n", 0),
        (b"*3\n", 0),
        (b"*3\rX" + SET[4:], 0),
        (b"*99999999999\r\n$1\r\n", 0),
        (b"*12345678901234567890123", 0),
        (b"*1\r\n#TS:1\r\n", 4),
        (b"*1\r\n+OK\r\n", 4),
        (b"*1\r\n$-1\r\n", 4),
        (b"*1\r\n$1\rX", 4),
        (b"*1\r\n$99999999999999\r\n", 4),
        (b"*1\r\n$4\r\nPINGxx", 12),
        (b"*1\r\n$3\r\nPING\r\n", 11),
        (EXEC, 0),
        (MULTI + MULTI, len(MULTI)),
    ],
)
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_damage_is_told_with_its_place_wherever_it_stands(bad: bytes, at: int, size: int) -> None:
    for before in (b"", SET, SET + MULTI + SET + EXEC):
        for behind in (b"", SET):
            if bad == b"RED" and before == b"" and behind:
                continue
            with pytest.raises(AofError) as caught:
                read(before + bad + behind, size)
            assert caught.value.offset == len(before) + at


@pytest.mark.parametrize(
    "end", ["*", "*1", "*1\r", "*1\r\n", "*1\r\n$", "*1\r\n$4", "*1\r\n$4\r", "*1\r\n$4\r\nPING\r"]
)
def test_the_beginning_of_a_command_is_no_damage(end: str) -> None:
    reader, commands, _ = read(SET + bytes(map(ord, end)))
    assert (reader.whole, reader.truncated, len(commands)) == (len(SET), True, 1)


@given(st.integers(0, 827), st.integers(0, 255), st.integers(1, 900))
def test_whatever_byte_is_wrong_the_file_is_read_or_refused(at: int, wrong: int, size: int) -> None:
    data = bytearray((AOF / "valkey-9.1.2-timestamps" / "whole" / "appendonly.aof.2.incr.aof").read_bytes())
    data[at] = wrong
    try:
        reader, _, _ = read(bytes(data), size)
    except AofError:
        return
    assert reader.whole <= reader.offset <= reader.fed == len(data)
    assert reader.truncated == (reader.offset < len(data) or reader.in_multi)


# --- pieces


ARGS = st.lists(st.binary(max_size=20), min_size=1, max_size=4).filter(
    lambda args: args[0].upper() not in (b"MULTI", b"EXEC")
)


@given(st.lists(ARGS, max_size=8), st.lists(st.integers(1, 60), min_size=1, max_size=20))
def test_commands_come_out_as_they_went_in(program: list[list[bytes]], sizes: list[int]) -> None:
    data = b"".join([command(*args) for args in program])
    reader = AofReader()
    told: list[list[bytes]] = []
    at = 0
    while at < len(data):
        size = sizes[at % len(sizes)]
        reader.feed(data[at : at + size])
        at += size
        take(reader, told)
    reader.finish()
    take(reader, told)
    assert told == program
    assert (reader.truncated, reader.whole) == (False, len(data))


def test_a_small_command_behind_a_large_one_does_not_wait_for_more() -> None:
    large = command(b"SET", b"k", bytes(1 << 20))
    reader = AofReader()
    for at in range(0, len(large), 1 << 12):
        reader.feed(large[at : at + (1 << 12)])
        told = reader.next()
    assert told is not None
    reader.feed(SET)
    assert reader.next() == [b"SET", b"k", b"v"]
    assert reader.next() is None


def test_a_command_of_many_arguments_is_not_read_from_its_start_with_every_piece() -> None:
    data = command(*[b"x"] * 100_000)
    reader = AofReader()
    tries = 0
    for at in range(0, len(data), 1000):
        reader.feed(data[at : at + 1000])
        before = reader._buf
        told = reader.next()
        tries += reader._buf is not before
    reader.finish()
    told = told or reader.next()
    assert told == [b"x"] * 100_000
    assert tries < 80, "a try for each of the first 65 pieces, then one when half as much again has come"
