"""An append-only file as its bytes come in: ``feed`` bytes, then take ``events`` and ``next`` commands.

    [an RDB] { *<count> CRLF { $<bytes> CRLF <argument> CRLF } | # <anything> LF }

Rules kept here:
- Bytes that cannot be what a node has written are an AofError, wherever they stand; only an end that comes too early is
  none, and ``finish`` tells of it. Unlike requests of clients, every number and every CR LF is looked at.
- A transaction holds as a whole or not at all: ``whole`` never lies between MULTI and EXEC.
- Memory stays within the command being read and the bytes fed at once. A command that is not whole yet is read from its
  start again when half as much again has come, so that the work stays proportional to the bytes.
- Lines of ``#`` (times, notes) mean nothing and may stand between any two commands.
"""

from typing import TYPE_CHECKING, Final

from gossamer.node.persist.codes import RdbError
from gossamer.node.persist.events import Event
from gossamer.node.persist.reader import SMALL, RdbReader
from gossamer.node.persist.source import MAX_STRING
from gossamer.node.resp.parser import MAX_MULTIBULK
from gossamer.node.resp.plain import CR, DOLLAR, MOST_DIGITS, STAR, plain_number
from gossamer.node.types.limits import DEFAULTS, EncodingLimits

if TYPE_CHECKING:
    from mypy_extensions import i64

LF: Final = 10
HASH: Final = 35
MAGICS: Final = (b"REDIS", b"VALKEY")
LONGEST_MAGIC: Final = 6
LONGEST_NUMBER: Final = MOST_DIGITS + 2
"""With CR LF."""
COUNT_RULE: Final = "a length is a number and CR LF"
IN_RDB: Final = "in the RDB that begins the file: "
SHOWN: Final = 16
"""Bytes of what is damaged, in a message."""


