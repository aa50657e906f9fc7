"""Which texts can stand for a node: in nodes.conf, on the bus, in replies.

A field of nodes.conf ends at a blank, a comma or an ``=``; Redis and Valkey also unquote what looks quoted. A text with
such a character, or one that is no good text, could not be read back by whoever is sent it, so it is refused where it
comes in: as a directive's value (``node/config/checks.py``), from a peer (``gossip``), from the file itself.

An address must fit the 46 bytes of a bus packet, the last of them zero. Whether anybody is there is not asked here.
"""

from ipaddress import ip_address
from re import ASCII
from re import compile as pattern
from typing import Final

LONGEST_ADDRESS: Final = 45
LONGEST_HOSTNAME: Final = 255

_LABELS: Final = pattern(r"([\w-]{1,63}\.)*[\w-]{1,63}\.?", ASCII)


def is_storable(text: str) -> bool:
    """True if ``text`` can be one field of a line: printable, and nothing that separates or quotes fields."""
    return text.isprintable() and not any(c in " ,=\"'" for c in text)


def is_address(text: str) -> bool:
    """Can stand where nodes.conf and the bus have an IP address; empty means unknown."""
    return len(text) <= LONGEST_ADDRESS and text.isascii() and "@" not in text and is_storable(text)


def can_be_dialled(text: str) -> bool:
    """An IP address, or labels of 1 to 63 letters with dots between: what a resolver can be asked for."""
    if _LABELS.fullmatch(text):
        return True
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
