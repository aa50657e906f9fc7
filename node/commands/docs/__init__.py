"""What COMMAND INFO and COMMAND DOCS tell beyond a command's declaration: one JSON file a group, read at first use.

The files hold facts of Redis 7.0.15 (complexity, tips, arguments, versions of changes); the remarks on changes are our
own words. They are package data: reading them is the one file access outside ``node/io``.
"""

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
        self.tips: list[object] = _list(record, "tips")
        self.doc_flags: list[str] = [str(flag) for flag in _list(record, "doc_flags")]
        self.history: list[object] = _list(record, "history")
        self.arguments: list[object] = _list(record, "arguments")


def _text(record: dict[str, object], field: str) -> str:
    return str(record.get(field, ""))


def _list(record: dict[str, object], field: str) -> list[object]:
    value = record.get(field, [])
    assert isinstance(value, list), field
    return value


NONE = Facts({})
_groups: dict[str, dict[str, Facts]] = {}


def facts(group: str, name: str) -> Facts:
    """The facts of the command ``name`` (``get``, ``config|get``) of ``group``; empty if there are none."""
    if group not in _groups:
        _groups[group] = {command: Facts(record) for command, record in _read(group).items()}
    return _groups[group].get(name, NONE)


def _read(group: str) -> dict[str, dict[str, object]]:
    source = files(__name__).joinpath(f"{group}.json")
    records = json.loads(source.read_text("utf-8")) if source.is_file() else {}
    assert isinstance(records, dict)
    return records
