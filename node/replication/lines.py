"""Lines and numbers of the replication protocol, as the other end may send them: checked, and shown in the log."""

from typing import Final

from gossamer.cluster.text import text_of

ID_SIZE: Final = 40
LAST_OFFSET: Final = (1 << 63) - 1
TRY_LATER: Final = (b"-NOMASTERLINK", b"-LOADING")


class LinkError(Exception):
    """The connection to the primary has to be ended, and why. ``damaged``: to try again at once helps nobody."""

    def __init__(self, why: str, damaged: bool = False) -> None:
        super().__init__(why)
        self.damaged: bool = damaged


def refuse_for_now(line: bytes) -> LinkError:
    return LinkError(f"Master is currently unable to PSYNC but should be in the future: {shown(line)}")


def shown(text: bytes) -> str:
    return text_of(text[:128])


def number(text: bytes) -> int:
    return int(text) if is_offset(text) else 0


def is_id(text: bytes) -> bool:
    return len(text) == ID_SIZE and text.isalnum()


def is_offset(text: bytes) -> bool:
    return text.isdigit() and len(text) < ID_SIZE and int(text) <= LAST_OFFSET
