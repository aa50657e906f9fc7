"""Every field of nodes.conf with texts that are no good texts: its line is named, or the file comes back as it was."""

from pathlib import Path

import pytest

from gossamer.cluster.nodesconf import NodesConfError, dump, load
from gossamer.cluster.text import text_of
from tests.integration.attack import NASTY

FILES = sorted(path for path in (Path(__file__).parents[2] / "vectors" / "nodes.conf").rglob("*") if path.is_file())[:2]


def outcome(text: str) -> str:
    try:
        found = load(text)
    except NodesConfError as error:
        return "refused" if "line " in str(error) or "at the end" in str(error) else str(error)
    return "taken" if dump(load(dump(found))) == dump(found) else f"changed: {text!r}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_any_text_in_any_field_is_told_with_its_line_or_comes_back(path: Path) -> None:
    lines = text_of(path.read_bytes()).splitlines()
    outcomes = set()
    for number in (0, len(lines) - 1):
        words = lines[number].split(" ")
        for at, word in enumerate(words):
            for nasty in map(text_of, NASTY):
                for new in (nasty, f"{word},{nasty}", f"{word},,nodename={nasty}", f"{word},x={nasty}"):
                    changed = " ".join([*words[:at], new, *words[at + 1 :]])
                    outcomes.add(outcome("\n".join([*lines[:number], changed, *lines[number + 1 :]]) + "\n"))
    assert outcomes == {"refused", "taken"}
