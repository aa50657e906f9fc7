"""Bytes become text, and back, by ``cluster/text.py`` alone: another conversion may raise for what a peer sends.

A file that is opened as text converts too: it says ``errors=``, or it is among the ``ALLOWED``.
"""

import ast
import re
from collections.abc import Iterator
from typing import Final

import pytest

from tests.tidy.floors import lines_outside, modules

THE_PAIR = "gossamer.cluster.text"
METHODS = ("encode", "decode")
BUILTINS = ("str", "bytes", "bytearray")

OPENERS: Final = ("open", "fdopen")
MODE: Final = re.compile("[rwxabt+]{1,4}")
ALLOWED: Final = {
    ("gossamer.node.io.startup", "open(self._path, 'w')"): "the process id is written",
    ("gossamer.node.io.thp", "open(f'{self._settings}/enabled')"): "three words of the kernel",
    ("gossamer.node.io.thp", "open(f'{self._settings}/hpage_pmd_size')"): "a number of the kernel",
    (
        "gossamer.node.commands.docs",
        "files(__name__).joinpath(f'{group}.json').read_text('utf-8')",
    ): "comes with the program",
    ("gossamer.deploy.backup.folder", "self.partial(NAME).open('w')"): "JSON is written, which is ASCII",
    ("gossamer.deploy.folder", "self._pid_file.open('a+')"): "the process id is written",
    ("gossamer.deploy.folder", "self._pid_file.open('r+')"): "is read only while a node of ours has it locked",
    ("gossamer.deploy.folder", "self._record.read_text()"): "bytes that are no text are a damaged record",
    (
        "gossamer.deploy.folder",
        "draft.write_text(json.dumps(asdict(record), indent=2) + '\\n')",
    ): "JSON is written, which is ASCII",
}
"""(module, call) of what is read or written as text and may raise, and why it does not or why that is well."""


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


def text_files(tree: ast.AST) -> Iterator[ast.Call]:
    """Calls that open a file, or a pipe, as text without saying what becomes of bytes that are none."""
    for item in ast.walk(tree):
        if isinstance(item, ast.Call) and "errors" not in (names := {word.arg: word.value for word in item.keywords}):
            function = item.func
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            whole_file = name in ("read_text", "write_text") and isinstance(function, ast.Attribute)
            opened = name in OPENERS and is_text(item, names.get("mode"))
            pipe = any(is_true(names.get(asked)) for asked in ("text", "universal_newlines"))
            if whole_file or opened or pipe:
                yield item


def is_text(call: ast.Call, mode: ast.expr | None) -> bool:
    """Whether ``open(path, mode)``, or ``path.open(mode)``, opens as text; other methods of that name do not."""
    of_path = isinstance(call.func, ast.Attribute) and call.func.attr == "open"
    place = 0 if of_path else 1
    if mode is None and len(call.args) > place:
        mode = call.args[place]
    if mode is None:
        return not of_path or not call.args
    spelled = mode.value if isinstance(mode, ast.Constant) else None
    if isinstance(spelled, str) and MODE.fullmatch(spelled):
        return "b" not in spelled
    return not of_path


def is_true(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is True


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


def test_no_file_is_opened_as_text_that_may_hold_anything() -> None:
    found = {
        (name, ast.unparse(call)): f"{path}:{call.lineno}"
        for name, path in modules()
        for call in text_files(ast.parse(path.read_text(), str(path)))
    }
    assert [where for call, where in found.items() if call not in ALLOWED] == [], "say errors=, or read bytes"
    assert ALLOWED.keys() - found.keys() == set(), "these are allowed and are not there"


@pytest.mark.parametrize(
    "source",
    [
        "open(a)",
        'open(a, "w", encoding="utf-8")',
        'open(a, mode="r")',
        "open(a, mode)",
        "os.fdopen(fd)",
        "path.open()",
        'path.open("a+")',
        "path.read_text()",
        'path.read_text("utf-8")',
        "path.write_text(a)",
        "subprocess.run(a, text=True)",
    ],
)
def test_a_text_file_is_seen(source: str) -> None:
    assert list(text_files(ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    [
        'open(a, "rb")',
        'open(a, errors="surrogateescape")',
        'os.fdopen(fd, "wb")',
        "os.open(a, os.O_RDWR)",
        'path.open("rb")',
        'path.read_text(errors="replace")',
        "self.open(node)",
        "cipher.open(nonce, data, extra)",
        "_read_text(body)",
        "subprocess.run(a, text=False)",
    ],
)
def test_a_file_of_bytes_is_none(source: str) -> None:
    assert not list(text_files(ast.parse(source)))
