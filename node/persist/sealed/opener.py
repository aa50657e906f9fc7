"""Opens a sealed file as its bytes come in: ``feed`` bytes, take the data; then ``finish``.

Nothing is given out that a tag has not vouched for. An end that comes too early is no damage in a file that grows:
``torn`` tells of it, and ``offset`` where it is to be cut.
"""

from collections.abc import Sequence
from typing import Final

from gossamer.node.persist.sealed.form import (
    CHUNK,
    CHUNK_FIELDS,
    CHUNK_HEAD_SIZE,
    GROWING,
    LARGEST,
    LAST,
    MAGIC,
    MARK_AND_NUMBER,
    NONE_BEFORE,
    PADDING,
    RUN,
    RUN_FIELDS,
    RUN_SIZE,
    TAG_SIZE,
    VERSION,
    WHOLE,
    SealError,
    has_crc,
    nonce_of,
)
from gossamer.node.persist.sealed.key import Cipher, Key, Tampered

NEVER: Final = 1 << 62
"""Bytes that no file has."""


class Opener:
    """``keys``: those that the file may be sealed with. SealError out of any method is final."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self.offset: int = 0
        """Bytes of the file that have been opened: it is whole up to here."""
        self.opened: int = 0
        """Bytes of data in them."""
        self.until: int = -1
        """Stop before the chunk that has more data than so many bytes in all; -1: never."""
        self.kind: bytes = b""
        """Of the file; empty before that is known."""
        self.is_old: bool = False
        """Something in it is sealed with another than the first key."""
        self.torn: bool = False
        """After ``finish``: behind ``offset`` is a chunk, or the head of a run, that is not whole."""
        self._keys: Sequence[Key] = keys
        self._cipher: Cipher = Cipher()
        self._number: int = 0
        """Of the chunk that is to come."""
        self._ended: bool = False
        self._before: bytes = NONE_BEFORE
        """The 16 bytes before ``offset``."""
        self._buf: bytes = b""
        self._wanted: int = 1
        """It is not worth another try with fewer bytes."""
        self._damage: SealError | None = None
        self._waiting: list[bytes] = []
        self._held: int = 0

    def feed(self, data: bytes) -> bytes:
        """The data that these bytes of the file make whole. What stands before damage is given out first."""
        if self._damage is not None:
            raise self._damage
        self._waiting.append(data)
        self._held += len(data)
        if self._held < self._wanted:
            return b""
        self._buf = self._waiting[0] if len(self._waiting) == 1 else b"".join(self._waiting)
        out: list[bytes] = []
        at = 0
        while True:
            try:
                size = self._next(at, out)
            except SealError as error:
                if not out:
                    raise
                self._damage = error
                break
            if not size:
                break
            at += size
            self.offset += size
            self._before = self._buf[at - TAG_SIZE : at]
        self._waiting = [self._buf[at:]] if at < len(self._buf) else []
        self._held = len(self._buf) - at
        self._buf = b""
        return out[0] if len(out) == 1 else b"".join(out)

    @property
    def is_stopped(self) -> bool:
        """``until`` is reached."""
        return self._wanted == NEVER

    def finish(self) -> None:
        """There are no more bytes."""
        if self._damage is not None:
            raise self._damage
        if self.kind == WHOLE and not self._ended:
            raise SealError(self.offset, f"it ends too early: chunk {self._number} is missing, or not whole")
        self.torn = self._held > 0

    def _next(self, at: int, out: list[bytes]) -> int:
        """Open what begins at ``at`` of the buffer; its size, or 0, and ``_wanted`` is told, if it is not whole."""
        buf = self._buf
        held = len(buf) - at
        self._wanted = 1
        if not held or self.opened == self.until:
            self._wanted = NEVER if held else 1
            return 0
        if self._ended:
            raise self._bad("something stands behind the chunk that ends it")
        mark = buf[at : at + 1]
        if mark in (CHUNK, LAST):
            return self._next_chunk(at, held, out)
        self._next_run(at, held)
        return RUN_SIZE if self._wanted == 1 else 0

    # --- chunks

    def _next_chunk(self, at: int, held: int, out: list[bytes]) -> int:
        if not self.kind:
            raise self._bad("it is damaged: the head of the file is missing")
        buf = self._buf
        if held < CHUNK_HEAD_SIZE:
            self._wanted = CHUNK_HEAD_SIZE
            return 0
        head = buf[at : at + CHUNK_HEAD_SIZE]
        if not has_crc(head):
            raise self._bad(f"the head of chunk {self._number} is damaged")
        number = int.from_bytes(head[1:MARK_AND_NUMBER], "big")
        length = int.from_bytes(head[MARK_AND_NUMBER : CHUNK_FIELDS.size], "big")
        if number != self._number:
            raise self._bad(f"chunk {number} stands where chunk {self._number} should")
        if length > LARGEST:
            raise self._bad(f"chunk {number} says that it has {length} bytes, which none has")
        if 0 <= self.until < self.opened + length:
            self._wanted = NEVER
            return 0
        size = CHUNK_HEAD_SIZE + length + TAG_SIZE
        if held < size:
            self._wanted = size
            return 0
        sealed = buf[at + CHUNK_HEAD_SIZE : at + size]
        try:
            out.append(self._cipher.open(PADDING + head[:MARK_AND_NUMBER], sealed, head[: CHUNK_FIELDS.size]))
        except Tampered:
            raise self._bad(f"chunk {number} is damaged, or of another file") from None
        self._number += 1
        self.opened += length
        self._ended = head[:1] == LAST
        return size

    # --- runs

    def _next_run(self, at: int, held: int) -> None:
        buf = self._buf
        found = buf[at : at + len(MAGIC)]
        if found != MAGIC[: len(found)]:
            raise self._bad("it is damaged: here begins neither a chunk nor a run of chunks")
        if held <= len(MAGIC):
            self._wanted = len(MAGIC) + 1
            return
        version = buf[at + len(MAGIC) : at + len(MAGIC) + 1]
        if held < RUN_SIZE:
            self._wanted = RUN_SIZE
            return
        head = buf[at : at + RUN_SIZE - TAG_SIZE]
        if not has_crc(head):
            raise self._bad("the head of a run of chunks is damaged")
        if version != VERSION:
            raise self._bad(f"it is sealed in version {version!r} of the form, which is not known here")
        self._begin(head, buf[at + RUN_SIZE - TAG_SIZE : at + RUN_SIZE])

    def _begin(self, head: bytes, tag: bytes) -> None:
        fields = RUN_FIELDS.unpack_from(head)
        kind: bytes = fields[2]
        name: bytes = fields[3]
        salt: bytes = fields[4]
        place: int = fields[5]
        before: bytes = fields[6]
        key = self._key(name)
        if key is None:
            raise self._bad("it is sealed with another key")
        cipher = key.cipher(salt)
        try:
            cipher.open(nonce_of(RUN, 0), tag, head)
        except Tampered:
            raise self._bad("the head of a run of chunks was changed") from None
        if kind not in (WHOLE, GROWING) or (self.kind and kind != GROWING) or self.kind == WHOLE:
            raise self._bad("a run of chunks stands where none can")
        if place != self.offset or before != self._before:
            raise self._bad("a run of chunks stands where another should: it is of another place or file")
        self.kind = kind
        self.is_old = self.is_old or name != self._keys[0].name
        self._cipher = cipher
        self._number = 0

    def _key(self, name: bytes) -> Key | None:
        for key in self._keys:
            if key.name == name:
                return key
        return None

    def _bad(self, reason: str) -> SealError:
        return SealError(self.offset, reason)
