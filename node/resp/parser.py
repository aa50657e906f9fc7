"""Client bytes in, argument lists out: RESP requests and inline commands, fed in any pieces.

Rules kept:
- A half request costs what has arrived and no more: a length is only a promise, nothing is allocated for it.
- A long argument is collected in pieces and joined once, so that a slow sender costs linear time. The pieces end where
  it ends: what is joined is the argument, and what arrives in one piece is not copied. ``wanted`` helps to cut so.
- Limits and error texts are those of Redis 7.0 (networking.c: processInlineBuffer, processMultibulkBuffer). Like
  Redis it
  trusts the two bytes behind a bulk argument to be CR LF without looking.
- A line ends where Redis finds its end, which looks for it as in a C string: what follows a NUL is not seen.
- What has been told is not kept: the values of requests served would live here until the next request.
- After a ProtocolError the parser must not be used again.

Most requests are whole and written as clients write them: those are read in one go (``requests.py``). Whatever is not
is left to the careful way, argument by argument, which also knows all the limits.
"""

from typing import Final

from gossamer.node.resp.errors import ProtocolError
from gossamer.node.resp.inline import split_words
from gossamer.node.resp.plain import CR, DOLLAR, STAR, plain_number
from gossamer.node.resp.requests import parse_request, parse_requests

MAX_INLINE: Final = 64 * 1024
MAX_MULTIBULK: Final = 2**31 - 1
MAX_BULK: Final = 512 * 1024 * 1024
COLLECT_FROM: Final = 4096
"""Arguments of at least this many bytes that have not arrived whole are collected in pieces."""

UNAUTHENTICATED_ARGS: Final = 10
UNAUTHENTICATED_BULK: Final = 16384

NO_ARGS: Final[list[bytes]] = []

parse_one: Final = parse_request
parse_many: Final = parse_requests
"""Compiled, what is ``Final`` here is at hand; what is imported is looked up by its name each time."""


def line_end(buf: bytes, mark: bytes, start: int) -> int:
    """Where ``mark`` ends the line that begins at ``start``; -1 if it does not."""
    stop = buf.find(mark, start)
    return -1 if stop < 0 or buf.find(b"\0", start, stop) >= 0 else stop


