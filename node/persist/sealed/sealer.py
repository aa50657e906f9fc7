"""Seals what is written to a file: data in, the bytes of a run out."""

from gossamer.node.persist.sealed.form import (
    CHUNK,
    CHUNK_FIELDS,
    LARGEST,
    LAST,
    MAGIC,
    MARK_AND_NUMBER,
    NONE_BEFORE,
    PADDING,
    RUN,
    RUN_FIELDS,
    SALT_SIZE,
    TAG_SIZE,
    VERSION,
    nonce_of,
    with_crc,
)
from gossamer.node.persist.sealed.key import Cipher, Key


class Sealer:
    """One run of a file of ``kind``. It begins at byte ``at``, where ``before`` are the 16 bytes before it.

    ``salt``: 32 random bytes that no other run has. If something that was sealed may not be in the file as it is, this
    run is over: what follows needs a new one.
    """

    def __init__(self, key: Key, salt: bytes, kind: bytes, at: int = 0, before: bytes = NONE_BEFORE) -> None:
        assert len(salt) == SALT_SIZE
        assert len(before) == TAG_SIZE
        self._cipher: Cipher = key.cipher(salt)
        self._number: int = 0
        self._ended: bool = False
        fields = with_crc(RUN_FIELDS.pack(MAGIC, VERSION, kind, key.name, salt, at, before))
        self._head: bytes = fields + self._cipher.seal(nonce_of(RUN, 0), b"", fields)

    def seal(self, data: bytes, last: bool = False) -> bytes:
        """The chunks that hold ``data``, behind the head of the run if they are its first. ``last``: that was all."""
        assert not self._ended
        self._ended = last
        parts: list[bytes] = []
        if self._head:
            parts.append(self._head)
            self._head = b""
        at, end = 0, len(data)
        while end - at > LARGEST:
            self._put(parts, data[at : at + LARGEST], CHUNK)
            at += LARGEST
        if at < end or last:
            self._put(parts, data[at:] if at else data, LAST if last else CHUNK)
        return b"".join(parts)

    def _put(self, parts: list[bytes], data: bytes, mark: bytes) -> None:
        fields = CHUNK_FIELDS.pack(mark, self._number, len(data))
        self._number += 1
        parts.append(with_crc(fields))
        parts.append(self._cipher.seal(PADDING + fields[:MARK_AND_NUMBER], data, fields))
