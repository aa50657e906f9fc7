"""Lines and numbers of the replication protocol, as the other end may send them: checked, and shown in the log."""

from typing import Final

from gossamer.cluster.text import text_of

ID_SIZE: Final = 40
LAST_OFFSET: Final = (1 << 63) - 1


def shown(text: bytes) -> str:
    return text_of(text[:128])


def number(text: bytes) -> int:
    return int(text) if is_offset(text) else 0


def is_id(text: bytes) -> bool:
    return len(text) == ID_SIZE and text.isalnum()


def is_offset(text: bytes) -> bool:
    return text.isdigit() and len(text) < ID_SIZE and int(text) <= LAST_OFFSET