class Parser:
    """One client's request stream. ``feed`` bytes, then call ``next`` until it answers None."""

    def __init__(self) -> None:
        self.max_bulk: int = MAX_BULK
        self.trusted: bool = True
        """False before authentication: then only short requests are read (CVE-2021-32675)."""
        self._buf: bytes = b""
        self._pos: int = 0
        self._args: list[bytes] = NO_ARGS
        self._args_left: int = 0
        self._bulk: int = -1
        self._collecting: bool = False
        """The argument is long: what has arrived of its ``_bulk`` bytes is in ``_pieces``, what follows in ``_buf``."""
        self._pieces: list[bytes] = []
        self._pieces_size: int = 0
        self._ahead_from: int = 0
        """Where the requests begin that ``ahead`` told last."""

    def trust(self, trusted: bool) -> None:
        """From now on requests of any length are read, or only short ones."""
        self.trusted = trusted

    def feed(self, data: bytes) -> None:
        if self._collecting:
            data = self._collect(data)
            if not data:
                return
        if self._pos >= len(self._buf):
            self._buf = data
            self._pos = 0
        else:
            self._buf = self._buf[self._pos :] + data
            self._pos = 0

    def wanted(self) -> int:
        """Bytes that are still to come of a long argument and its CR LF; 0 if none is open.

        A reader that asks for two less, or for what is there of them, saves a copy of what it reads.
        """
        return self._bulk + 2 - self._pieces_size - len(self._buf) if self._collecting else 0

    def behind(self) -> int:
        """Bytes that have arrived behind the request that ``next`` told last; ask right after it."""
        return len(self._buf) - self._pos

    def buffered(self) -> int:
        """Bytes held for requests that are not complete: the query buffer of CLIENT LIST."""
        size = len(self._buf) - self._pos + self._pieces_size
        for arg in self._args:
            size += len(arg)
        return size

    def input_size(self) -> int:
        """Bytes of the input that is being read, requests served already included: Redis' query buffer."""
        return len(self._buf) + self._pieces_size

    def next(self) -> list[bytes] | None:
        """The next complete request, or None. Empty requests (``*0``, blank lines) are skipped, as in Redis."""
        if not self._args_left:
            request = self._read_plain()
            if request is not None:
                return request
        return self._read_carefully()

    def more(self) -> bool:
        """Has anything arrived behind the request that ``next`` told last?"""
        return self._pos < len(self._buf)

    def ahead(self, most: int, size: int) -> list[list[bytes]]:
        """The requests behind the one that ``next`` told last, as far as they are plain and whole.

        At most ``most``, and no more once they take ``size`` bytes. ``back`` may be called before anything else is.
        """
        self._ahead_from = self._pos
        if len(self._buf) > self.max_bulk or not self.trusted:
            return []
        requests, self._pos = parse_many(self._buf, self._pos, most, size)
        return requests

    def back(self, kept: int) -> None:
        """As if only the first ``kept`` of the requests that ``ahead`` told last had been read."""
        self._pos = self._ahead_from
        for _ in range(kept):
            self._read_plain()

    def _read_plain(self) -> list[bytes] | None:
        """The request at ``_pos`` if it is plain to see and whole; None has changed nothing."""
        buf = self._buf
        if self._pos >= len(buf) or len(buf) > self.max_bulk or not self.trusted:
            return None  # an argument is too long only where the input is longer
        found = parse_one(buf, self._pos)
        if found is None:
            return None
        self._pos = found[1]
        return found[0]

    def _read_carefully(self) -> list[bytes] | None:
        while True:
            if self._args_left:
                return self._read_args()
            pos = self._pos
            buf = self._buf
            if pos >= len(buf):
                self._buf = b""
                self._pos = 0
                return None
            if buf[pos] != STAR:
                words = self._read_inline()
                if words is None or words:
                    return words
                continue
            if not self._read_count():
                return None

    def _read_count(self) -> bool:
        """Read ``*<count>``; False if the line is not complete."""
        count = self._read_length(MAX_MULTIBULK, b"too big mbulk count string", b"invalid multibulk length", True)
        if count < -1:
            return False
        if count > UNAUTHENTICATED_ARGS and not self.trusted:
            raise ProtocolError(b"unauthenticated multibulk length")
        if count > 0:
            self._args = []
            self._args_left = count
        return True

    def _read_length(self, most: int, too_long: bytes, invalid: bytes, negative: bool) -> int:
        """The number of the line at ``_pos`` (behind its type byte), -2 if the line is not complete.

        Any negative number reads as -1 where ``negative`` allows it.
        """
        value, behind = plain_number(self._buf, self._pos + 1)
        if 0 <= value <= most:
            self._pos = behind
            return value
        return self._read_odd_length(most, too_long, invalid, negative)

    def _read_odd_length(self, most: int, too_long: bytes, invalid: bytes, negative: bool) -> int:
        """The uncommon forms: incomplete, negative, malformed."""
        buf = self._buf
        stop = line_end(buf, b"\r", self._pos)
        if stop < 0:
            if len(buf) - self._pos > MAX_INLINE:
                raise ProtocolError(too_long)
            return -2
        if stop + 1 >= len(buf):
            return -2
        text = buf[self._pos + 1 : stop]
        minus = text[:1] == b"-"
        digits = text[1:] if minus else text
        if not digits.isdigit() or (digits[:1] == b"0" and (minus or len(digits) > 1)) or len(digits) > 19:
            raise ProtocolError(invalid)
        value = int(digits)
        if value > most or (minus and not negative):
            raise ProtocolError(invalid)
        self._pos = stop + 2
        return -1 if minus else value

    def _read_args(self) -> list[bytes] | None:
        """Read what has arrived of the open request; the whole request once it is complete."""
        if self._collecting and not self._end_collecting():
            return None
        args = self._args
        left = self._args_left
        while left:
            if self._bulk < 0 and not self._read_bulk_head():
                self._args_left = left
                return None
            buf = self._buf
            start = self._pos
            stop = start + self._bulk
            if stop + 2 > len(buf):
                self._args_left = left
                if self._bulk >= COLLECT_FROM:
                    self._begin_collecting()
                return None
            args.append(buf[start:stop])
            self._pos = stop + 2
            self._bulk = -1
            left -= 1
        self._args_left = 0
        self._args = NO_ARGS
        return args

    def _begin_collecting(self) -> None:
        """The argument at ``_pos`` is long and has not arrived whole."""
        rest = self._buf[self._pos :]
        self._buf = b""
        self._pos = 0
        self._collecting = True
        if rest:
            self._buf = self._collect(rest)

    def _collect(self, data: bytes) -> bytes:
        """Keep what of ``data`` belongs to the long argument; the rest."""
        assert data, "an empty piece would pass for the end of the input"
        missing = self._bulk - self._pieces_size
        if missing == 0:
            return data
        piece, rest = (data, b"") if len(data) <= missing else (data[:missing], data[missing:])
        self._pieces.append(piece)
        self._pieces_size += len(piece)
        return rest

    def _end_collecting(self) -> bool:
        """The long argument is an argument like others; False if it or its CR LF has not arrived whole."""
        if self._pieces_size < self._bulk or self._pos + 2 > len(self._buf):
            return False
        self._args.append(b"".join(self._pieces))
        self._pieces = []
        self._pieces_size = 0
        self._collecting = False
        self._args_left -= 1
        self._bulk = -1
        self._pos += 2
        return True

    def _read_bulk_head(self) -> bool:
        """Read ``$<length>`` into ``_bulk``; False if the line is not complete."""
        pos = self._pos
        buf = self._buf
        if pos >= len(buf):
            return False
        if buf[pos] != DOLLAR:
            if line_end(buf, b"\r", pos) < 0:
                if len(buf) - pos > MAX_INLINE:
                    raise ProtocolError(b"too big bulk count string")
                return False
            got = 32 if buf[pos] == 10 or buf[pos] == CR else buf[pos]  # a line end would end the reply
            raise ProtocolError(b"expected '$', got '%c'" % got)
        size = self._read_length(self.max_bulk, b"too big bulk count string", b"invalid bulk length", False)
        if size < 0:
            return False
        if size > UNAUTHENTICATED_BULK and not self.trusted:
            raise ProtocolError(b"unauthenticated bulk length")
        self._bulk = size
        return True

    def _read_inline(self) -> list[bytes] | None:
        buf = self._buf
        stop = line_end(buf, b"\n", self._pos)
        if stop < 0:
            if len(buf) - self._pos > MAX_INLINE:
                raise ProtocolError(b"too big inline request")
            return None
        line = buf[self._pos : stop]
        if line.endswith(b"\r"):
            line = line[:-1]
        words = split_words(line)
        if words is None:
            raise ProtocolError(b"unbalanced quotes in request")
        self._pos = stop + 1
        return words
