"""What the commands on fields that expire have in common: ``FIELDS numfields field ...`` at their end (Valkey 9.1)."""

from gossamer.node.commands.numbers import integer
from gossamer.node.resp.errors import NUMFIELDS, SYNTAX, Refusal


def place_of_fields(argv: list[bytes], start: int) -> int:
    """Where the word FIELDS stands, from ``argv[start]`` on, with two more behind it; Refusal if it does not."""
    for at in range(start, len(argv) - 2):
        if argv[at].upper() == b"FIELDS":
            return at
    raise Refusal(NUMFIELDS)


def fields_at(argv: list[bytes], at: int, refusal: bytes = NUMFIELDS, width: int = 1) -> list[bytes]:
    """The words behind FIELDS, which stands at ``argv[at]``, and the count of fields.

    ``width``: how many words each field takes. ``refusal``: if that are not as many as the count says.
    """
    if argv[at].upper() != b"FIELDS":
        raise Refusal(SYNTAX)
    count = integer(argv[at + 1])
    if count < 1 or count * width != len(argv) - at - 2:
        raise Refusal(refusal)
    return argv[at + 2 :]
