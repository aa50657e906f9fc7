"""What DEBUG DIGEST mixes of a list: its elements in their order."""

from typing import Final

from gossamer.node.commands.digests.mixing import mixed
from gossamer.node.types.kind import Value
from gossamer.node.types.lists.kind import step

MARK: Final = (1).to_bytes(4, "big")


def digest(before: int, value: Value, at: int, now: int) -> tuple[int, int]:
    """``before`` with the elements of a step mixed in, and where the next step begins."""
    made = mixed(before, MARK) if at == 0 else before
    elements, at = step(value, at)
    for element in elements:
        made = mixed(made, element)
    return made, at
