"""The map of the tree, ``docs/map.md``: every file of the product with the first sentence that it says of itself.

``python -m tests.tidy.file_map`` writes it. So nobody edits it: after a merge or a move it is written again.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.tidy.floors import PACKAGES, TOP

MAP: Final = TOP / "docs" / "map.md"

HEAD: Final = """\
# Every file

Room by room, each with the first sentence that the file says of itself. `python -m tests.tidy.file_map` writes this
page. How the rooms fit is in [ARCHITECTURE.md](../ARCHITECTURE.md).
"""


def rooms() -> Iterator[Path]:
    """Every folder of the product that is a package, each before those within it."""
    for package in PACKAGES:
        yield from sorted(path.parent for path in (TOP / package).rglob("__init__.py"))


def first_sentence(path: Path) -> str:
    """Of the docstring of the file ``path``, on one line and in Markdown; AssertionError if there is none."""
    paragraph, _, _ = (ast.get_docstring(ast.parse(path.read_text(), str(path))) or "").partition("\n\n")
    sentence = re.split(r"(?<=[.?])\s", paragraph.replace("\n", " "), maxsplit=1)[0]
    assert sentence, f"{path.relative_to(TOP)} opens without saying what it decides"
    return sentence.replace("``", "`")


def text() -> str:
    """The whole page."""
    out = [HEAD]
    for room in rooms():
        out.append(f"\n## {room.relative_to(TOP)}/\n\n{first_sentence(room / '__init__.py')}\n")
        files = [path for path in sorted(room.glob("*.py")) if path.name != "__init__.py"]
        out += ["\n"] if files else []
        out += [f"- `{path.name}`: {first_sentence(path)}\n" for path in files]
    return "".join(out)


if __name__ == "__main__":
    MAP.write_text(text())