class AofError(Exception):
    """The file is damaged: what begins at byte ``offset`` is nothing that a node writes."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"byte {offset}: {reason}")
        self.offset: int = offset
        self.reason: str = reason


class AofReader:
    """``verify``, ``limits``: of the RDB at the start. AofError out of any method is final."""

    def __init__(self, verify: bool = True, limits: EncodingLimits = DEFAULTS, max_bulk: int = MAX_STRING) -> None:
        self.max_bulk: int = max_bulk
        self.offset: int = 0
        """Behind the command that ``next`` told last, or the lines of ``#`` that it has skipped since."""
        self.whole: int = 0
        """Behind the last command outside of a transaction that is open: where a file that is cut short is to end."""
        self.in_multi: bool = False
        """MULTI has been told and EXEC has not."""
        self.fed: int = 0
        """All bytes so far."""
        self.truncated: bool = False
        """After ``finish``: the file ends within a command or a transaction."""
        self.preamble: RdbReader | None = RdbReader(verify, limits)
        """The RDB at the start; None once it is known that there is none."""
        self._begun: bool = False
        self._events: list[Event] = []
        self._buf: bytes = b""
        self._pos: int = 0
        self._waiting: list[bytes] = []
        """What has come behind ``_buf``."""
        self._coming: int = 0
        """Bytes in ``_waiting``."""
        self._short: bool = False
        """The command at ``_pos`` is not whole in ``_buf``."""
        self._wanted: int = 0
        """With fewer bytes of it than this it is not worth another try."""
        self._ended: bool = False

    def feed(self, data: bytes) -> None:
        self.fed += len(data)
        if self.preamble is not None and self.in_rdb():
            self._feed_preamble(self.preamble, data)
        elif data:
            self._waiting.append(data)
            self._coming += len(data)
            if not self._begun:
                self._begin()

    def finish(self) -> None:
        """There are no more bytes; ``next`` may still have commands. ``truncated`` holds once it has told None."""
        self._ended = True
        if not self._begun:
            self._begin()
        if self.preamble is not None and self.in_rdb():
            try:
                self._events += self.preamble.finish()
            except RdbError as error:
                self._events += self.preamble.before_damage
                raise AofError(self.preamble.offset, IN_RDB + str(error)) from None

    def in_rdb(self) -> bool:
        """The RDB at the start has not ended yet."""
        return self._begun and self.preamble is not None and not self.preamble.done

    def events(self) -> list[Event]:
        """What the RDB at the start has told since the last time."""
        told = self._events
        self._events = []
        return told

    def next(self) -> list[bytes] | None:
        """The next command; None: feed more. MULTI, EXEC and what stands between them are told one by one."""
        while True:
            start = self._pos
            if self._short or start >= len(self._buf):
                if not self._refill():
                    return None
                continue
            first = self._buf[start]
            if first == STAR:
                args = self._read()
                if args is not None:
                    self.offset += self._pos - start
                    if len(args) == 1:
                        self._note_transaction(args[0].upper(), self._pos - start)
                    if not self.in_multi:
                        self.whole = self.offset
                    return args
            elif first == HASH:
                self._skip_line()
            else:
                raise self._bad(start, "a command begins with '*'")

    # --- how it begins

    def _begin(self) -> None:
        """Is there an RDB at the start? Wait for as many bytes as tell it."""
        data = b"".join(self._waiting)
        if len(data) < LONGEST_MAGIC and not self._ended:
            self._waiting = [data]
            return
        self._begun = True
        if self.preamble is not None and data.startswith(MAGICS):
            self._waiting = []
            self._coming = 0
            self._feed_preamble(self.preamble, data)
        else:
            self.preamble = None
            self._waiting = [data] if data else []

    def _feed_preamble(self, preamble: RdbReader, data: bytes) -> None:
        try:
            self._events += preamble.feed(data)
        except RdbError as error:
            self._events += preamble.before_damage
            raise AofError(preamble.offset, IN_RDB + str(error)) from None
        if preamble.done:
            self.offset = self.whole = preamble.offset
            if preamble.rest:
                self._waiting = [preamble.rest]
                self._coming = len(preamble.rest)
                preamble.rest = b""

    # --- commands

    def _refill(self) -> bool:
        """Put what has come behind what is left; False if it is not worth another try."""
        held = len(self._buf) - self._pos + self._coming
        if not self._waiting or not self._begun or (held < self._wanted and not self._ended):
            self.truncated = self._ended and (held > 0 or self.in_multi)
            return False
        if self._pos < len(self._buf):
            self._waiting.insert(0, self._buf[self._pos :])
        self._buf = self._waiting[0] if len(self._waiting) == 1 else b"".join(self._waiting)
        self._pos = 0
        self._waiting = []
        self._coming = 0
        self._short = False
        self._wanted = 0
        return True

    def _note_transaction(self, name: bytes, size: int) -> None:
        """The command ``name``, which has no arguments, takes the ``size`` bytes before ``offset``."""
        if name == b"MULTI" or name == b"EXEC":
            begins = name == b"MULTI"
            if begins == self.in_multi:
                raise AofError(self.offset - size, "MULTI within MULTI" if begins else "EXEC without MULTI")
            self.in_multi = begins

    def _skip_line(self) -> None:
        stop = self._buf.find(b"\n", self._pos)
        if stop < 0:
            self._want(0)
            return
        self.offset += stop + 1 - self._pos
        self._pos = stop + 1

    def _read(self) -> list[bytes] | None:
        """The command at ``_pos``; None, and ``_wanted`` is told, if it is not whole."""
        buf = self._buf
        end: i64 = len(buf)
        start: i64 = self._pos
        most: i64 = self.max_bulk
        left, pos = plain_number(buf, start + 1)
        if left < 1 or left > MAX_MULTIBULK:
            self._not_plain(start, left)
            return None
        if buf[pos - 1] != LF:
            raise self._bad(start, COUNT_RULE)
        args: list[bytes] = []
        while left > 0:
            if pos >= end:
                self._want(0)
                return None
            if buf[pos] != DOLLAR:
                raise self._bad(pos, "an argument begins with '$'")
            size, behind = plain_number(buf, pos + 1)
            if size < 0 or size > most:
                self._not_plain(pos, size)
                return None
            if buf[behind - 1] != LF:
                raise self._bad(pos, COUNT_RULE)
            stop: i64 = behind + size
            if stop + 2 > end:
                self._want(stop + 2 - start)
                return None
            if buf[stop] != CR or buf[stop + 1] != LF:
                raise self._bad(stop, "an argument ends with CR LF")
            args.append(buf[behind:stop])
            pos = stop + 2
            left -= 1
        self._pos = pos
        return args

    def _not_plain(self, at: int, number: int) -> None:
        """The number behind the byte at ``at`` is none, or its line is not whole."""
        line = self._buf[at + 1 : at + 1 + LONGEST_NUMBER]
        digits = line.removesuffix(b"\r")
        if number >= 0 or len(line) == LONGEST_NUMBER or b"\n" in line or (digits and not digits.isdigit()):
            raise self._bad(at, COUNT_RULE)
        self._want(0)

    def _want(self, size: int) -> None:
        """The command at ``_pos`` takes at least ``size`` bytes, and more than there are."""
        held = len(self._buf) - self._pos
        self._short = True
        self._wanted = max(size, held + 1 if held < SMALL else held + held // 2)

    def _bad(self, at: int, rule: str) -> AofError:
        found = self._buf[at : at + SHOWN]
        return AofError(self.offset + at - self._pos, f"{rule}, but here is {found!r}")
