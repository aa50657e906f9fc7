"""The command table of a real Redis 7.0.15, as data to hold ours against."""

import json
from pathlib import Path
from typing import Any, TypeAlias

from gossamer.node.engine.table.keyspec import KeySpec

Info: TypeAlias = dict[str, Any]

_STORED = json.loads((Path(__file__).parent / "command-table.json").read_text())


def _flat(commands: dict[str, Any]) -> dict[str, Info]:
    out: dict[str, Info] = {}
    for name, record in commands.items():
        out[name] = record["info"]
        out |= _flat(record.get("subcommands", {}))
    return out


REFERENCE: dict[str, Info] = _flat(_STORED["commands"])
"""Every command and subcommand (``config|get``) by name."""

GETKEYS: list[dict[str, Any]] = _STORED["getkeys_examples"]
"""Requests with the server's replies to COMMAND GETKEYS and GETKEYSANDFLAGS."""


def key_specs(info: Info) -> tuple[KeySpec, ...]:
    """The key specs of a command of the reference in our form."""
    return tuple(_key_spec(spec) for spec in info.get("key_specs", []))


def _key_spec(spec: dict[str, Any]) -> KeySpec:
    marks = {"incomplete", "variable_flags", "not_key"}
    flags = tuple(flag for flag in spec["flags"] if flag not in marks)
    begin: dict[str, Any] = spec["begin_search"]["spec"] or {}
    find: dict[str, Any] = spec["find_keys"]["spec"] or {}
    keyword = begin.get("keyword")
    return KeySpec(
        flags,
        index=begin.get("index", begin.get("startfrom", 1)),
        last=find.get("lastkey", 0),
        step=find.get("keystep", 1),
        limit=find.get("limit", 0),
        keyword=keyword and keyword.encode(),
        count_at=find.get("keynumidx", -1),
        first_at=find.get("firstkey", 1),
        incomplete="incomplete" in spec["flags"],
        variable="variable_flags" in spec["flags"],
        not_key="not_key" in spec["flags"],
        unknown=spec["begin_search"]["type"] == "unknown",
    )
