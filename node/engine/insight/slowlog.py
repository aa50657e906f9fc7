"""SLOWLOG: the last requests that took longer than ``slowlog-log-slower-than`` microseconds.

Long requests are shortened as Redis 7.0 does: at most 32 arguments of at most 128 bytes each.
"""

from typing import Final

MAX_ARGS: Final = 32
MAX_BYTES: Final = 128


class SlowEntry:
    def __init__(self, entry_id: int, time_s: int, duration_us: int, argv: list[bytes], addr: str, name: bytes) -> None:
        self.id: int = entry_id
        self.time_s: int = time_s
        self.duration_us: int = duration_us
        self.argv: list[bytes] = argv
        self.addr: str = addr
        self.name: bytes = name


class SlowLog:
    """``slower_than`` -1 records nothing, 0 everything. Entries are newest first."""

    def __init__(self) -> None:
        self.slower_than: int = 10_000
        self.max_len: int = 128
        self.next_id: int = 0
        self.entries: list[SlowEntry] = []

    def record(self, time_s: int, duration_us: int, argv: list[bytes], addr: str, name: bytes) -> None:
        if self.max_len == 0:
            return
        self.entries.insert(0, SlowEntry(self.next_id, time_s, duration_us, shorten(argv), addr, name))
        self.next_id += 1
        del self.entries[self.max_len :]


def shorten(argv: list[bytes]) -> list[bytes]:
    kept = argv if len(argv) <= MAX_ARGS else argv[: MAX_ARGS - 1]
    out = [
        arg if len(arg) <= MAX_BYTES else b"%s... (%d more bytes)" % (arg[:MAX_BYTES], len(arg) - MAX_BYTES)
        for arg in kept
    ]
    if len(argv) > MAX_ARGS:
        out.append(b"... (%d more arguments)" % (len(argv) - MAX_ARGS + 1))
    return out
