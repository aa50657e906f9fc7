"""Where one bus message ends and the next begins.

A link closes on a wrong signature or an impossible length (PacketError) before any memory is spent on it: a buffer
only ever holds what the peer has really sent, whatever length it announces.
"""

from typing import Final

from gossamer.gossip.packet import HEADER_BYTES, LIGHT_BIT, LIGHT_HEADER_BYTES, LIGHT_TYPES, SIGNATURE, PacketError

MAX_PUBLISH_BYTES: Final = (1 << 30) + HEADER_BYTES + 16
"""A channel and a message of 512 MB each, the largest strings a client can send."""

MAX_OTHER_BYTES: Final = 16 << 20
"""Every message of another type: 65535 gossip entries are under 7 MB, the rest is room for extensions."""

MAX_STRANGER_BYTES: Final = 1 << 20
"""What somebody we do not know may say in one message. All that counts of it is a MEET or a PING, and these come with
one gossip entry for ten nodes.
"""


def frame_length(head: bytes, stranger: bool = False) -> int | None:
    """Length in bytes of the message that starts with ``head``; None if more of it is needed (14 bytes always do)."""
    if not SIGNATURE.startswith(head[:4]):
        raise PacketError(f"signature {head[:4]!r}")
    if len(head) < 14:
        return None
    total = int.from_bytes(head[4:8], "big")
    kind = int.from_bytes(head[12:14], "big")
    if total < (LIGHT_HEADER_BYTES if kind & LIGHT_BIT else HEADER_BYTES):
        raise PacketError(f"message of {total} bytes is shorter than its header")
    most = MAX_PUBLISH_BYTES if kind & ~LIGHT_BIT in LIGHT_TYPES else MAX_OTHER_BYTES
    if total > (min(most, MAX_STRANGER_BYTES) if stranger else most):
        raise PacketError(f"message of {total} bytes is too long")
    return total


class Deframer:
    """Bytes in, whole messages out; keeps the unfinished tail. ``stranger``: nobody we know is at the other end."""

    def __init__(self) -> None:
        self.stranger = False
        self._buffer = bytearray()
        self._needed = 0

    @property
    def held_bytes(self) -> int:
        """Bytes of the unfinished message that have arrived."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """Messages that ``data`` completes. After a PacketError the stream cannot be read on."""
        buffer = self._buffer
        buffer += data
        frames: list[bytes] = []
        at = 0
        while len(buffer) - at >= max(self._needed, 1):
            length = self._needed or frame_length(bytes(buffer[at : at + LIGHT_HEADER_BYTES]), self.stranger)
            if length is None:
                break
            if len(buffer) - at < length:
                self._needed = length
                break
            frames.append(bytes(buffer[at : at + length]))
            at += length
            self._needed = 0
        del buffer[:at]
        return frames
