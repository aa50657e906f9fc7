"""Folders of append-only files of real servers, whole and damaged, with what those servers made of them."""

import json
from pathlib import Path
from typing import Any

from attrs import frozen

AOF = Path(__file__).parents[4] / "vectors" / "aof"


@frozen
class Folder:
    """``cut_to``: the size of the incr after the server has started on it; None if it does not, whatever is set."""

    path: Path
    manifest_text: bytes
    starts_anyway: bool
    cut_to: int | None

    @property
    def name(self) -> str:
        return self.path.relative_to(AOF).as_posix()

    @property
    def manifest(self) -> Path:
        return self.path / "appendonly.aof.manifest"

    @property
    def incr(self) -> Path:
        """The last one."""
        return max(self.path.glob("*.incr.aof"))

    @property
    def damaged(self) -> bool:
        return self.cut_to is None


def folders() -> list[Folder]:
    return [_folder(told) for told in json.loads((AOF / "manifest.json").read_text())["dirs"]]


def _folder(told: dict[str, Any]) -> Folder:
    path = AOF / told["dir"]
    text = bytes(map(ord, told["manifest_text"]))
    verdict = told.get("on_load", {})
    if "starts" in verdict:
        assert not verdict["starts"]
        return Folder(path, text, False, None)
    sizes = verdict.get("aof-load-truncated yes", {})
    incr = max(path.glob("*.incr.aof"))
    strict = verdict.get("aof-load-truncated no", {}).get("starts", True)
    return Folder(path, text, strict, sizes.get("incr_size_after", incr.stat().st_size))
