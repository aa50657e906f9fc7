"""Within a compiled function a name has one type, also one that ``except … as`` gives: mypyc takes that of the first,
and a TypeError takes the place of what was caught.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tidy.floors import TOP


def compiled_files() -> Iterator[Path]:
    """What ``HOT`` in setup.py names."""
    (hot,) = (
        ast.literal_eval(item.value)
        for item in ast.parse((TOP / "setup.py").read_text()).body
        if isinstance(item, ast.Assign) and ast.unparse(item.targets[0]) == "HOT"
    )
    for entry in hot:
        place = entry.removeprefix("gossamer/")
        yield from [TOP / place] if place.endswith(".py") else TOP.glob(f"{place}/*.py")


def reused(tree: ast.AST) -> list[str]:
    """``function: name`` of each name that is given to exceptions of more than one type."""
    found = []
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            types: dict[str, set[str]] = {}
            for item in ast.walk(function):
                if isinstance(item, ast.ExceptHandler) and item.name and item.type:
                    types.setdefault(item.name, set()).add(ast.unparse(item.type))
            found += [f"{function.name}: {name}" for name, kinds in types.items() if len(kinds) > 1]
    return found


def test_a_name_is_given_to_one_type_of_exception_in_a_compiled_function() -> None:
    files = list(compiled_files())
    assert len(files) > 100
    assert {path.relative_to(TOP): found for path in files if (found := reused(ast.parse(path.read_text())))} == {}


@pytest.mark.parametrize(("second", "found"), [("error", ["f: error"]), ("other", [])])
def test_the_rule_sees_what_it_forbids(second: str, found: list[str]) -> None:
    tree = ast.parse(f"def f():\n try: g()\n except A as error: h(error)\n except B as {second}: h({second})")
    assert reused(tree) == found
