"""RDB files and DUMP payloads of real servers, with what those servers say is in them."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

from attrs import frozen

VECTORS = Path(__file__).parents[3] / "vectors"


@frozen
class Recorded:
    name: str
    data: bytes
    keys: list[dict[str, Any]]
    functions: int

    @property
    def types(self) -> set[str]:
        """Of data."""
        return {key["type"] for key in self.keys}


def files() -> list[Recorded]:
    found = []
    for path in sorted((VECTORS / "rdb").glob("*/*.rdb")):
        content = json.loads(path.with_suffix(".json").read_text())
        name = f"{path.parent.name}/{path.stem}"
        found.append(Recorded(name, path.read_bytes(), content["keys"], len(content.get("functions", ()))))
    return found


def payloads() -> list[dict[str, Any]]:
    return [
        payload | {"server": path.stem}
        for path in sorted((VECTORS / "dump").glob("*.json"))
        if not path.stem.endswith("-errors")
        for payload in json.loads(path.read_text())["payloads"]
    ]


def refusals() -> list[tuple[str, str, bytes, str]]:
    """Server, case, payload, reply."""
    return [
        (path.stem, case, b64decode(told["payload_b64"]), told["reply"])
        for path in sorted((VECTORS / "dump").glob("*-errors.json"))
        for case, told in json.loads(path.read_text()).items()
    ]
