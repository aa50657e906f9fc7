"""How Redis reads numbers in a configuration: strictly as a C long long, loosely as strtoll, and with units.

The differences are visible to clients: ``hz 01`` is refused while ``save "01 1"`` is not; ``1k`` is 1000, ``1kb`` 1024.
"""

import re
from typing import Final

INT_MAX: Final = 2**31 - 1
INT_MIN: Final = -(2**31)
UINT_MAX: Final = 2**32 - 1
LONG_MAX: Final = 2**63 - 1
LONG_MIN: Final = -(2**63)
ULONG_MAX: Final = 2**64 - 1

_LONGEST: Final = 22
"""Digits of LONG_MIN in the longest form that is read, the octal one."""
_STRICT: Final = re.compile(r"0|-?[1-9][0-9]*", re.ASCII)
_LOOSE: Final = {8: re.compile(r"[ \t-\r]*[+-]?[0-7]+", re.ASCII), 10: re.compile(r"[ \t-\r]*[+-]?[0-9]+", re.ASCII)}
_MEMORY: Final = re.compile(r"([0-9]{0,127})([a-z]*)", re.ASCII | re.IGNORECASE)
_UNITS: Final = {"": 1, "b": 1, "k": 1000, "kb": 1 << 10, "m": 10**6, "mb": 1 << 20, "g": 10**9, "gb": 1 << 30}


def strict(text: str) -> int | None:
    """A long long in its shortest decimal form, else None."""
    if len(text) > 20 or not _STRICT.fullmatch(text):
        return None
    value = int(text)
    return value if LONG_MIN <= value <= LONG_MAX else None


def loose(text: str, base: int = 10) -> int | None:
    """What strtoll makes of the whole text (nothing at all is 0, too large values stop at the limit), else None."""
    if not text:
        return 0
    if not _LOOSE[base].fullmatch(text):
        return None
    text = text.strip()
    sign, digits = (text[0], text[1:]) if text[0] in "+-" else ("", text)
    digits = digits.lstrip("0") or "0"
    if len(digits) > _LONGEST:  # Python reads no number of some thousand digits
        return LONG_MIN if sign == "-" else LONG_MAX
    return min(max(int(sign + digits, base), LONG_MIN), LONG_MAX)


def memory(text: str) -> int | None:
    """Bytes from ``100``, ``1kb``, ``4M`` …, wrapping at 64 bits as Redis' arithmetic does; no digits at all are 0."""
    match = _MEMORY.fullmatch(text)
    if match is None or match[2].lower() not in _UNITS:
        return None
    return min(int(match[1] or "0"), ULONG_MAX) * _UNITS[match[2].lower()] & ULONG_MAX


def show_memory(value: int) -> str:
    """The form CONFIG REWRITE writes: the largest of gb, mb, kb that divides the value."""
    for unit in ("gb", "mb", "kb"):
        if value and value % _UNITS[unit] == 0:
            return f"{value // _UNITS[unit]}{unit}"
    return str(value)
