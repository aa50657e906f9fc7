"""Bytes become text, and back, by ``cluster/text.py`` alone: another conversion may raise for what a peer sends."""

import ast
from collections.abc import Iterator

import pytest

from tests.tidy.floors import lines_outside

THE_PAIR = "gossamer.cluster.text"
METHODS = ("encode", "decode")
BUILTINS = ("str", "bytes", "bytearray")


def conversions(tree: ast.AST) -> Iterator[int]:
    """Lines with ``x.encode()``, ``x.decode("ascii", …)``, ``str(x, …)``, ``bytes(x, …)`` and the like.

    A method of that name that is called with something else than an encoding is another's.
    """
    for item in ast.walk(tree):
        if not isinstance(item, ast.Call):
            continue
        function = item.func
        named = {keyword.arg for keyword in item.keywords} & {"encoding", "errors"}
        if isinstance(function, ast.Attribute) and function.attr in METHODS:
            first = item.args[0] if item.args else None
            spelled = isinstance(first, ast.Constant) and isinstance(first.value, str)
            if first is None or spelled or named:
                yield item.lineno
        elif isinstance(function, ast.Name) and function.id in BUILTINS and (len(item.args) > 1 or named):
            yield item.lineno


def test_nothing_converts_but_the_pair() -> None:
    assert lines_outside(THE_PAIR, conversions) == [], f"text_of and bytes_of of {THE_PAIR} do this without raising"


@pytest.mark.parametrize(
    "source",
    [
        "a.decode()",
        'a.decode("ascii")',
        "a.b().encode(errors=e)",
        'str(a, "utf-8")',
        'bytes(a, "utf-8")',
        "str(a, errors=e)",
    ],
)
def test_a_bare_conversion_is_seen(source: str) -> None:
    assert list(conversions(ast.parse(source)))


@pytest.mark.parametrize("source", ["str(a)", "bytes(8)", "packet.decode(frame)", "encode(a)", "text_of(a)"])
def test_other_calls_are_none(source: str) -> None:
    assert not list(conversions(ast.parse(source)))
