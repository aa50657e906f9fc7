"""What COMMAND INFO and COMMAND DOCS tell beyond a command's declaration: one JSON file a group, one line a command.

A declaration (``@command``) holds what the node needs to run a command; these files hold what it tells about it.
Versions, tips and arguments are facts of Redis 7.0.15. Summaries, complexities and remarks are our own words;
a summary begins with a verb in the third person. The files are package data: reading them, all at the first question,
is the one file access outside ``node/io``.
"""

import json
from importlib.resources import files
from typing import Final

GROUPS: Final = (
    "bitmap",
    "cluster",
    "connection",
    "generic",
    "geo",
    "hash",
    "hyperloglog",
    "list",
    "server",
    "set",
    "sorted-set",
    "stream",
    "string",
    "transactions",
)
"""The files, by the groups of Redis 7.0 that they hold."""


class Facts:
    """``tips`` are hints for clients and proxies (COMMAND INFO); ``history`` pairs a version with what changed in it;
    ``arguments`` are maps as COMMAND DOCS sends them, nested under ``arguments``, their ``flags`` as lists.
    """

    def __init__(self, group: str, record: dict[str, object]) -> None:
        self.group: str = group
        self.summary: str = _text(record, "summary")
        self.since: str = _text(record, "since")
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


NONE: Final = Facts("generic", {})
_known: Final[dict[str, Facts]] = {}


def facts(name: str) -> Facts:
    """The facts of the command ``name`` (``get``, ``config|get``); ``NONE`` if no file has it."""
    if not _known:
        for group in GROUPS:
            _known.update({command: Facts(group, record) for command, record in read(group).items()})
    return _known.get(name, NONE)


def read(group: str) -> dict[str, dict[str, object]]:
    """The records of one file, by the names of the commands."""
    records = json.loads(files(__name__).joinpath(f"{group}.json").read_text("utf-8"))
    assert isinstance(records, dict)
    return records
