"""What COMMAND INFO and COMMAND DOCS tell beyond a command's declaration: one JSON file a group, read at first use.

The files hold facts of Redis 7.0.15 (complexity, tips, arguments, versions of changes); the remarks on changes are our
own words. They are package data: reading them is the one file access outside ``node/io``.

Summaries are the handlers' docstrings. Compiled functions have lost theirs, so they are looked up in the source beside
them, also at first use.
"""

import ast
import json
from importlib.resources import files


class Facts:
    """``tips`` are hints for clients and proxies (COMMAND INFO); ``history`` pairs a version with what changed in it;
    ``arguments`` are maps as COMMAND DOCS sends them, nested under ``arguments``, their ``flags`` as lists.
    """

    def __init__(self, record: dict[str, object]) -> None:
        self.complexity: str = _text(record, "complexity")
        self.deprecated_since: str = _text(record, "deprecated_since")
        self.replaced_by: str = _text(record, "replaced_by")
        self.tips: list[str] = [str(tip) for tip in _list(record, "tips")]
        self.doc_flags: list[str] = [str(flag) for flag in _list(record, "doc_flags")]
        self.history: list[list[str]] = [_words(change) for change in _list(record, "history")]
        self.arguments: list[object] = _list(record, "arguments")


def _text(record: dict[str, object], field: str) -> str:
    return str(record.get(field, ""))


def _list(record: dict[str, object], field: str) -> list[object]:
    value = record.get(field, [])
    assert isinstance(value, list), field
    return value


def _words(value: object) -> list[str]:
    assert isinstance(value, list), value
    return [str(word) for word in value]


NONE = Facts({})
_groups: dict[str, dict[str, Facts]] = {}
_summaries: dict[str, dict[str, str]] = {}


def facts(group: str, name: str) -> Facts:
    """The facts of the command ``name`` (``get``, ``config|get``) of ``group``; empty if there are none."""
    if group not in _groups:
        _groups[group] = {command: Facts(record) for command, record in _read(group).items()}
    return _groups[group].get(name, NONE)


def summary(module: str, function: str) -> str:
    """The first line of the docstring that ``function`` has in the source of ``module``; empty if there is none."""
    if module not in _summaries:
        _summaries[module] = _docstrings(module)
    return _summaries[module].get(function, "")


def _docstrings(module: str) -> dict[str, str]:
    package, _, name = module.rpartition(".")
    source = files(package).joinpath(f"{name}.py")
    if not source.is_file():
        return {}
    functions = [node for node in ast.parse(source.read_text("utf-8")).body if isinstance(node, ast.FunctionDef)]
    return {function.name: (ast.get_docstring(function) or "").partition("\n")[0] for function in functions}


def _read(group: str) -> dict[str, dict[str, object]]:
    source = files(__name__).joinpath(f"{group}.json")
    records = json.loads(source.read_text("utf-8")) if source.is_file() else {}
    assert isinstance(records, dict)
    return records
