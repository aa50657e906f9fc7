"""Patterns of BY and GET: which value an element of the sorted key stands for (sort.c, lookupKeyByPattern).

The first ``*`` is where the element goes; ``->`` behind it, with something after it, parts a hash from its field. What
is looked for ends at a NUL, the rest of the pattern does not.
"""

from typing import Final

from gossamer.node.commands.sort.values import field_of
from gossamer.node.engine.serving.call import Call
from gossamer.node.resp.errors import c_string

ITSELF: Final = b"#"
ARROW: Final = b"->"


class Pattern:
    def __init__(self, text: bytes) -> None:
        seen = c_string(text)
        star = seen.find(b"*")
        arrow = seen.find(ARROW, star + 1)
        end = arrow if 0 <= arrow < len(seen) - len(ARROW) else len(text)
        self.is_element: bool = seen == ITSELF
        """It stands for the element itself."""
        self.is_constant: bool = star < 0
        """It has no place for an element, and stands for nothing."""
        self.before: bytes = text[:star] if star >= 0 else text
        self.after: bytes = text[star + 1 : end]
        self.field: bytes | None = text[end + len(ARROW) :] if end < len(text) else None

    def value_for(self, c: Call, element: bytes) -> bytes | None:
        """None if there is no such key, or it is of a type that is not asked for."""
        if self.is_element:
            return element
        if self.is_constant:
            return None
        value = c.value(b"".join((self.before, element, self.after)))
        if self.field is not None:
            return field_of(c, value, self.field)
        if isinstance(value, bytearray):
            return bytes(value)
        return value if isinstance(value, bytes) else None
